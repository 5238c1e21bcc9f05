//! WHERE: boolean structure, tests and literals.

use super::{
    MAX_NESTING,
    ast::{Column, CompareOp, Expr, Field, Item, Literal},
    keywords,
    lexer::Kind,
    parser::{Parsed, Parser},
    strings,
};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    schema::Value,
};

impl Parser<'_> {
    /// `factor { (AND | OR) factor }`, AND first. `depth` parentheses are open.
    ///
    /// One loop for both operators rather than a function each: this is the only recursion of the parser, and its
    /// frames, times [`MAX_NESTING`], must fit a browser's stack.
    pub(super) fn expr(&mut self, depth: usize) -> Parsed<Expr> {
        let (mut terms, mut factors) = (Vec::new(), Vec::new());
        loop {
            factors.push(self.factor(depth)?);
            if self.take_word("AND")? {
                continue;
            }
            terms.extend(join(std::mem::take(&mut factors), Expr::And));
            if !self.take_word("OR")? {
                break;
            }
        }
        match join(terms, Expr::Or) {
            Some(expr) => Ok(expr),
            None => Err(self.unexpected("a condition")),
        }
    }

    /// `{NOT} ( expr )` or `{NOT} test`. Pairs of NOT cancel out, in three-valued logic too, so chains of them
    /// need no nesting.
    fn factor(&mut self, depth: usize) -> Parsed<Expr> {
        let mut negated = false;
        while self.take_word("NOT")? {
            negated = !negated;
        }
        let expr = if self.at_symbol("(") { self.group(depth)? } else { self.test()? };
        Ok(if negated { Expr::Not(Box::new(expr)) } else { expr })
    }

    fn group(&mut self, depth: usize) -> Parsed<Expr> {
        if depth == MAX_NESTING {
            let message = format!("more than {MAX_NESTING} parentheses are open");
            return Err(self.error(QueryErrorKind::NestingTooDeep, message).with_hint(
                "parentheses around AND inside AND, or OR inside OR, can go; use IN for long ORs",
            ));
        }
        self.advance()?;
        let expr = self.expr(depth + 1)?;
        self.expect_symbol(")")?;
        Ok(expr)
    }

    fn test(&mut self) -> Parsed<Expr> {
        let field = self.test_field()?;
        if let Some(op) = self.compare_op()? {
            let value = self.literal()?;
            return Ok(Expr::Compare { field, op, value });
        }
        if self.take_word("IS")? {
            let negated = self.take_word("NOT")?;
            self.expect_word("NULL")?;
            return Ok(Expr::IsNull { field, negated });
        }
        let negated = self.take_word("NOT")?;
        if self.take_word("IN")? {
            self.expect_symbol("(")?;
            let values = self.list("values", Self::literal)?;
            self.expect_symbol(")")?;
            return Ok(Expr::In { field, values, negated });
        }
        if self.take_word("BETWEEN")? {
            let low = self.literal()?;
            self.expect_word("AND")?;
            let high = self.literal()?;
            return Ok(Expr::Between { field, low, high, negated });
        }
        Err(self.no_test())
    }

    fn no_test(&self) -> QueryError {
        match keywords::later_test(self.token.text) {
            Some(word) if self.token.kind == Kind::Word => {
                self.not_supported(word, "use =, IN, BETWEEN or a comparison")
            }
            _ => self.unexpected("a comparison, IN, BETWEEN or IS NULL"),
        }
    }

    fn compare_op(&mut self) -> Parsed<Option<CompareOp>> {
        let op = match self.token.text {
            "=" => CompareOp::Eq,
            "!=" | "<>" => CompareOp::Ne,
            "<" => CompareOp::Lt,
            "<=" => CompareOp::Le,
            ">" => CompareOp::Gt,
            ">=" => CompareOp::Ge,
            "==" => return Err(self.unexpected("a comparison").with_hint("equality is written with one =")),
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(op))
    }

    /// The left side of a test.
    fn test_field(&mut self) -> Parsed<Field> {
        let start = self.token.span;
        match self.token.kind {
            Kind::Word => {}
            Kind::Single | Kind::Double | Kind::Integer | Kind::Decimal => {
                return Err(self
                    .unexpected("a field")
                    .with_hint("write the field first: metadata.key = value"));
            }
            _ => return Err(self.unexpected("a field, NOT or (")),
        }
        let word = self.token.text;
        let item = self.field()?;
        let span = start.to(self.last);
        let column = match item {
            Item::Id => Column::Id,
            Item::Document => Column::Document,
            Item::Metadata(Some(path)) => Column::Metadata(path),
            _ => return Err(not_filterable(word, span)),
        };
        Ok(Field { column, span })
    }

    /// A constant.
    fn literal(&mut self) -> Parsed<Literal> {
        let span = self.token.span;
        let value = match self.token.kind {
            Kind::Integer => return Ok(Literal { value: Value::Int(self.integer()?), span }),
            Kind::Decimal => self.decimal()?,
            Kind::Single | Kind::Double => Value::Text(strings::decode(self.token)?),
            Kind::Word if self.at_word("TRUE") => Value::Bool(true),
            Kind::Word if self.at_word("FALSE") => Value::Bool(false),
            Kind::Word if self.at_word("NULL") => Value::Null,
            Kind::Symbol if matches!(self.token.text, "?" | ":") => return Err(self.parameter()),
            _ => return Err(self.no_literal()),
        };
        self.advance()?;
        Ok(Literal { value, span })
    }

    fn no_literal(&self) -> QueryError {
        let word = self.token.text;
        let error = self.unexpected("a text, a number, TRUE, FALSE or NULL");
        match self.token.kind {
            Kind::Word if matches!(word.to_ascii_uppercase().as_str(), "TIMESTAMP" | "DATE") => {
                error.with_hint("write dates and times as plain texts: '2024-05-01T12:00:00Z'")
            }
            Kind::Word
                if ["metadata", "id", "document"].iter().any(|root| word.eq_ignore_ascii_case(root)) =>
            {
                error.with_hint("a field can only be compared with a constant")
            }
            Kind::Word => error.with_hint(format!("texts take single quotes: '{}'", clip(word))),
            _ => error,
        }
    }

    /// The integer under the cursor.
    pub(super) fn integer(&mut self) -> Parsed<i64> {
        match self.token.text.parse() {
            Ok(value) => {
                self.advance()?;
                Ok(value)
            }
            Err(_) => Err(self
                .error(QueryErrorKind::NumberOutOfRange, "the number does not fit a 64-bit integer")
                .with_hint("integers lie between -9223372036854775808 and 9223372036854775807")),
        }
    }

    fn decimal(&self) -> Parsed<Value> {
        match self.token.text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Float(value)),
            _ => Err(self
                .error(QueryErrorKind::NumberOutOfRange, "the number does not fit 64-bit floating point")
                .with_hint("numbers lie between -1.7e308 and 1.7e308")),
        }
    }

    /// The cursor is at a bind parameter.
    pub(super) fn parameter(&self) -> QueryError {
        self.not_supported("a bind parameter", "write the value into the statement")
    }
}

/// The parts under `operator`, or the only part alone.
fn join(mut parts: Vec<Expr>, operator: fn(Vec<Expr>) -> Expr) -> Option<Expr> {
    if parts.len() > 1 { Some(operator(parts)) } else { parts.pop() }
}

fn not_filterable(word: &str, span: Span) -> QueryError {
    let hint = match word.to_ascii_lowercase().as_str() {
        "collection" => "name the collections after FROM",
        "distance" => "use TOPK or LIMIT to keep the nearest",
        "metadata" => "test one value of it: metadata.key",
        _ => "test id or metadata.key",
    };
    QueryError::new(QueryErrorKind::FieldNotFilterable, span, format!("{word} cannot be tested in WHERE"))
        .with_text(word)
        .with_hint(hint)
}

fn clip(word: &str) -> &str {
    word.get(..word.len().min(40)).unwrap_or_default()
}
