//! The frame of a statement: SELECT, FROM and the clauses in their one order.

use super::{
    CompatError, CompatErrorKind, Integer, MAX_INTEGER_DIGITS, MAX_NESTING, MAX_STATEMENT_BYTES,
    ast::{
        Count, Direction, Embedding, Field, FieldRef, Item, Literal, OrderKey, Projection, Rerank,
        Similarity, Source, Statement, Value,
    },
    scanner::{Parsed, Scanner},
};
use crate::{error::Span, query::Name};

/// Parses one statement. Linear in its length.
///
/// # Errors
/// The first thing that is wrong: a kind of stage [`Parse`](super::Stage::Parse).
pub fn parse(sql: &str) -> Result<Statement, CompatError> {
    if sql.len() > MAX_STATEMENT_BYTES {
        let message =
            format!("the statement has {} bytes, at most {MAX_STATEMENT_BYTES} are read", sql.len());
        let span = Span { line: 1, column: 1, ..Span::default() };
        let hint = "send long value lists in several statements";
        return Err(CompatError::new(CompatErrorKind::StatementTooLong, span, message, hint));
    }
    Parser { scan: Scanner::new(sql), depth: 0 }.statement()
}

/// A statement being read.
pub(super) struct Parser<'a> {
    pub scan: Scanner<'a>,
    /// How many parentheses of a condition are open.
    pub depth: usize,
}

impl Parser<'_> {
    fn statement(mut self) -> Parsed<Statement> {
        let explain = self.scan.eat("EXPLAIN");
        self.scan.expect("SELECT")?;
        let projection = self.projection()?;
        self.scan.expect("FROM")?;
        let statement = Statement {
            explain,
            projection,
            collection: self.name("a collection name")?,
            alias: self.alias()?,
            embedding: self.embedding()?,
            filter: self.filter()?,
            document_filter: self.document_filter()?,
            similarity: self.similarity()?,
            topk: self.count("TOPK")?,
            order: self.order()?,
            rerank: self.rerank()?,
            limit: self.count("LIMIT")?,
            offset: self.count("OFFSET")?,
            threshold: self.threshold()?,
        };
        self.scan.eat(";");
        match self.scan.at_end() {
            true => Ok(statement),
            false => Err(self.scan.unexpected("a later clause or the end of the statement")),
        }
    }

    // What several clauses share.

    /// `item, item, ...`, at least one.
    pub fn list<T>(&mut self, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.scan.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn name(&mut self, expected: &str) -> Parsed<Name> {
        match self.scan.name() {
            Some(name) => Ok(name),
            None => Err(self.scan.unexpected(expected)),
        }
    }

    pub fn string(&mut self) -> Parsed<Name> {
        match self.scan.string()? {
            Some(text) => Ok(text),
            None => Err(self.scan.unexpected("a string in quotes")),
        }
    }

    fn alias(&mut self) -> Parsed<Option<Name>> {
        if self.scan.eat("AS") { self.name("a name").map(Some) } else { Ok(None) }
    }

    /// The first of `words` that comes next, taken.
    pub fn one_of<T: Copy>(&mut self, words: &[(&str, T)]) -> Option<T> {
        words.iter().find(|(word, _)| self.scan.eat(word)).map(|(_, meaning)| *meaning)
    }

    /// A field whose first word was taken just now, with the keys of a path if it is `metadata`.
    pub fn path(&mut self, path_required: bool) -> Parsed<FieldRef> {
        let start = self.scan.last;
        let mut keys = Vec::new();
        while self.scan.eat(".") {
            if keys.len() == MAX_NESTING {
                return Err(self.too_deep("keys in one path", "name the value by fewer keys"));
            }
            keys.push(self.name("a metadata key")?.text);
        }
        if path_required && keys.is_empty() {
            return Err(self.scan.unexpected(".key after metadata"));
        }
        Ok(FieldRef { field: Field::Metadata(keys), span: start.to(self.scan.last) })
    }

    pub fn too_deep(&self, what: &str, hint: &str) -> CompatError {
        let message = format!("more than {MAX_NESTING} {what}");
        CompatError::new(CompatErrorKind::NestingTooDeep, self.scan.last, message, hint)
    }

    /// A number as the text says: an integer unless it has a point or an exponent.
    fn number(&mut self, expected: &str) -> Parsed<Literal> {
        let Some(text) = self.scan.number() else { return Err(self.scan.unexpected(expected)) };
        let span = self.scan.last;
        let value = match Integer::parse(text) {
            Some(integer) => Value::Integer(self.checked(text, integer)?),
            None => Value::Float(text.parse().unwrap_or(f64::NAN)),
        };
        Ok(Literal { value, span })
    }

    fn checked(&self, text: &str, integer: Integer) -> Parsed<Integer> {
        let digits = text.trim_start_matches(['+', '-']).len();
        if digits <= MAX_INTEGER_DIGITS {
            return Ok(integer);
        }
        let message = format!("an integer of {digits} digits, at most {MAX_INTEGER_DIGITS} are read");
        let hint = "write a number with an exponent";
        Err(CompatError::new(CompatErrorKind::Syntax, self.scan.last, message, hint))
    }

    fn float(&mut self) -> Parsed<f64> {
        Ok(match self.number("a number")?.value {
            Value::Integer(integer) => integer.to_f64(),
            Value::Float(float) => float,
            _ => f64::NAN,
        })
    }

    pub fn literal(&mut self) -> Parsed<Literal> {
        if let Some(text) = self.scan.string()? {
            return Ok(Literal { value: Value::Text(text.text), span: text.span });
        }
        if let Some(bool) = self.one_of(&[("TRUE", Some(true)), ("FALSE", Some(false)), ("NULL", None)]) {
            let value = bool.map_or(Value::Null, Value::Bool);
            return Ok(Literal { value, span: self.scan.last });
        }
        self.number("a constant")
    }

    // SELECT.

    fn projection(&mut self) -> Parsed<Projection> {
        if self.scan.eat("*") {
            return Ok(Projection::All);
        }
        self.list(Self::item).map(Projection::Items)
    }

    fn item(&mut self) -> Parsed<Item> {
        let field = self.item_field()?;
        // The reference reads these letters as the direction of a sort key after any path, wherever it stands.
        if matches!(&field, Field::Metadata(path) if !path.is_empty()) && self.scan.at("ASC") {
            return Err(self.scan.unexpected("AS, a comma or FROM"));
        }
        Ok(Item { field, alias: self.alias()?.map(|name| name.text) })
    }

    fn item_field(&mut self) -> Parsed<Field> {
        if self.scan.eat("metadata") {
            return Ok(self.path(false)?.field);
        }
        let fields = [Field::Id, Field::Document, Field::Embedding, Field::Distance];
        match fields.into_iter().find(|field| self.scan.eat(&field.dotted())) {
            Some(field) => Ok(field),
            None => Err(self.scan.unexpected("id, document, embedding, distance, metadata or metadata.key")),
        }
    }

    // USING EMBEDDING.

    fn embedding(&mut self) -> Parsed<Option<Embedding>> {
        if !self.scan.eat("USING") {
            return Ok(None);
        }
        self.scan.expect("EMBEDDING")?;
        let batch = self.scan.eat("BATCH");
        self.scan.expect("(")?;
        let embedding =
            if batch { Embedding::Batch(self.list(Self::source)?) } else { Embedding::One(self.source()?) };
        self.scan.expect(")")?;
        Ok(Some(embedding))
    }

    fn source(&mut self) -> Parsed<Source> {
        if self.scan.eat("TEXT") {
            let text = self.string()?;
            let model = if self.scan.eat("MODEL") { Some(self.string()?) } else { None };
            return Ok(Source::Text { text, model });
        }
        if !self.scan.eat("VECTOR") {
            return Err(self.scan.unexpected("TEXT or VECTOR"));
        }
        let start = self.scan.last;
        self.scan.expect("[")?;
        if self.scan.eat("]") {
            let span = start.to(self.scan.last);
            let hint = "write as many numbers as the collection has dimensions";
            return Err(CompatError::new(CompatErrorKind::EmptyVector, span, "the vector is empty", hint));
        }
        let components = self.list(Self::float)?;
        self.scan.expect("]")?;
        Ok(Source::Vector { components, span: start.to(self.scan.last) })
    }

    // The clauses after the conditions.

    fn similarity(&mut self) -> Parsed<Option<Similarity>> {
        if !self.scan.eat("SIMILARITY") {
            return Ok(None);
        }
        let metrics =
            [Similarity::Cosine, Similarity::L2, Similarity::Ip].map(|metric| (metric.name(), metric));
        match self.one_of(&metrics) {
            None => Err(self.scan.unexpected("COSINE, L2 or IP")),
            metric => Ok(metric),
        }
    }

    fn count(&mut self, clause: &str) -> Parsed<Option<Count>> {
        if !self.scan.eat(clause) {
            return Ok(None);
        }
        match self.scan.integer().and_then(|text| Some((text, Integer::parse(text)?))) {
            None => Err(self.scan.unexpected("an integer")),
            Some((text, value)) => {
                Ok(Some(Count { value: self.checked(text, value)?, span: self.scan.last }))
            }
        }
    }

    fn order(&mut self) -> Parsed<Vec<OrderKey>> {
        if !self.scan.eat("ORDER") {
            return Ok(Vec::new());
        }
        self.scan.expect("BY")?;
        self.list(Self::order_key)
    }

    fn order_key(&mut self) -> Parsed<OrderKey> {
        let field = if self.scan.eat("metadata") {
            self.path(true)?
        } else {
            match [Field::Distance, Field::Id].into_iter().find(|field| self.scan.eat(&field.dotted())) {
                Some(field) => FieldRef { field, span: self.scan.last },
                None => return Err(self.scan.unexpected("distance, id or metadata.key")),
            }
        };
        let directions = [Direction::Ascending, Direction::Descending].map(|way| (way.name(), way));
        Ok(OrderKey { field, direction: self.one_of(&directions).unwrap_or(Direction::Ascending) })
    }

    fn rerank(&mut self) -> Parsed<Option<Rerank>> {
        if !self.scan.eat("RERANK") {
            return Ok(None);
        }
        self.scan.expect("BY")?;
        self.scan.expect("MMR")?;
        let mut rerank = Rerank::default();
        if self.scan.eat("(") {
            rerank.params = self.list(Self::param)?;
            self.scan.expect(")")?;
        }
        Ok(Some(rerank))
    }

    fn param(&mut self) -> Parsed<(Name, f64)> {
        let name = self.name("the name of a parameter")?;
        self.scan.expect("=")?;
        Ok((name, self.float()?))
    }

    fn threshold(&mut self) -> Parsed<Option<f64>> {
        if !self.scan.eat("WITH") {
            return Ok(None);
        }
        self.scan.expect("SCORE")?;
        self.scan.expect("THRESHOLD")?;
        self.float().map(Some)
    }
}
