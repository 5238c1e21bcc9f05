//! Distances between vectors.

use serde::{Deserialize, Serialize};

/// How two vectors are compared. Smaller is nearer for all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, bincode::Encode, bincode::Decode)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// 1 - cos(a, b), from 0 to 2.
    Cosine,
    /// 1 - a.b; may be negative.
    InnerProduct,
    /// The squared Euclidean distance.
    L2,
}
