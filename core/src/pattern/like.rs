//! LIKE patterns: literal characters, `_` for any one, `%` for any run.

use super::{PatternError, fold::fold};
use crate::gather::Gather as _;

/// A LIKE pattern that is neither a plain text, a prefix nor an infix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Like {
    tokens: Vec<Token>,
    folded: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Token {
    /// This character.
    One(char),
    /// Any character.
    Any,
    /// Any characters, or none.
    Run,
}

impl Like {
    /// Reads a pattern. A backslash makes the next character stand for itself.
    ///
    /// # Errors
    /// A backslash at the end.
    pub fn new(pattern: &str, folded: bool) -> Result<Self, PatternError> {
        let (mut tokens, mut chars) = (Vec::new(), pattern.chars());
        while let Some(c) = chars.next() {
            let token = match c {
                '%' => Token::Run,
                '_' => Token::Any,
                '\\' => Token::One(chars.next().ok_or_else(|| PatternError {
                    message: String::from("nothing follows the last backslash of the pattern"),
                    hint: "write two for the character",
                })?),
                c => Token::One(c),
            };
            let token = match token {
                Token::One(c) if folded => Token::One(fold(c)),
                token => token,
            };
            if token != Token::Run || tokens.last() != Some(&Token::Run) {
                tokens.push(token);
            }
        }
        Ok(Self { tokens, folded })
    }

    /// The characters that every match begins with, and what follows them.
    fn split_prefix(tokens: &[Token]) -> (String, &[Token]) {
        let literal = |token: &Token| match token {
            Token::One(c) => Some(*c),
            _ => None,
        };
        let prefix: Vec<char> = tokens.iter().map_while(literal).gather();
        let rest = tokens.get(prefix.len()..).unwrap_or_default();
        (prefix.into_iter().gather(), rest)
    }

    /// What every match begins with; empty when case does not count.
    pub fn prefix(&self) -> String {
        if self.folded { String::new() } else { Self::split_prefix(&self.tokens).0 }
    }

    /// The only text that matches.
    pub fn as_text(&self) -> Option<String> {
        let (text, rest) = Self::split_prefix(&self.tokens);
        (rest.is_empty() && !self.folded).then_some(text)
    }

    /// The text that a match begins with and needs nothing else.
    pub fn as_prefix(&self) -> Option<String> {
        let (text, rest) = Self::split_prefix(&self.tokens);
        (rest == [Token::Run] && (!self.folded || text.is_empty())).then_some(text)
    }

    /// The text that a match holds somewhere and needs nothing else.
    pub fn as_infix(&self) -> Option<String> {
        let (text, rest) = Self::split_prefix(self.tokens.strip_prefix(&[Token::Run])?);
        (rest == [Token::Run] && !self.folded).then_some(text)
    }

    /// Whether the whole text matches. On a mismatch only the last run is tried with one character more: if an earlier
    /// one could help, the last could as well. At worst pattern times text.
    pub fn is_match(&self, text: &str) -> bool {
        let (mut at, mut chars) = (0, text.chars());
        let mut retry = None;
        loop {
            let token = self.tokens.get(at);
            if token == Some(&Token::Run) {
                at += 1;
                if at == self.tokens.len() {
                    return true;
                }
                retry = Some((at, chars.clone()));
                continue;
            }
            let fits = match (token, chars.next()) {
                (None, None) => return true,
                (Some(Token::Any), Some(_)) => true,
                (Some(Token::One(wanted)), Some(c)) => *wanted == if self.folded { fold(c) } else { c },
                _ => false,
            };
            if fits {
                at += 1;
                continue;
            }
            let Some((resume, rest)) = &mut retry else { return false };
            if rest.next().is_none() {
                return false;
            }
            (at, chars) = (*resume, rest.clone());
        }
    }
}
