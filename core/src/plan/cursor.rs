//! Cursors of keyset paging: where the answer to a statement ended, as an opaque text.
//!
//! A cursor holds the ORDER BY values of the last row, its id and its collection, and a hash of the statement's
//! ranking. It stays right when records are added or removed, because it names a place in the order and not a number
//! of rows. It is no secret and grants nothing: it only says where to go on.

use crate::schema::Value;

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
