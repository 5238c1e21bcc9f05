//! WHERE: boolean structure, tests and literals.

use super::{
    MAX_NESTING,
    ast::{Column, CompareOp, Expr, FieldRef, Item, Literal},
    keywords,
    lexer::Kind,
    parser::{Parsed, Parser},
    strings,
};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    number::parse_f64,
    schema::Value,
};

/// What has been read of a condition between two parentheses.
#[derive(Default)]
struct Level {
    /// The operands of OR.
    terms: Vec<Expr>,
    /// The operands of AND.
    factors: Vec<Expr>,
    /// Whether the operand to come is negated. Pairs of NOT cancel out, in three-valued logic too, so chains of
    /// them need no nesting.
    negated: bool,
}

impl Level {
    fn push(&mut self, operand: Expr) {
        let negated = std::mem::take(&mut self.negated);
        self.factors.push(if negated { Expr::Not(Box::new(operand)) } else { operand });
    }

    fn end_term(&mut self) {
        self.terms.extend(join(std::mem::take(&mut self.factors), Expr::And));
    }
}

impl Parser<'_> {
    /// `[NOT] operand { (AND | OR) [NOT] operand }`, AND first; an operand is a test or a condition in parentheses.
    ///
    /// Open parentheses are kept on the heap, not on the stack: browsers give wasm a small one.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        let (mut outer, mut level) = (Vec::new(), Level::default());
        loop {
            if self.take_word("NOT")? {
                level.negated = !level.negated;
                continue;
            }
            if self.at_symbol("(") {
                self.open(outer.len())?;
                outer.push(std::mem::take(&mut level));
                continue;
            }
            level.push(self.test()?);
            while !self.operator(&mut level)? {
                let Some(done) = join(std::mem::take(&mut level.terms), Expr::Or) else {
                    return Err(self.unexpected("a condition"));
                };
                match outer.pop() {
                    None => return Ok(done),
                    Some(around) => level = around,
                }
                self.expect_symbol(")")?;
                level.push(done);
            }
        }
    }

    /// Moves past AND or OR; false, with the level's last term ended, if there is neither.
    fn operator(&mut self, level: &mut Level) -> Parsed<bool> {
        if self.take_word("AND")? {
            return Ok(true);
        }
        level.end_term();
        self.take_word("OR")
    }

    /// Moves past `(`, with `depth` others open.
    fn open(&mut self, depth: usize) -> Parsed<()> {
        if depth == MAX_NESTING {
            let message = format!("more than {MAX_NESTING} parentheses are open");
            return Err(self.error(QueryErrorKind::NestingTooDeep, message).with_hint(
                "parentheses around AND inside AND, or OR inside OR, can go; use IN for long ORs",
            ));
        }
        self.advance().map(|_| ())
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
    fn test_field(&mut self) -> Parsed<FieldRef> {
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
        Ok(FieldRef { column, span })
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
        match parse_f64(self.token.text) {
            Some(value) if value.is_finite() => Ok(Value::Float(value)),
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
