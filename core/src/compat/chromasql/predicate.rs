//! WHERE and WHERE_DOCUMENT: AND binds tighter than OR, and NOT is glued to the word of a test.

use super::{
    MAX_NESTING,
    ast::{Field, FieldRef, Junction, Predicate, Test, TestKind},
    parser::Parser,
    scanner::Parsed,
};
use crate::{error::Span, query::CompareOp};

/// Longer operators before their beginnings.
const OPERATORS: [(&str, CompareOp); 6] = [
    ("!=", CompareOp::Ne),
    ("<=", CompareOp::Le),
    (">=", CompareOp::Ge),
    ("=", CompareOp::Eq),
    ("<", CompareOp::Lt),
    (">", CompareOp::Gt),
];

/// What stands between AND, OR and parentheses; it differs between the two clauses.
type TestParser<'a> = fn(&mut Parser<'a>) -> Parsed<Test>;

impl<'a> Parser<'a> {
    pub(super) fn filter(&mut self) -> Parsed<Option<Predicate>> {
        if self.scan.at("WHERE_DOCUMENT") || !self.scan.eat("WHERE") {
            return Ok(None);
        }
        self.condition(Self::test).map(Some)
    }

    pub(super) fn document_filter(&mut self) -> Parsed<Option<Predicate>> {
        if !self.scan.eat("WHERE_DOCUMENT") {
            return Ok(None);
        }
        self.condition(Self::document_test).map(Some)
    }

    fn condition(&mut self, test: TestParser<'a>) -> Parsed<Predicate> {
        let first = self.conjunction(test)?;
        let mut parts = vec![first];
        // ORDER begins like OR and is the longer word.
        while !self.scan.at("ORDER") && self.scan.eat("OR") {
            parts.push(self.conjunction(test)?);
        }
        self.joined(Junction::Or, parts)
    }

    fn conjunction(&mut self, test: TestParser<'a>) -> Parsed<Predicate> {
        let first = self.atom(test)?;
        let mut parts = vec![first];
        while self.scan.eat("AND") {
            parts.push(self.atom(test)?);
        }
        self.joined(Junction::And, parts)
    }

    fn joined(&mut self, junction: Junction, parts: Vec<Predicate>) -> Parsed<Predicate> {
        Predicate::join(junction, parts).ok_or_else(|| self.scan.unexpected("a condition"))
    }

    fn atom(&mut self, test: TestParser<'a>) -> Parsed<Predicate> {
        if !self.scan.eat("(") {
            return test(self).map(Predicate::Test);
        }
        if self.depth == MAX_NESTING {
            let hint = "drop parentheses that change nothing, and use IN for long lists of values";
            return Err(self.too_deep("parentheses inside each other", hint));
        }
        self.depth += 1;
        let inner = self.condition(test)?;
        self.depth -= 1;
        self.scan.expect(")")?;
        Ok(inner)
    }

    fn test(&mut self) -> Parsed<Test> {
        let field = self.filter_field()?;
        let kind = if let Some(op) = self.one_of(&OPERATORS) {
            TestKind::Compare { op, value: self.literal()? }
        } else if self.scan.eat("BETWEEN") {
            let low = self.literal()?;
            self.scan.expect("AND")?;
            TestKind::Between { low, high: self.literal()? }
        } else {
            self.negatable(true)?
        };
        let span = field.span.to(self.scan.last);
        Ok(Test { field, kind, span })
    }

    fn document_test(&mut self) -> Parsed<Test> {
        let named = self.scan.eat("document").then_some(self.scan.last);
        let kind = self.negatable(false)?;
        let end = self.scan.last;
        let span = named.unwrap_or(end).to(end);
        let field =
            FieldRef { field: Field::Document, span: named.unwrap_or(Span { end: span.start, ..span }) };
        Ok(Test { field, kind, span })
    }

    fn filter_field(&mut self) -> Parsed<FieldRef> {
        if self.scan.eat("metadata") {
            return self.path(true);
        }
        match [Field::Id, Field::Document].into_iter().find(|field| self.scan.eat(&field.dotted())) {
            Some(field) => Ok(FieldRef { field, span: self.scan.last }),
            None => Err(self.scan.unexpected("id, document or metadata.key")),
        }
    }

    /// A test that NOT can stand before.
    fn negatable(&mut self, with_lists: bool) -> Parsed<TestKind> {
        let negated = self.scan.eat("NOT");
        if with_lists && self.scan.eat("IN") {
            self.scan.expect("(")?;
            let values = self.list(Self::literal)?;
            self.scan.expect(")")?;
            return Ok(TestKind::In { values, negated });
        }
        if self.scan.eat("CONTAINS") {
            return Ok(TestKind::Contains { value: self.literal()?, negated });
        }
        if self.scan.eat("LIKE") {
            return Ok(TestKind::Like { pattern: self.string()?, negated });
        }
        if self.scan.eat("REGEX") {
            return Ok(TestKind::Regex { pattern: self.string()?, negated });
        }
        Err(self.scan.unexpected(match (with_lists, negated) {
            (true, false) => "a comparison, IN, BETWEEN, CONTAINS, LIKE or REGEX",
            (true, true) => "IN, CONTAINS, LIKE or REGEX",
            _ => "CONTAINS, LIKE or REGEX",
        }))
    }
}
