//! Binding: a condition meets the columns of one collection.
//!
//! Literals become ranges of the column's type or of its dictionary's codes, tests that cannot pass fold away, and
//! what is left needs no text and no conversion any more.

use super::{
    column::TextDictionary,
    keys::{FloatSet, KeySet},
    logic::{Condition, Leaf, Node, Test, ValueSet},
    lower::{self, fold_and, fold_or},
    reach::{Reach, float_reach, int_reach, text_reach},
    types::{bool_order, fits, list_error, mismatch, time},
};
use crate::{
    error::QueryError,
    order::Map,
    query::{Column, CompareOp, Expr, FieldRef, Literal},
    schema::{FieldType, Value},
};

/// What a filter must know of a collection's columns.
pub trait BindSchema {
    /// The type of a metadata field by its dotted path; `None` if the collection lacks it, which makes it null in
    /// every row.
    fn field_type(&self, path: &str) -> Option<FieldType>;

    /// The dictionary of a text column, or of the ids; `None` if it is not resident yet.
    fn dictionary(&self, column: &Column) -> Option<&dyn TextDictionary>;
}

/// The outcome of binding.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// The filter can run.
    Ready(Filter),
    /// The dictionaries of these columns are needed first. Make them resident and bind again.
    Needs(Vec<Column>),
}

/// A condition bound to the columns of one collection. Owns all it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub(super) columns: Vec<Column>,
    pub(super) root: Bound,
}

/// A bound condition. Columns are positions in [`Filter::columns`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bound {
    Constant(bool),
    Leaf(usize, Pass),
    And(Vec<Bound>),
    Or(Vec<Bound>),
}

/// Which rows of a column pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pass {
    Null,
    Present,
    Bool(bool),
    Int(Reach<i64>),
    Float(Reach<f64>),
    Code(Reach<u32>),
    /// Integers, times or codes in a set, or not in it.
    Keys(KeySet, bool),
    Floats(FloatSet, bool),
}

impl Filter {
    /// Binds `expr` to a collection.
    ///
    /// # Errors
    /// Kinds 12xx: a literal does not fit its column's type, or the column cannot be filtered.
    pub fn bind(expr: &Expr, schema: &dyn BindSchema) -> Result<Bind, QueryError> {
        Condition::new(expr).bind(schema)
    }

    /// The columns that [`evaluate`](Self::evaluate) reads, in the order in which it wants their blocks.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// `Some` if every row passes, or none, whatever the columns hold.
    pub fn constant(&self) -> Option<bool> {
        match self.root {
            Bound::Constant(value) => Some(value),
            _ => None,
        }
    }
}

impl Condition<'_> {
    /// Binds the condition to a collection.
    ///
    /// # Errors
    /// As [`Filter::bind`].
    pub fn bind(&self, schema: &dyn BindSchema) -> Result<Bind, QueryError> {
        let mut binder = Binder { schema, columns: Map::new(), needs: Map::new() };
        let root = binder.node(&self.root)?;
        if !binder.needs.is_empty() {
            return Ok(Bind::Needs(
                binder.needs.into_entries().into_iter().map(|(column, ())| column).collect(),
            ));
        }
        let mut kept = Kept { positions: vec![None; binder.columns.len()], count: 0 };
        let root = kept.renumber(root);
        let mut columns = vec![Column::Id; kept.count];
        for (column, position) in binder.columns.into_entries() {
            let place =
                kept.positions.get(position).copied().flatten().and_then(|next| columns.get_mut(next));
            if let Some(place) = place {
                *place = column;
            }
        }
        Ok(Bind::Ready(Filter { columns, root }))
    }
}

/// The columns still read after folding: their new positions, by the old ones.
struct Kept {
    positions: Vec<Option<usize>>,
    count: usize,
}

impl Kept {
    fn renumber(&mut self, node: Bound) -> Bound {
        match node {
            Bound::Constant(value) => Bound::Constant(value),
            Bound::Leaf(column, pass) => Bound::Leaf(self.position(column), pass),
            Bound::And(parts) => Bound::And(parts.into_iter().map(|part| self.renumber(part)).collect()),
            Bound::Or(parts) => Bound::Or(parts.into_iter().map(|part| self.renumber(part)).collect()),
        }
    }

    fn position(&mut self, column: usize) -> usize {
        match self.positions.get_mut(column) {
            Some(Some(position)) => *position,
            Some(place) => {
                let next = self.count;
                *place = Some(next);
                self.count += 1;
                next
            }
            None => column,
        }
    }
}

struct Binder<'s> {
    schema: &'s dyn BindSchema,
    columns: Map<Column, usize>,
    needs: Map<Column, ()>,
}

impl Binder<'_> {
    fn node(&mut self, node: &Node<'_>) -> Result<Bound, QueryError> {
        match node {
            Node::Leaf(leaf) => self.leaf(leaf),
            Node::And(parts) => Ok(fold_and(self.nodes(parts)?)),
            Node::Or(parts) => Ok(fold_or(self.nodes(parts)?)),
        }
    }

    fn nodes(&mut self, parts: &[Node<'_>]) -> Result<Vec<Bound>, QueryError> {
        parts.iter().map(|part| self.node(part)).collect()
    }

    fn leaf(&mut self, leaf: &Leaf<'_>) -> Result<Bound, QueryError> {
        let kind = match &leaf.field.column {
            Column::Metadata(path) => self.schema.field_type(path),
            _ => Some(FieldType::Text),
        };
        let Some(kind) = kind else {
            return Ok(Bound::Constant(matches!(leaf.test, Test::IsNull { negated: false })));
        };
        if let FieldType::List(_) = kind {
            return Err(list_error(leaf.field));
        }
        let pass = match &leaf.test {
            Test::IsNull { negated } => Some(if *negated { Pass::Present } else { Pass::Null }),
            Test::Compare(_, literal) if literal.value == Value::Null => None,
            Test::Compare(op, literal) => self.compared(leaf.field, &kind, *op, literal)?,
            Test::In { values, set, negated } => {
                let pass = self.listed(leaf.field, &kind, values, set, *negated)?;
                pass.filter(|_| !(set.null && *negated))
            }
        };
        Ok(self.placed(leaf.field, pass))
    }

    /// A test of a column; `None` passes nothing.
    fn placed(&mut self, field: &FieldRef, pass: Option<Pass>) -> Bound {
        let pass = match pass {
            None
            | Some(Pass::Int(Reach::Nothing) | Pass::Float(Reach::Nothing) | Pass::Code(Reach::Nothing)) => {
                return Bound::Constant(false);
            }
            Some(
                Pass::Int(Reach::Everything) | Pass::Float(Reach::Everything) | Pass::Code(Reach::Everything),
            ) => Pass::Present,
            Some(pass) => pass,
        };
        let next = self.columns.len();
        Bound::Leaf(*self.columns.get_or_insert(field.column.clone(), next), pass)
    }

    fn compared(
        &mut self,
        field: &FieldRef,
        kind: &FieldType,
        op: CompareOp,
        literal: &Literal,
    ) -> Result<Option<Pass>, QueryError> {
        let mismatch = || mismatch(field, kind, literal);
        Ok(Some(match (kind, &literal.value) {
            (_, value) if !fits(kind, value) => return Err(mismatch()),
            (FieldType::Int, value) => Pass::Int(int_reach(op, value).ok_or_else(mismatch)?),
            (FieldType::Float, value) => Pass::Float(float_reach(op, value).ok_or_else(mismatch)?),
            (FieldType::Time, value) => {
                let micros = Value::Time(time(field, value, literal)?);
                Pass::Int(int_reach(op, &micros).ok_or_else(mismatch)?)
            }
            (FieldType::Bool, Value::Bool(value)) => match op {
                CompareOp::Eq => Pass::Bool(*value),
                CompareOp::Ne => Pass::Bool(!*value),
                _ => return Err(bool_order(field)),
            },
            (FieldType::Text, Value::Text(text)) => match self.dictionary(field) {
                Some(dictionary) => Pass::Code(text_reach(op, text, dictionary)),
                None => return Ok(None),
            },
            _ => return Err(mismatch()),
        }))
    }

    fn listed(
        &mut self,
        field: &FieldRef,
        kind: &FieldType,
        values: &[Literal],
        set: &ValueSet<'_>,
        negated: bool,
    ) -> Result<Option<Pass>, QueryError> {
        if let Some(wrong) = values.iter().find(|literal| !fits(kind, &literal.value)) {
            return Err(mismatch(field, kind, wrong));
        }
        Ok(Some(match kind {
            FieldType::Bool => match set.bools {
                [true, true] => lower::all(!negated),
                [false, false] => lower::all(negated),
                [_, holds_true] => Pass::Bool(holds_true != negated),
            },
            FieldType::Float => lower::floats(set, negated),
            FieldType::Int => lower::ints(set, negated),
            FieldType::Time => {
                for literal in values {
                    if literal.value != Value::Null {
                        time(field, &literal.value, literal)?;
                    }
                }
                lower::keys(set.all_times().unwrap_or_default(), negated)
            }
            _ => match self.dictionary(field) {
                Some(dictionary) => lower::codes(set, dictionary, negated),
                None => return Ok(None),
            },
        }))
    }

    fn dictionary(&mut self, field: &FieldRef) -> Option<&dyn TextDictionary> {
        let found = self.schema.dictionary(&field.column);
        if found.is_none() {
            self.needs.get_or_insert(field.column.clone(), ());
        }
        found
    }
}
