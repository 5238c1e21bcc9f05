//! The clauses after FROM: any order, each at most once.

use super::{
    ast::{Count, Embedding, Name, Statement, TextQuery, VectorQuery},
    keywords,
    lexer::Kind,
    parser::{Parsed, Parser},
    strings,
};
use crate::{
    error::{QueryErrorKind, Span},
    number::parse_f32,
};

impl Parser<'_> {
    /// Reads one clause into `statement`; false if the cursor is at none.
    pub(super) fn clause(&mut self, statement: &mut Statement) -> Parsed<bool> {
        let at = self.token;
        if self.take_word("USING")? {
            self.once(statement.embedding.is_some(), "USING EMBEDDING", at.span)?;
            statement.embedding = Some(self.embedding()?);
        } else if self.take_word("WHERE")? {
            self.once(statement.filter.is_some(), "WHERE", at.span)?;
            statement.filter = Some(self.expr()?);
        } else if self.take_word("TOPK")? {
            self.once(statement.topk.is_some(), "TOPK", at.span)?;
            statement.topk = Some(self.count()?);
        } else if self.take_word("LIMIT")? {
            self.once(statement.limit.is_some(), "LIMIT", at.span)?;
            statement.limit = Some(self.count()?);
        } else if self.take_word("OFFSET")? {
            self.once(statement.offset.is_some(), "OFFSET", at.span)?;
            statement.offset = Some(self.count()?);
        } else {
            return self.no_clause();
        }
        Ok(true)
    }

    /// Nothing this version runs begins here; refuses what the full language would read.
    fn no_clause(&self) -> Parsed<bool> {
        match keywords::later_clause(self.token.text) {
            Some(word) if self.token.kind == Kind::Word => {
                Err(self.not_supported(word, "leave the clause out"))
            }
            _ => Ok(false),
        }
    }

    fn once(&self, again: bool, clause: &str, span: Span) -> Parsed<()> {
        if !again {
            return Ok(());
        }
        Err(crate::error::QueryError::new(
            QueryErrorKind::DuplicateClause,
            span,
            format!("{clause} stands twice"),
        )
        .with_text(clause)
        .with_hint("keep one of them"))
    }

    /// A whole number with an optional sign.
    fn count(&mut self) -> Parsed<Count> {
        let span = self.token.span;
        match self.token.kind {
            Kind::Integer => Ok(Count { value: self.integer()?, span }),
            Kind::Symbol if matches!(self.token.text, "?" | ":") => Err(self.parameter()),
            Kind::Decimal => {
                Err(self.unexpected("a whole number").with_hint("leave out the point and the exponent"))
            }
            _ => Err(self.unexpected("a whole number")),
        }
    }

    // USING EMBEDDING.

    fn embedding(&mut self) -> Parsed<Embedding> {
        self.expect_word("EMBEDDING")?;
        if self.at_word("BATCH") {
            return Err(self.not_supported("BATCH", "run one statement per text or vector"));
        }
        self.expect_symbol("(")?;
        let embedding = if self.take_word("TEXT")? {
            Embedding::Text(self.text_query()?)
        } else if self.take_word("VECTOR")? {
            Embedding::Vector(self.vector()?)
        } else {
            return Err(self.unexpected("TEXT or VECTOR"));
        };
        self.expect_symbol(")")?;
        Ok(embedding)
    }

    fn text_query(&mut self) -> Parsed<TextQuery> {
        let text = self.text("a text in single quotes")?;
        let model = match self.take_word("MODEL")? {
            true => Some(self.text("a model name in single quotes")?),
            false => None,
        };
        Ok(TextQuery { text, model })
    }

    /// A string in either kind of quotes.
    fn text(&mut self, expected: &str) -> Parsed<Name> {
        match self.token.kind {
            Kind::Single | Kind::Double => {
                let name = Name { text: strings::decode(self.token)?, span: self.token.span };
                self.advance()?;
                Ok(name)
            }
            Kind::Symbol if matches!(self.token.text, "?" | ":") => Err(self.parameter()),
            _ => Err(self.unexpected(expected)),
        }
    }

    fn vector(&mut self) -> Parsed<VectorQuery> {
        let start = self.token.span;
        if matches!(self.token.text, "?" | ":") {
            return Err(self.parameter());
        }
        self.expect_symbol("[")?;
        if self.at_symbol("]") {
            return Err(self
                .error(QueryErrorKind::EmptyVector, "the vector has no numbers")
                .with_hint("write as many numbers as the collection has dimensions"));
        }
        let components = self.list("vector components", Self::component)?;
        self.expect_symbol("]")?;
        Ok(VectorQuery { components, span: start.to(self.last) })
    }

    fn component(&mut self) -> Parsed<f32> {
        if !matches!(self.token.kind, Kind::Integer | Kind::Decimal) {
            return Err(self.unexpected("a number"));
        }
        match parse_f32(self.token.text) {
            Some(number) if number.is_finite() => {
                self.advance()?;
                Ok(number)
            }
            _ => Err(self
                .error(QueryErrorKind::NumberOutOfRange, "the number does not fit 32-bit floating point")
                .with_hint("components lie between -3.4e38 and 3.4e38")),
        }
    }
}
