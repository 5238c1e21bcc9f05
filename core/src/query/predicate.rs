//! WHERE and WHERE_DOCUMENT: boolean structure and tests.

use super::{
    MAX_NESTING,
    ast::{Column, CompareOp, Expr, Field, FieldRef, Literal, MatchOp},
    lexer::Kind,
    parser::{Parsed, Parser},
    scalar::is_field,
};
use crate::error::{QueryError, QueryErrorKind, Span};

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
    ///
    /// With `document` all tests are about the document, which they may leave out.
    pub(super) fn condition(&mut self, document: bool) -> Parsed<Expr> {
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
            level.push(self.test(document)?);
            while !self.connective(&mut level)? {
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
    fn connective(&mut self, level: &mut Level) -> Parsed<bool> {
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

    fn test(&mut self, document: bool) -> Parsed<Expr> {
        let field = if document { self.document_field()? } else { self.test_field()? };
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
            let values = self.literals()?;
            return Ok(Expr::In { field, values, negated });
        }
        if self.take_word("BETWEEN")? {
            let low = self.literal()?;
            self.expect_word("AND")?;
            let high = self.literal()?;
            return Ok(Expr::Between { field, low, high, negated });
        }
        if let Some(op) = self.match_op()? {
            let pattern = self.literal()?;
            return Ok(Expr::Match { field, op, pattern, negated });
        }
        if self.take_word("CONTAINS")? {
            let (values, all) = self.contained()?;
            return Ok(Expr::Contains { field, values, all, negated });
        }
        if self.at_word("MATCH") {
            return Err(
                self.not_supported("MATCH", "use CONTAINS, LIKE or REGEX, or search with USING EMBEDDING")
            );
        }
        Err(self
            .unexpected("a comparison, IN, BETWEEN, LIKE, ILIKE, REGEX, STARTS WITH, CONTAINS or IS NULL"))
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

    fn match_op(&mut self) -> Parsed<Option<MatchOp>> {
        for op in [MatchOp::Like, MatchOp::ILike, MatchOp::Regex, MatchOp::StartsWith] {
            let mut words = op.symbol().split(' ');
            if self.take_word(words.next().unwrap_or_default())? {
                return words.try_for_each(|word| self.expect_word(word)).map(|()| Some(op));
            }
        }
        Ok(None)
    }

    /// What follows CONTAINS: the values, and whether all of them must be there.
    fn contained(&mut self) -> Parsed<(Vec<Literal>, bool)> {
        if self.at_word("ANY") || self.at_word("ALL") {
            let all = self.either("ALL", "ANY")?;
            return Ok((self.literals()?, all));
        }
        if self.at_symbol("(") {
            return Err(self
                .unexpected("a value")
                .with_hint("several values are written CONTAINS ANY (...) or CONTAINS ALL (...)"));
        }
        Ok((vec![self.literal()?], false))
    }

    /// The left side of a test in WHERE_DOCUMENT, which may be left out.
    fn document_field(&mut self) -> Parsed<FieldRef> {
        let span = self.token.span;
        if !self.take_word("document")? && self.token.kind == Kind::Word && is_field(self.token.text) {
            return Err(self
                .unexpected("a test of the document")
                .with_hint("WHERE tests all fields, the document too; both clauses may stand together"));
        }
        Ok(FieldRef { column: Column::Document, span })
    }

    /// The left side of a test.
    fn test_field(&mut self) -> Parsed<FieldRef> {
        let start = self.token.span;
        match self.token.kind {
            Kind::Word => {}
            Kind::Single | Kind::Double | Kind::Integer | Kind::Decimal | Kind::Parameter => {
                return Err(self
                    .unexpected("a field")
                    .with_hint("write the field first: metadata.key = value"));
            }
            _ => return Err(self.unexpected("a field, NOT or (")),
        }
        let word = self.token.text;
        let field = self.field()?;
        let span = start.to(self.last);
        let column = match field {
            Field::Id => Column::Id,
            Field::Document => Column::Document,
            Field::Metadata(Some(path)) => Column::Metadata(path),
            other => return Err(not_filterable(&other, word, span)),
        };
        Ok(FieldRef { column, span })
    }
}

/// Adds `more` to a condition by AND.
pub(super) fn conjunction(filter: &mut Option<Expr>, more: Expr) {
    let mut parts = Vec::new();
    for expr in filter.take().into_iter().chain([more]) {
        match expr {
            Expr::And(inner) => parts.extend(inner),
            expr => parts.push(expr),
        }
    }
    *filter = join(parts, Expr::And);
}

/// The parts under `operator`, or the only part alone.
fn join(mut parts: Vec<Expr>, operator: fn(Vec<Expr>) -> Expr) -> Option<Expr> {
    if parts.len() > 1 { Some(operator(parts)) } else { parts.pop() }
}

fn not_filterable(field: &Field, word: &str, span: Span) -> QueryError {
    let hint = match field {
        Field::Collection => "name the collections after FROM, or leave some out with EXCEPT",
        Field::Distance => "write WITH SCORE THRESHOLD, or keep the nearest with TOPK or LIMIT",
        Field::Metadata(_) => "test one value of it: metadata.key",
        _ => "test id, document or metadata.key",
    };
    QueryError::new(QueryErrorKind::FieldNotFilterable, span, format!("{word} cannot be tested in WHERE"))
        .with_text(word)
        .with_hint(hint)
}
