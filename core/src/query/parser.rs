//! The parser's cursor, and the frame of a statement: SELECT, items, clauses.
//!
//! Recursive descent with one token of lookahead; parentheses, the only thing that nests, are kept on the heap.

use super::{
    MAX_LIST_ITEMS, MAX_STATEMENT_BYTES,
    ast::{FromClause, Item, Name, SelectItem, Statement},
    keywords,
    lexer::{Kind, Lexer, Token},
    strings,
};
use crate::error::{QueryError, QueryErrorKind, Span, near_names};

pub(super) type Parsed<T> = Result<T, QueryError>;

/// Parses one statement. Linear in its length.
///
/// # Errors
/// Any kind 10xx: the first thing that is wrong, with its place.
pub fn parse(sql: &str) -> Result<Statement, QueryError> {
    if sql.len() > MAX_STATEMENT_BYTES {
        let message =
            format!("the statement has {} bytes, at most {MAX_STATEMENT_BYTES} are read", sql.len());
        let span = Span { line: 1, column: 1, ..Span::default() };
        return Err(QueryError::new(QueryErrorKind::StatementTooLong, span, message)
            .with_hint("send long value lists in several statements"));
    }
    let mut lexer = Lexer::new(sql);
    let token = lexer.next()?;
    Parser { lexer, token, last: token.span }.statement()
}

/// A statement being read: the token under the cursor and where the one before it ended.
pub(super) struct Parser<'a> {
    lexer: Lexer<'a>,
    pub token: Token<'a>,
    pub last: Span,
}

impl<'a> Parser<'a> {
    fn statement(mut self) -> Parsed<Statement> {
        let explain = self.take_word("EXPLAIN")?;
        if explain && self.at_word("ANALYZE") {
            return Err(self.not_supported("EXPLAIN ANALYZE", "EXPLAIN alone shows the plan"));
        }
        self.expect_word("SELECT")?;
        let items = self.list("output columns", Self::select_item)?;
        self.expect_word("FROM")?;
        let from = self.from()?;
        let mut statement = Statement {
            explain,
            items,
            from,
            embedding: None,
            filter: None,
            topk: None,
            limit: None,
            offset: None,
        };
        while self.clause(&mut statement)? {}
        self.take_symbol(";")?;
        match self.token.kind {
            Kind::End => Ok(statement),
            _ => Err(self.unexpected("a clause or the end of the statement")),
        }
    }

    // The cursor.

    /// Moves past the current token and returns it.
    pub fn advance(&mut self) -> Parsed<Token<'a>> {
        let next = self.lexer.next()?;
        let token = std::mem::replace(&mut self.token, next);
        self.last = token.span;
        Ok(token)
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

    pub fn expect_word(&mut self, word: &'static str) -> Parsed<()> {
        match self.take_word(word)? {
            true => Ok(()),
            false => Err(self.unexpected(word)),
        }
    }

    pub fn expect_symbol(&mut self, symbol: &'static str) -> Parsed<()> {
        match self.take_symbol(symbol)? {
            true => Ok(()),
            false => Err(self.unexpected(symbol)),
        }
    }

    /// `item, item, ...`, at least one.
    pub fn list<T>(&mut self, what: &str, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",")? {
            if items.len() == MAX_LIST_ITEMS {
                let message = format!("more than {MAX_LIST_ITEMS} {what} in one list");
                return Err(self
                    .error(QueryErrorKind::ListTooLong, message)
                    .with_hint("split the list over several statements"));
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

    /// The current token is not what the grammar wants.
    pub fn unexpected(&self, expected: &str) -> QueryError {
        if self.token.kind == Kind::End {
            return self
                .error(QueryErrorKind::UnexpectedEnd, "the statement ends too early")
                .with_expected(expected);
        }
        let text = self.token.text.chars().take(60).collect::<String>();
        let error = self
            .error(QueryErrorKind::UnexpectedToken, format!("unexpected `{text}`"))
            .with_expected(expected);
        match self.suggestion(expected) {
            Some(word) => error.with_hint(format!("did you mean {word}?")),
            None => error,
        }
    }

    /// The word that was probably meant: the one expected if it is near, else a clause.
    fn suggestion(&self, expected: &str) -> Option<String> {
        let word = self.token.text;
        if self.token.kind != Kind::Word || word.len() > 40 {
            return None;
        }
        let one_word = expected.bytes().all(|b| b.is_ascii_uppercase());
        let known: &[&str] = if one_word { &[expected] } else { &keywords::CLAUSES };
        if !one_word && !expected.starts_with("a clause") {
            return None;
        }
        near_names(word, known.iter().copied()).into_iter().next()
    }

    /// The current token begins something of the full language that this version lacks.
    pub fn not_supported(&self, what: &str, hint: &str) -> QueryError {
        self.error(QueryErrorKind::NotSupported, format!("{what} is not supported yet in this version"))
            .with_hint(hint)
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
            _ => Err(self.unexpected(expected)),
        }
    }

    fn quoted_name(&mut self) -> Parsed<String> {
        let name = strings::decode(self.token)?;
        if name.is_empty() {
            return Err(self.error(QueryErrorKind::EmptyName, "a name cannot be empty"));
        }
        self.advance()?;
        Ok(name)
    }

    // SELECT items.

    fn select_item(&mut self) -> Parsed<SelectItem> {
        let start = self.token.span;
        let item = self.item()?;
        let alias = match self.take_word("AS")? {
            false => None,
            true if item == Item::All => return Err(self.unexpected("FROM").with_hint("* takes no AS")),
            true => Some(self.name("a name")?),
        };
        Ok(SelectItem { item, alias, span: start.to(self.last) })
    }

    fn item(&mut self) -> Parsed<Item> {
        if self.take_symbol("*")? {
            return Ok(Item::All);
        }
        if self.token.kind != Kind::Word || self.at_word("FROM") {
            return Err(self.unexpected("a column"));
        }
        if self.at_word("DISTINCT") {
            return Err(self.not_supported("SELECT DISTINCT", "leave DISTINCT out; ids are distinct already"));
        }
        self.field()
    }

    /// A field by its first word, with the path if it is `metadata`.
    pub fn field(&mut self) -> Parsed<Item> {
        let simple = [
            ("id", Item::Id),
            ("document", Item::Document),
            ("distance", Item::Distance),
            ("collection", Item::Collection),
            ("embedding", Item::Embedding),
        ];
        if let Some((_, item)) = simple.into_iter().find(|(word, _)| self.at_word(word)) {
            self.advance()?;
            return Ok(item);
        }
        if !self.take_word("metadata")? {
            return Err(self.unknown_field());
        }
        let mut path = String::new();
        while self.path_key(&mut path)? {}
        Ok(Item::Metadata((!path.is_empty()).then_some(path)))
    }

    /// One more key of a path, `.name`, `."name"` or `['name']`, appended with a point between.
    fn path_key(&mut self, path: &mut String) -> Parsed<bool> {
        let key = if self.take_symbol(".")? {
            self.name("a metadata key")?.text
        } else if self.take_symbol("[")? {
            if !matches!(self.token.kind, Kind::Single | Kind::Double) {
                return Err(self.unexpected("a key in quotes"));
            }
            let key = self.quoted_name()?;
            self.expect_symbol("]")?;
            key
        } else {
            return Ok(false);
        };
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&key);
        Ok(true)
    }

    fn unknown_field(&self) -> QueryError {
        let word = self.token.text;
        let known = ["id", "document", "distance", "collection", "embedding", "metadata"];
        if matches!(word.to_ascii_uppercase().as_str(), "COUNT" | "MIN" | "MAX" | "AVG" | "SUM") {
            return self
                .not_supported(&word.to_ascii_uppercase(), "select rows and count them in the program");
        }
        let hint = match near_names(word, known).first() {
            Some(near) if word.len() <= 40 => format!("did you mean {near}, or metadata.{word}?"),
            _ => format!("metadata fields are written metadata.{word}"),
        };
        self.error(QueryErrorKind::UnknownField, format!("there is no field {word}"))
            .with_expected("id, document, distance, collection, embedding or metadata.key")
            .with_hint(hint)
    }

    // FROM.

    fn from(&mut self) -> Parsed<FromClause> {
        if self.take_symbol("*")? {
            return Ok(FromClause::All);
        }
        let names = self.list("collections", Self::collection)?;
        if self.at_word("AS") {
            return Err(self.not_supported("an alias of a collection", "leave AS out; fields need no prefix"));
        }
        Ok(FromClause::Named(names))
    }

    /// `"any name"`, or bare names joined by points.
    fn collection(&mut self) -> Parsed<Name> {
        let bare = self.token.kind == Kind::Word;
        let mut name = self.name("a collection name or *")?;
        while bare && self.take_symbol(".")? {
            let part = self.name("the rest of the collection name")?;
            name.text.push('.');
            name.text.push_str(&part.text);
            name.span = name.span.to(part.span);
        }
        match self.at_symbol("*") {
            true => Err(self.not_supported("a pattern after FROM", "list the collections, or write FROM *")),
            false => Ok(name),
        }
    }
}
