//! Binding: a condition meets the columns of one collection.
//!
//! Literals become ranges of the column's type or of its dictionary's codes, tests that cannot pass fold away, and
//! what is left needs no text and no conversion any more.

use super::{
    column::TextDictionary,
    keys::{FloatSet, KeySet},
    logic::{Condition, Leaf, Node, Test, ValueSet},
    lower::{self, fold_and, fold_or},
    plain::PlainTest,
    reach::{Reach, float_reach, int_reach, text_reach},
    types,
};
use crate::{
    error::QueryError,
    gather::Gather as _,
    order::Map,
    pattern::Pattern,
    query::{Column, CompareOp, Expr, FieldRef},
    schema::{FieldType, Value},
    time::parse_time,
};

/// What a filter must know of a collection's columns.
pub trait BindSchema {
    /// The type of a metadata field by its dotted path; `None` if the collection lacks it, which makes it null in
    /// every row.
    fn field_type(&self, path: &str) -> Option<FieldType>;

    /// The dictionary of a text column, of the texts in a list column, or of the ids; `None` if it is not resident yet.
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
    /// Texts as they are.
    Plain(PlainTest),
    /// Lists that hold an item that passes; or, negated, none.
    Items(Box<Pass>, bool),
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
    /// What binding would refuse, said by the types of the columns alone: before a collection is left out, so that a
    /// mistake in the condition is one whatever the data.
    ///
    /// # Errors
    /// As [`Filter::bind`].
    pub fn check(&self, schema: &dyn BindSchema) -> Result<(), QueryError> {
        types::check(&self.root, schema)
    }

    /// Binds the condition to a collection.
    ///
    /// # Errors
    /// As [`Filter::bind`].
    pub fn bind(&self, schema: &dyn BindSchema) -> Result<Bind, QueryError> {
        let mut binder = Binder { schema, columns: Map::new(), needs: Map::new() };
        let root = binder.node(&self.root)?;
        if !binder.needs.is_empty() {
            return Ok(Bind::Needs(
                binder.needs.into_entries().into_iter().map(|(column, ())| column).gather(),
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
            Bound::And(parts) => Bound::And(parts.into_iter().map(|part| self.renumber(part)).gather()),
            Bound::Or(parts) => Bound::Or(parts.into_iter().map(|part| self.renumber(part)).gather()),
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
        parts.iter().map(|part| self.node(part)).gather()
    }

    fn leaf(&mut self, leaf: &Leaf<'_>) -> Result<Bound, QueryError> {
        let kind = types::column_kind(leaf, self.schema)?;
        let Some(kind) = kind else {
            return Ok(Bound::Constant(matches!(leaf.test, Test::IsNull { negated: false })));
        };
        let pass = self.pass(leaf, &kind);
        Ok(self.placed(leaf.field, pass))
    }

    /// The rows that pass a test that fits its column; `None` if none does, or a dictionary is missing.
    fn pass(&mut self, leaf: &Leaf<'_>, kind: &FieldType) -> Option<Pass> {
        let field = leaf.field;
        match &leaf.test {
            Test::IsNull { negated } => Some(if *negated { Pass::Present } else { Pass::Null }),
            Test::Compare(_, literal) if literal.value == Value::Null => None,
            Test::Compare(op, literal) => self.compared(field, kind, *op, &literal.value),
            Test::In { set, negated: true, .. } | Test::Contains { set, negated: true, .. } if set.null => {
                None
            }
            Test::In { set, negated, .. } => self.listed(field, kind, set, *negated),
            Test::Match { pattern: Some(Ok(pattern)), negated, .. } => self.matched(field, pattern, *negated),
            Test::Match { .. } => None,
            Test::Contains { set, parts, negated, .. } => match kind {
                FieldType::List(item) => {
                    self.listed(field, item, set, false).and_then(|pass| of_items(pass, *negated))
                }
                _ => self.matched(field, parts, *negated),
            },
        }
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

    fn compared(&mut self, field: &FieldRef, kind: &FieldType, op: CompareOp, value: &Value) -> Option<Pass> {
        Some(match (kind, value) {
            (FieldType::Float, value) => Pass::Float(float_reach(op, value)?),
            (FieldType::Time, Value::Text(text)) => {
                Pass::Int(int_reach(op, &Value::Time(parse_time(text)?))?)
            }
            (FieldType::Bool, Value::Bool(value)) => Pass::Bool((op == CompareOp::Eq) == *value),
            (FieldType::Text, Value::Text(text)) if field.column == Column::Document => {
                Pass::Plain(PlainTest::Compare(op, text.clone()))
            }
            (FieldType::Text, Value::Text(text)) => Pass::Code(text_reach(op, text, self.dictionary(field)?)),
            (_, value) => Pass::Int(int_reach(op, value)?),
        })
    }

    /// Values, or items of lists, in a set.
    fn listed(
        &mut self,
        field: &FieldRef,
        kind: &FieldType,
        set: &ValueSet<'_>,
        negated: bool,
    ) -> Option<Pass> {
        Some(match kind {
            FieldType::Bool => match set.bools {
                [true, true] => lower::all(!negated),
                [false, false] => lower::all(negated),
                [_, holds_true] => Pass::Bool(holds_true != negated),
            },
            FieldType::Float => lower::floats(set, negated),
            FieldType::Int => lower::ints(set, negated),
            FieldType::Time => lower::keys(set.all_times()?.to_vec(), negated),
            _ if field.column == Column::Document => {
                Pass::Plain(PlainTest::In(set.texts.iter().map(|text| String::from(*text)).gather(), negated))
            }
            _ => lower::codes(set, self.dictionary(field)?, negated),
        })
    }

    fn matched(&mut self, field: &FieldRef, pattern: &Pattern, negated: bool) -> Option<Pass> {
        if field.column == Column::Document {
            return Some(Pass::Plain(PlainTest::Match(pattern.clone(), negated)));
        }
        Some(lower::matching(pattern, self.dictionary(field)?, negated))
    }

    fn dictionary(&mut self, field: &FieldRef) -> Option<&dyn TextDictionary> {
        let found = self.schema.dictionary(&field.column);
        if found.is_none() {
            self.needs.get_or_insert(field.column.clone(), ());
        }
        found
    }
}

/// The lists that hold an item that passes; negated, the other lists.
fn of_items(pass: Pass, negated: bool) -> Option<Pass> {
    let item = match pass {
        Pass::Int(Reach::Nothing) | Pass::Float(Reach::Nothing) | Pass::Code(Reach::Nothing) => {
            return negated.then_some(Pass::Present);
        }
        Pass::Int(Reach::Everything) | Pass::Float(Reach::Everything) | Pass::Code(Reach::Everything) => {
            Pass::Present
        }
        pass => pass,
    };
    Some(Pass::Items(Box::new(item), negated))
}
