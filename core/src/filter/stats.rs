//! What is known of a collection without reading its rows: enough to leave it out, or to guess how many rows pass.

use super::sketch::Sketch;
use crate::{query::Column, schema::Value};

/// What is known of one field over all rows of a collection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldStats {
    /// The dotted path inside `metadata`; `id` for [`CollectionStats::id`].
    pub path: String,
    /// How many rows have no value.
    pub nulls: u64,
    /// A lower bound of all values: no value is smaller. `None`: not known.
    pub min: Option<Value>,
    /// An upper bound of all values: no value is larger. `None`: not known.
    pub max: Option<Value>,
    /// Every value that occurs, if they are few. `None`: not known.
    pub distinct: Option<Vec<Value>>,
    /// Whether bounds, values and sketch are those of the items of lists. Nulls are always those of whole rows.
    pub items: bool,
    /// A set that every value is in. `None`: not known.
    pub sketch: Option<Sketch>,
}

/// What is known of a collection. A metadata field that `fields` does not list has no value in any row: leave a
/// field out only if that is so.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CollectionStats {
    /// How many rows.
    pub rows: u64,
    /// The ids; `None`: not known.
    pub id: Option<FieldStats>,
    /// The metadata fields.
    pub fields: Vec<FieldStats>,
}

/// What is known of one column.
pub(super) enum Known<'a> {
    /// Nothing.
    Nothing,
    /// It has no value in any row.
    AllNull,
    /// This.
    Stats(&'a FieldStats),
}

impl CollectionStats {
    pub(super) fn of(&self, column: &Column) -> Known<'_> {
        let stats = match column {
            Column::Metadata(path) => match self.fields.iter().find(|field| field.path == *path) {
                None => return Known::AllNull,
                found => found,
            },
            Column::Id => self.id.as_ref(),
            _ => None,
        };
        match stats {
            None => Known::Nothing,
            Some(stats) if stats.nulls >= self.rows => Known::AllNull,
            Some(stats) => Known::Stats(stats),
        }
    }
}
