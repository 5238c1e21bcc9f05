//! From pattern to program in one pass, without a syntax tree: repeating a part copies its instructions, choosing one
//! puts a fork before it. Groups are a stack on the heap, so nesting costs no stack.

use super::{Class, MAX_INSTRUCTIONS, PatternError, Position, Step};
use crate::pattern::fold::{DIGIT, SPACE, WORD, fold};

type Parsed<T> = Result<T, PatternError>;

/// The program of a pattern, and its classes.
pub(super) fn compile(pattern: &str) -> Parsed<(Vec<Step>, Vec<Class>)> {
    let flags = Flags { folded: false, dot_all: false, multi_line: false };
    let outermost = Group { start: 0, branch: 0, ends: Vec::new(), flags };
    let mut parser = Parser {
        pattern,
        rest: pattern,
        program: Vec::new(),
        classes: Vec::new(),
        groups: vec![outermost],
        flags,
        atom: None,
    };
    while let Some(c) = parser.next() {
        parser.item(c)?;
        parser.check_size(0)?;
    }
    if parser.groups.len() > 1 {
        return Err(parser.error("a group is not closed", "write a `)`, or \\( for the character"));
    }
    parser.close()?;
    parser.program.push(Step::Found);
    Ok((parser.program, parser.classes))
}

#[derive(Debug, Clone, Copy)]
struct Flags {
    folded: bool,
    dot_all: bool,
    multi_line: bool,
}

/// A group that is not closed yet; the whole pattern is one.
struct Group {
    /// Its first instruction.
    start: usize,
    /// The first instruction of the alternative that is being read.
    branch: usize,
    /// The jumps to its end, one behind each earlier alternative.
    ends: Vec<usize>,
    /// The flags to go back to behind it.
    flags: Flags,
}

struct Parser<'p> {
    pattern: &'p str,
    rest: &'p str,
    program: Vec<Step>,
    classes: Vec<Class>,
    groups: Vec<Group>,
    flags: Flags,
    /// Where the part that a quantifier would repeat begins.
    atom: Option<usize>,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn error(&self, what: &str, hint: &'static str) -> PatternError {
        let at = self.pattern.chars().count() - self.rest.chars().count();
        PatternError { message: format!("{what}, at character {at} of the pattern"), hint }
    }

    /// Whether so many more instructions fit.
    fn check_size(&self, more: usize) -> Parsed<()> {
        if self.program.len().saturating_add(more) > MAX_INSTRUCTIONS {
            let what = format!("the pattern needs more than {MAX_INSTRUCTIONS} instructions");
            return Err(self.error(&what, "repeat less: x{2,} instead of x{2,1000}"));
        }
        Ok(())
    }

    fn item(&mut self, c: char) -> Parsed<()> {
        match c {
            '(' => return self.open(),
            ')' if self.groups.len() < 2 => {
                return Err(self.error("`)` closes no group", "write \\) for the character"));
            }
            ')' => return self.close(),
            '|' => return self.alternative(),
            '*' => return self.quantified(0, None),
            '+' => return self.quantified(1, None),
            '?' => return self.quantified(0, Some(1)),
            '{' => {
                let (least, most) = self.counts()?;
                return self.quantified(least, most);
            }
            '[' => {
                let class = self.class()?;
                self.push_class(class);
            }
            '.' => self.push(if self.flags.dot_all { Step::Any } else { Step::InLine }),
            '^' if self.flags.multi_line => self.push(Step::At(Position::LineStart)),
            '^' => self.push(Step::At(Position::TextStart)),
            '$' if self.flags.multi_line => self.push(Step::At(Position::LineEnd)),
            '$' => self.push(Step::At(Position::TextEnd)),
            '\\' => self.escape()?,
            c => self.push_char(c),
        }
        Ok(())
    }

    fn push(&mut self, step: Step) {
        self.atom = Some(self.program.len());
        self.program.push(step);
    }

    fn push_char(&mut self, c: char) {
        self.push(if self.flags.folded { Step::Folded(fold(c)) } else { Step::One(c) });
    }

    fn push_class(&mut self, class: Class) {
        self.push(Step::Class(self.classes.len()));
        self.classes.push(class.finish());
    }

    /// `(`: a group, or flags for the rest of the group around.
    fn open(&mut self) -> Parsed<()> {
        let group = Group {
            start: self.program.len(),
            branch: self.program.len(),
            ends: Vec::new(),
            flags: self.flags,
        };
        self.atom = None;
        if self.eat("?") {
            if self.rest.starts_with(['=', '!']) || self.rest.starts_with("<=") || self.rest.starts_with("<!")
            {
                return Err(
                    self.error("looking ahead or behind is not supported", "test the parts one by one")
                );
            }
            if self.eat("P<") || self.eat("<") {
                while self.next().ok_or_else(|| self.unclosed("a group's name", "write a `>`"))? != '>' {}
            } else if self.read_flags()? {
                return Ok(());
            }
        }
        self.groups.push(group);
        Ok(())
    }

    /// The flags behind `(?`; true if they end with `)`, and no group begins.
    fn read_flags(&mut self) -> Parsed<bool> {
        let mut on = true;
        loop {
            match self.next() {
                Some(':') => return Ok(false),
                Some(')') => return Ok(true),
                Some('-') => on = false,
                Some('i') => self.flags.folded = on,
                Some('s') => self.flags.dot_all = on,
                Some('m') => self.flags.multi_line = on,
                _ => return Err(self.error("unknown kind of group", "there are (?:..), (?i), (?s) and (?m)")),
            }
        }
    }

    /// `|`: what stands before it is one way to go on, what follows another.
    fn alternative(&mut self) -> Parsed<()> {
        self.atom = None;
        let end = self.program.len();
        if let Some(group) = self.groups.last_mut() {
            self.program.insert(group.branch, Step::Fork((end - group.branch + 2) as isize));
            self.program.push(Step::Jump(0));
            group.ends.push(end + 1);
            group.branch = end + 2;
        }
        Ok(())
    }

    fn close(&mut self) -> Parsed<()> {
        let Some(group) = self.groups.pop() else { return Ok(()) };
        let end = self.program.len();
        for place in group.ends {
            if let Some(jump) = self.program.get_mut(place) {
                *jump = Step::Jump((end - place) as isize);
            }
        }
        self.flags = group.flags;
        self.atom = Some(group.start);
        Ok(())
    }

    /// The counts of `{2}`, `{2,}` and `{2,5}`, behind the brace; no second one: without end.
    fn counts(&mut self) -> Parsed<(usize, Option<usize>)> {
        let least = self.count();
        let most = if self.eat(",") { self.count() } else { least };
        let (Some(least), true) = (least, self.eat("}")) else {
            return Err(self.error("not a repetition", "write {2}, {2,} or {2,5}, or \\{ for the character"));
        };
        if most.is_some_and(|most| most < least) {
            return Err(self.error("a repetition from more to less", "write the smaller number first"));
        }
        Ok((least, most))
    }

    /// The number that stands here, if one does.
    fn count(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        // Longer numbers are as much too large as this one.
        if number.len() > 9 { Some(usize::MAX) } else { number.parse().ok() }
    }

    /// Repeats the last part. Whether few or many repeats are preferred cannot be told from outside.
    fn quantified(&mut self, least: usize, most: Option<usize>) -> Parsed<()> {
        self.eat("?");
        let Some(start) = self.atom else {
            return Err(
                self.error("nothing to repeat", "write something before the quantifier, or a backslash")
            );
        };
        let part: Vec<Step> = self.program.get(start..).unwrap_or_default().to_vec();
        self.program.truncate(start);
        // A part without instructions, as `()`, is the same however often.
        if part.is_empty() {
            return Ok(());
        }
        let length = part.len() as isize;
        let optional = most.map_or(1, |most| most - least).saturating_mul(part.len() + 1);
        self.check_size(least.saturating_mul(part.len()).saturating_add(optional))?;
        (0..least).for_each(|_| self.program.extend_from_slice(&part));
        match most {
            Some(most) => {
                for _ in least..most {
                    self.program.push(Step::Fork(length + 1));
                    self.program.extend_from_slice(&part);
                }
            }
            None if least > 0 => self.program.push(Step::Fork(-length)),
            None => {
                self.program.push(Step::Fork(length + 2));
                self.program.extend_from_slice(&part);
                self.program.push(Step::Jump(-length - 1));
            }
        }
        Ok(())
    }

    /// What follows a backslash outside of a class.
    fn escape(&mut self) -> Parsed<()> {
        let Some(c) = self.next() else {
            return Err(self.error("nothing follows the last backslash", "write two for the character"));
        };
        if let Some((table, negated)) = perl(c) {
            let mut class = Class::default();
            class.add(table, negated);
            self.push_class(class);
            return Ok(());
        }
        match c {
            'A' => self.push(Step::At(Position::TextStart)),
            'z' => self.push(Step::At(Position::TextEnd)),
            'b' => self.push(Step::At(Position::WordEdge)),
            'B' => self.push(Step::At(Position::NoWordEdge)),
            c => {
                let c = self.escaped(c)?;
                self.push_char(c);
            }
        }
        Ok(())
    }

    /// The character that an escape denotes; `c` follows the backslash.
    fn escaped(&mut self, c: char) -> Parsed<char> {
        Ok(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'a' => '\u{7}',
            'x' if self.eat("{") => self.hex_until_brace()?,
            'u' if self.eat("{") => self.hex_until_brace()?,
            'x' => self.hex(2)?,
            'u' => self.hex(4)?,
            'U' => self.hex(8)?,
            'p' | 'P' => {
                return Err(self.error(
                    "classes by Unicode property are not supported",
                    "list the characters: [a-zà-ÿ]",
                ));
            }
            '1'..='9' => {
                return Err(self.error("references to groups are not supported", "write the part again"));
            }
            c if c.is_ascii_punctuation() && c != '<' && c != '>' => c,
            _ => return Err(self.error("unknown escape", "only marks take a backslash")),
        })
    }

    fn hex_until_brace(&mut self) -> Parsed<char> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let c = self.hex(digits)?;
        if self.eat("}") { Ok(c) } else { Err(self.unclosed("a character's number", "write a `}`")) }
    }

    fn hex(&mut self, digits: usize) -> Parsed<char> {
        let c = self
            .rest
            .split_at_checked(digits)
            .filter(|(number, _)| number.bytes().all(|b| b.is_ascii_hexdigit()));
        let found = c.and_then(|(number, rest)| {
            self.rest = rest;
            char::from_u32(u32::from_str_radix(number, 16).ok()?)
        });
        found.ok_or_else(|| self.error("no character has this number", "write \\x41 or \\u{1F600}"))
    }

    fn unclosed(&self, what: &str, hint: &'static str) -> PatternError {
        self.error(&format!("{what} is not closed"), hint)
    }

    /// A class, behind its bracket.
    fn class(&mut self) -> Parsed<Class> {
        let mut class = Class::new(self.eat("^"), self.flags.folded);
        let mut empty = true;
        loop {
            if ["&&", "--", "~~"].into_iter().any(|operator| self.rest.starts_with(operator)) {
                return Err(
                    self.error("operators between classes are not supported", "escape the characters")
                );
            }
            let first = match self.next() {
                None => return Err(self.unclosed("a class", "write a `]`, or \\[ for the character")),
                Some(']') if !empty => return Ok(class),
                Some('[') => return Err(self.error("classes inside classes are not supported", "write \\[")),
                Some('\\') => self.class_escape(&mut class)?,
                Some(c) => Some(c),
            };
            empty = false;
            let Some(first) = first else { continue };
            let last = if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                self.range_end(&mut class)?
            } else {
                first
            };
            if last < first {
                return Err(
                    self.error("a range that ends before it begins", "write the smaller character first")
                );
            }
            class.ranges.push((first.into(), last.into()));
        }
    }

    /// What follows a backslash in a class: a character, or `None` when it was a set, which is added.
    fn class_escape(&mut self, class: &mut Class) -> Parsed<Option<char>> {
        let c = self.next().ok_or_else(|| self.unclosed("a class", "write a `]`"))?;
        match perl(c) {
            Some((table, negated)) => {
                class.add(table, negated);
                Ok(None)
            }
            None => self.escaped(c).map(Some),
        }
    }

    fn range_end(&mut self, class: &mut Class) -> Parsed<char> {
        self.eat("-");
        let last = match self.next() {
            Some('\\') => self.class_escape(class)?,
            Some('[') | None => None,
            last => last,
        };
        last.ok_or_else(|| self.error("not the end of a range", "write \\- for the character"))
    }
}

/// The table of `\d`, `\s` or `\w`, and whether it is the upper-case letter, which means all others.
fn perl(c: char) -> Option<(&'static [(u32, u32)], bool)> {
    let table: &[(u32, u32)] = match c.to_ascii_lowercase() {
        'd' => &DIGIT,
        's' => &SPACE,
        'w' => &WORD,
        _ => return None,
    };
    Some((table, c.is_ascii_uppercase()))
}
