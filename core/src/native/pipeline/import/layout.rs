//! How the lines of an import are to be read: where they go, and what their keys mean.

use crate::native::pipeline::CollectionRule;

/// The key of the text, unless another one is named.
const DOCUMENT: &str = "document";

/// What all lines of an import share.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Where records go; `None`: each line says it in `collection`.
    pub collection: Option<CollectionRule>,
    /// The key of the text, if it is not `document`.
    pub document: Option<String>,
    /// Whether the vectors come in a file of their own.
    pub vectors_beside: bool,
}

impl Layout {
    /// The key of the text.
    pub fn document(&self) -> &str {
        self.document.as_deref().unwrap_or(DOCUMENT)
    }

    /// Whether further keys of a line are metadata. Lines that were written for an import have none, so there they are
    /// mistakes; records that were written for something else are taken as they are.
    pub fn is_plain(&self) -> bool {
        self.collection.is_some() || self.document.is_some() || self.vectors_beside
    }
}
