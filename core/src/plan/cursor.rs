//! Cursors of keyset paging: where the answer to a statement ended, as an opaque text.
//!
//! A cursor holds the ORDER BY values of the last row, its id and its collection, and a hash of the statement's
//! ranking. It stays right when records are added or removed, because it names a place in the order and not a number
//! of rows. It is no secret and grants nothing: it only says where to go on.
//!
//! As text it is the URL-safe base 64, without padding, of: the version (one byte), the statement's fingerprint (16
//! bytes), the number of keys (u32), the keys, id and collection as texts, and the first 8 bytes of the blake3 of all
//! that. Numbers are little-endian.

use super::{NamePattern, Plan, Probe};
use crate::{
    base64,
    gather::Gather as _,
    query::{Duplicates, Expr, FieldRef, Literal, Scalar},
    schema::{Object, Value},
};

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 8;
/// Deeper than any JSON that this crate reads. A forged cursor may be nested without end.
const MAX_DEPTH: u32 = 256;

/// A place in the order of one statement: the rows behind it are the next page.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    /// The values of the order's keys at that place, in the order of the keys.
    pub keys: Vec<Value>,
    /// The id of the record there.
    pub id: String,
    /// The collection of the record there.
    pub collection: String,
}

/// Why a text is not a cursor of the statement it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorFault {
    /// The text is no cursor, or not the whole of one, or one of another version.
    Damaged,
    /// It is a cursor of a statement that ranks other rows, or ranks them otherwise.
    OtherStatement,
}

impl Cursor {
    /// The cursor as text, for the statement whose [`Plan::fingerprint`] is given.
    pub fn encode(&self, fingerprint: [u8; 16]) -> String {
        let mut out = Bytes(vec![VERSION]);
        out.0.extend(fingerprint);
        out.count(self.keys.len());
        self.keys.iter().for_each(|key| out.value(key));
        out.text(&self.id);
        out.text(&self.collection);
        let checksum = blake3::hash(&out.0);
        out.0.extend(checksum.as_bytes().iter().take(CHECKSUM_BYTES));
        base64::encode(&out.0, base64::URL_SAFE)
    }

    /// The cursor of a text that [`encode`](Self::encode) made for the same fingerprint.
    ///
    /// # Errors
    /// The text is damaged, or belongs to another statement.
    pub fn decode(text: &str, fingerprint: [u8; 16]) -> Result<Cursor, CursorFault> {
        let bytes = base64::decode(text, base64::URL_SAFE).ok_or(CursorFault::Damaged)?;
        let (body, checksum) =
            bytes.split_at_checked(bytes.len().saturating_sub(CHECKSUM_BYTES)).ok_or(CursorFault::Damaged)?;
        if !blake3::hash(body).as_bytes().starts_with(checksum) {
            return Err(CursorFault::Damaged);
        }
        let Some(([VERSION], rest)) = body.split_first_chunk() else { return Err(CursorFault::Damaged) };
        let (of, rest) = rest.split_first_chunk().ok_or(CursorFault::Damaged)?;
        if *of != fingerprint {
            return Err(CursorFault::OtherStatement);
        }
        let mut input = Input(rest);
        input.cursor().filter(|_| input.0.is_empty()).ok_or(CursorFault::Damaged)
    }
}

impl Plan {
    /// What decides which rows the statement ranks and how: source, filter, probes, metric, order, threshold and what
    /// becomes of equal ids. LIMIT, TOPK and the columns may differ from page to page.
    ///
    /// The first half of the blake3 of a canonical form in which every part carries its length or kind.
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut out = Bytes(Vec::new());
        for patterns in [&self.source.include, &self.source.except] {
            out.count(patterns.len());
            patterns.iter().for_each(|pattern| out.pattern(pattern));
        }
        out.0.push(u8::from(self.filter.is_some()));
        self.filter.iter().for_each(|filter| out.expr(filter));
        out.count(self.probes.len());
        self.probes.iter().for_each(|probe| out.probe(probe));
        out.0.push(self.similarity.map_or(0, |metric| 1 + metric as u8));
        out.count(self.order.len());
        for key in &self.order {
            out.scalar(&key.value);
            out.0.extend([u8::from(key.descending), u8::from(key.nulls_first)]);
        }
        out.value(&self.threshold.map_or(Value::Null, Value::Float));
        out.0.push(u8::from(self.duplicates == Duplicates::KeepNearest));
        let mut fingerprint = [0; 16];
        fingerprint.iter_mut().zip(blake3::hash(&out.0).as_bytes()).for_each(|(to, from)| *to = *from);
        fingerprint
    }
}

/// Parts one after the other, so that no two different sequences of parts are the same bytes.
struct Bytes(Vec<u8>);

impl Bytes {
    fn count(&mut self, count: usize) {
        // Statements and values are far below 4 GiB.
        self.0.extend((count as u32).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend(text.as_bytes());
    }

    fn tagged(&mut self, tag: u8, bytes: [u8; 8]) {
        self.0.push(tag);
        self.0.extend(bytes);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(0),
            Value::Bool(value) => self.0.push(1 + u8::from(*value)),
            Value::Int(value) => self.tagged(3, value.to_le_bytes()),
            Value::Float(value) => self.tagged(4, value.to_bits().to_le_bytes()),
            Value::Time(value) => self.tagged(5, value.to_le_bytes()),
            Value::Text(text) => {
                self.0.push(6);
                self.text(text);
            }
            Value::List(items) => {
                self.0.push(7);
                self.count(items.len());
                items.iter().for_each(|item| self.value(item));
            }
            Value::Object(entries) => {
                self.0.push(8);
                self.count(entries.len());
                for (key, value) in entries {
                    self.text(key);
                    self.value(value);
                }
            }
        }
    }

    fn pattern(&mut self, pattern: &NamePattern) {
        let (tag, name) = match pattern {
            NamePattern::Name(name) => (b'n', name),
            NamePattern::Prefix(prefix) => (b'p', prefix),
        };
        self.0.push(tag);
        self.text(name);
    }

    fn probe(&mut self, probe: &Probe) {
        match probe {
            Probe::Text { text, model } => {
                self.0.extend([b't', u8::from(model.is_some())]);
                self.text(text);
                self.text(model.as_deref().unwrap_or_default());
            }
            Probe::Vector(components) => {
                self.0.push(b'v');
                self.count(components.len());
                components.iter().for_each(|x| self.0.extend(x.to_bits().to_le_bytes()));
            }
        }
    }

    fn scalar(&mut self, value: &Scalar) {
        match value {
            Scalar::Field(field) => {
                self.0.push(b'f');
                self.text(&field.to_string());
            }
            Scalar::Number(number) => {
                self.0.push(b'#');
                self.value(number);
            }
            Scalar::Aggregate(aggregate) => {
                self.0.push(b'g');
                self.text(aggregate.function.name());
                self.text(&aggregate.of.as_ref().map(ToString::to_string).unwrap_or_default());
            }
            Scalar::Negate(inner) => {
                self.0.push(b'n');
                self.scalar(inner);
            }
            Scalar::Binary(left, operator, right) => {
                self.0.extend(operator.symbol().as_bytes());
                self.scalar(left);
                self.scalar(right);
            }
            Scalar::Alias(name) => {
                self.0.push(b'a');
                self.text(&name.text);
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        use std::slice::from_ref;
        match expr {
            Expr::Compare { field, op, value } => self.test(op.symbol(), false, field, from_ref(value)),
            Expr::In { field, values, negated } => self.test("IN", *negated, field, values),
            Expr::Between { field, low, high, negated } => {
                self.test("BETWEEN", *negated, field, from_ref(low));
                self.value(&high.value);
            }
            Expr::Match { field, op, pattern, negated } => {
                self.test(op.symbol(), *negated, field, from_ref(pattern));
            }
            Expr::Contains { field, values, all, negated } => {
                self.test(if *all { "ALL" } else { "ANY" }, *negated, field, values);
            }
            Expr::IsNull { field, negated } => self.test("NULL", *negated, field, &[]),
            Expr::Not(inner) => self.connective("NOT", from_ref(inner)),
            Expr::And(parts) => self.connective("AND", parts),
            Expr::Or(parts) => self.connective("OR", parts),
        }
    }

    fn test(&mut self, operator: &str, negated: bool, field: &FieldRef, values: &[Literal]) {
        self.text(operator);
        self.0.push(u8::from(negated));
        self.text(&field.column.to_string());
        self.count(values.len());
        values.iter().for_each(|literal| self.value(&literal.value));
    }

    fn connective(&mut self, operator: &str, parts: &[Expr]) {
        self.text(operator);
        self.count(parts.len());
        parts.iter().for_each(|part| self.expr(part));
    }
}

/// What is left to be read. Every read is `None` where the bytes do not say what they should.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn cursor(&mut self) -> Option<Cursor> {
        let keys = (0..self.count()?).map(|_| self.value(0)).gather::<Option<_>>()?;
        Some(Cursor { keys, id: self.text()?, collection: self.text()? })
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    fn text(&mut self) -> Option<String> {
        let len = self.count()?;
        std::str::from_utf8(self.take(usize::try_from(len).ok()?)?).ok().map(String::from)
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        Some(match self.take(1)?.first()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(i64::from_le_bytes(self.eight()?)),
            4 => Value::Float(Some(f64::from_le_bytes(self.eight()?)).filter(|number| number.is_finite())?),
            5 => Value::Time(i64::from_le_bytes(self.eight()?)),
            6 => Value::Text(self.text()?),
            7 => Value::List((0..self.count()?).map(|_| self.value(depth + 1)).gather::<Option<_>>()?),
            8 => {
                let mut entries = Vec::new();
                for _ in 0..self.count()? {
                    entries.push((self.text()?, self.value(depth + 1)?));
                }
                Value::Object(Object::from_entries(entries))
            }
            _ => return None,
        })
    }
}
