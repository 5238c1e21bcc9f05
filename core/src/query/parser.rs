//! The parser's cursor, and the frame of a statement: EXPLAIN, SELECT, FROM, clauses.
//!
//! Recursive descent with one token of lookahead; parentheses, the only thing that nests, are kept on the heap.

use super::{
    MAX_LIST_ITEMS, MAX_STATEMENT_BYTES,
    ast::{Explain, Name, Statement},
    keywords,
    lexer::{Kind, Lexer, Token},
    params::Params,
    strings,
};
use crate::{
    error::{QueryError, QueryErrorKind, Span, near_names},
    gather::Gather as _,
};

pub(super) type Parsed<T> = Result<T, QueryError>;

/// Parses one statement without parameters. Linear in its length.
///
/// # Errors
/// Any kind 10xx, and those kinds 11xx that are seen while parsing: the first thing that is wrong, with its place.
pub fn parse(sql: &str) -> Result<Statement, QueryError> {
    parse_with(sql, &Params::default())
}

/// Parses one statement and puts the values of `params` in the places of its `?` and `:name`. Linear in the length
/// of both.
///
/// # Errors
/// As [`parse`]; a parameter that is missing, that no place takes, or whose value cannot stand in its place.
pub fn parse_with(sql: &str, params: &Params) -> Result<Statement, QueryError> {
    if sql.len() > MAX_STATEMENT_BYTES {
        let message =
            format!("the statement has {} bytes, at most {MAX_STATEMENT_BYTES} are read", sql.len());
        let span = Span { line: 1, column: 1, ..Span::default() };
        return Err(QueryError::new(QueryErrorKind::StatementTooLong, span, message)
            .with_hint("send long value lists in several statements, or as parameters"));
    }
    let mut lexer = Lexer::new(sql);
    let token = lexer.next()?;
    let last = token.span;
    let (positional, named, bound_bytes) = Default::default();
    Parser { lexer, token, last, params, positional, named, bound_bytes, clauses: 0 }.statement()
}

/// A statement being read: the token under the cursor and where the one before it ended.
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    pub token: Token<'a>,
    pub last: Span,
    pub params: &'a Params,
    /// How many `?` have been read.
    pub positional: usize,
    /// The names of the `:name` that have been read, as often as they stand there.
    pub named: Vec<&'a str>,
    /// How much the parameters have added to the tree.
    pub bound_bytes: usize,
    /// The clauses that have been read, a bit for each.
    pub clauses: u32,
}

impl<'a> Parser<'a> {
    fn statement(mut self) -> Parsed<Statement> {
        let explain = match self.take_word("EXPLAIN")? {
            false => None,
            true if self.take_word("ANALYZE")? => Some(Explain::Analyze),
            true => Some(Explain::Plan),
        };
        self.expect_word("SELECT")?;
        let items = self.list("output columns", Self::select_item)?;
        self.expect_word("FROM")?;
        let from = self.from()?;
        let mut statement = Statement {
            explain,
            items,
            from,
            embedding: Vec::new(),
            batch: false,
            filter: None,
            similarity: None,
            topk: None,
            group: None,
            order: Vec::new(),
            rerank: None,
            fuse: None,
            threshold: None,
            duplicates: None,
            recall: None,
            candidates: None,
            limit: None,
            offset: None,
            after: None,
        };
        while self.clause(&mut statement)? {}
        self.take_symbol(";")?;
        if self.token.kind != Kind::End {
            return Err(self.unexpected("a clause or the end of the statement"));
        }
        self.check_unused()?;
        Ok(statement)
    }

    // The cursor.

    /// Moves past the current token and returns it.
    pub fn advance(&mut self) -> Parsed<Token<'a>> {
        let next = self.lexer.next()?;
        let token = std::mem::replace(&mut self.token, next);
        self.last = token.span;
        Ok(token)
    }

    /// Moves past the sign of the number under the cursor.
    pub fn skip_sign(&mut self) {
        let Token { text, span, .. } = &mut self.token;
        *text = text.get(1..).unwrap_or_default();
        (span.start, span.column) = (span.start + 1, span.column + 1);
    }

    pub fn at_word(&self, word: &str) -> bool {
        self.token.kind == Kind::Word && self.token.text.eq_ignore_ascii_case(word)
    }

    pub fn at_symbol(&self, symbol: &str) -> bool {
        self.token.kind == Kind::Symbol && self.token.text == symbol
    }

    pub fn take_word(&mut self, word: &str) -> Parsed<bool> {
        let found = self.at_word(word);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub fn take_symbol(&mut self, symbol: &str) -> Parsed<bool> {
        let found = self.at_symbol(symbol);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub fn expect_word(&mut self, word: &str) -> Parsed<()> {
        match self.take_word(word)? {
            true => Ok(()),
            false => Err(self.unexpected(word)),
        }
    }

    /// One of two words: whether it is the first.
    pub fn either(&mut self, first: &str, second: &str) -> Parsed<bool> {
        match self.take_word(first)? {
            true => Ok(true),
            false if self.take_word(second)? => Ok(false),
            false => Err(self.unexpected(&format!("{first} or {second}"))),
        }
    }

    pub fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        match self.take_symbol(symbol)? {
            true => Ok(()),
            false => Err(self.unexpected(symbol)),
        }
    }

    /// `item, item, ...`, at least one.
    pub fn list<T>(&mut self, what: &str, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.list_of(MAX_LIST_ITEMS, what, item)
    }

    /// `item, item, ...`, at least one and at most `most`.
    pub fn list_of<T>(
        &mut self,
        most: usize,
        what: &str,
        item: fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",")? {
            if items.len() == most {
                return Err(self.list_too_long(most, what));
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    // Errors at the cursor.

    /// An error at the current token.
    pub fn error(&self, kind: QueryErrorKind, message: impl Into<String>) -> QueryError {
        QueryError::new(kind, self.token.span, message).with_text(self.token.text)
    }

    pub fn list_too_long(&self, most: usize, what: &str) -> QueryError {
        self.error(QueryErrorKind::ListTooLong, format!("more than {most} {what} in one list"))
            .with_hint("leave some out, or split the list over several statements")
    }

    /// The current token is not what the grammar wants.
    pub fn unexpected(&self, expected: &str) -> QueryError {
        if self.token.kind == Kind::End {
            return self
                .error(QueryErrorKind::UnexpectedEnd, "the statement ends too early")
                .with_expected(expected);
        }
        let text = self.token.text.chars().take(60).gather::<String>();
        let error = self
            .error(QueryErrorKind::UnexpectedToken, format!("unexpected `{text}`"))
            .with_expected(expected);
        match self.suggestion(expected) {
            Some(word) => error.with_hint(format!("did you mean {word}?")),
            None if text.starts_with(['-', '+']) => {
                error.with_hint("a name with a hyphen needs double quotes; a sign touches its number")
            }
            None => error,
        }
    }

    /// The word that was probably meant: one of those expected if it is near, else a clause.
    fn suggestion(&self, expected: &str) -> Option<String> {
        let word = self.token.text;
        if self.token.kind != Kind::Word || word.len() > 40 {
            return None;
        }
        let near = |words: &[&str]| near_names(word, words.iter().copied()).into_iter().next();
        match expected.starts_with("a clause") {
            true => near(&keywords::CLAUSE_WORDS),
            false => {
                let keyword = |word: &&str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_uppercase());
                near(&expected.split([' ', ',']).filter(keyword).gather::<Vec<_>>())
            }
        }
    }

    /// The current token begins something of SQL that this language lacks.
    pub fn not_supported(&self, what: &str, hint: &str) -> QueryError {
        self.error(QueryErrorKind::NotSupported, format!("{what} is not supported")).with_hint(hint)
    }

    // Names.

    /// A bare word or a double-quoted name.
    pub fn name(&mut self, expected: &str) -> Parsed<Name> {
        let span = self.token.span;
        match self.token.kind {
            Kind::Word => Ok(Name { text: String::from(self.advance()?.text), span }),
            Kind::Double => Ok(Name { text: self.quoted_name()?, span }),
            Kind::Single => Err(self.unexpected(expected).with_hint("names take double quotes")),
            Kind::Integer | Kind::Decimal => {
                Err(self.unexpected(expected).with_hint("put names that begin with a digit in double quotes"))
            }
            Kind::Parameter => {
                Err(self.unexpected(expected).with_hint("parameters stand for values, not for names"))
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    pub fn quoted_name(&mut self) -> Parsed<String> {
        let name = strings::decode(self.token)?;
        if name.is_empty() {
            return Err(self.error(QueryErrorKind::EmptyName, "a name cannot be empty"));
        }
        self.advance()?;
        Ok(name)
    }
}
