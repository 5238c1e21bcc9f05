//! Regular expressions: a subset of the syntax of Rust's `regex`, in time linear in the text.
//!
//! [`parse`] turns a pattern into a program for [`run`], which follows all ways through it at once. There are no
//! captures: whether quantifiers are greedy does not matter here, and names of groups are read over.

mod class;
mod parse;
mod run;

use class::Class;
pub(crate) use run::Scratch;

/// A compiled program has at most this many instructions.
const MAX_INSTRUCTIONS: usize = 10_000;

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PatternError {
    /// One clause without a full stop, with the place in the pattern.
    pub message: String,
    /// What to write instead.
    pub hint: &'static str,
}

/// A compiled regular expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Regex {
    program: Vec<Step>,
    classes: Vec<Class>,
    first: Option<FirstBytes>,
}

/// One instruction. Jumps are relative, so that a repeated part is copied as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// This character.
    One(char),
    /// A character that folds to this one.
    Folded(char),
    /// Any character but a line feed.
    InLine,
    /// Any character.
    Any,
    /// A character of the class at this place.
    Class(usize),
    /// A position; nothing is consumed.
    At(Position),
    /// Goes on both behind this instruction and so many instructions from here.
    Fork(isize),
    /// Goes on so many instructions from here.
    Jump(isize),
    /// The pattern is found.
    Found,
}

/// A condition on the place between two characters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Position {
    TextStart,
    TextEnd,
    LineStart,
    LineEnd,
    WordEdge,
    NoWordEdge,
}

/// The bytes that a match can begin with: a bit for each ASCII character, and whether other characters can.
#[derive(Debug, Clone, Copy, PartialEq)]
struct FirstBytes {
    ascii: u128,
    others: bool,
}

impl FirstBytes {
    fn holds(&self, byte: u8) -> bool {
        if byte < 128 { self.ascii >> byte & 1 == 1 } else { self.others }
    }
}

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, or that it is too large.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let (program, classes) = parse::compile(pattern)?;
        let mut regex = Self { program, classes, first: None };
        regex.first = regex.first_bytes();
        Ok(regex)
    }

    /// Whether an instruction consumes the character.
    fn accepts(&self, step: Step, c: char) -> bool {
        match step {
            Step::One(wanted) => c == wanted,
            Step::Folded(wanted) => super::fold::fold(c) == wanted,
            Step::InLine => c != '\n',
            Step::Any => true,
            Step::Class(place) => self.classes.get(place).is_some_and(|class| class.holds(c)),
            _ => false,
        }
    }

    /// What a match can begin with; `None` if one can be empty.
    fn first_bytes(&self) -> Option<FirstBytes> {
        let mut first = FirstBytes { ascii: 0, others: false };
        let mut seen = vec![false; self.program.len()];
        let mut open = vec![0_usize];
        while let Some(at) = open.pop() {
            let (Some(step), Some(seen)) = (self.program.get(at), seen.get_mut(at)) else { continue };
            if std::mem::replace(seen, true) {
                continue;
            }
            match *step {
                Step::Found => return None,
                Step::At(_) => open.push(at + 1),
                Step::Jump(by) => open.push(at.wrapping_add_signed(by)),
                Step::Fork(by) => open.extend([at + 1, at.wrapping_add_signed(by)]),
                step => {
                    let ascii = (0..128_u8).filter(|byte| self.accepts(step, char::from(*byte)));
                    first.ascii |= ascii.fold(0, |bits, byte| bits | 1 << byte);
                    first.others |= !matches!(step, Step::One(c) if c.is_ascii());
                }
            }
        }
        Some(first)
    }
}
