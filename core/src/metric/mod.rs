//! Distances between vectors, and the bytes in which vectors are stored.
//!
//! [`check_vector`] is the door: what passes it has a finite score against everything else that passed it. Then
//! [`encode_row`] makes stored bytes, and a [`Scorer`] compares one query with many stored rows.
//!
//! Every kernel adds in the one order that `scalar.rs` lays down, so a score has the same bits on every machine. This
//! module does not choose which rows to score, and does not know files.

mod arch;
mod scalar;
mod scorer;
mod vector;

use serde::{Deserialize, Serialize};

pub use arch::kernel_name;
pub(crate) use scalar::widen as widen_half;
#[cfg(any(
    all(target_arch = "aarch64", target_feature = "neon"),
    all(target_arch = "wasm32", target_feature = "simd128")
))]
pub(crate) use scalar::{TWO_POW_112, WIDENED_BITS};
pub use scorer::Scorer;
pub use vector::{check_encodable, check_vector, decode_row, encode_row, normalize};

/// How two vectors are compared. Smaller is nearer for all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// 1 - cos(a, b), from 0 to 2.
    Cosine,
    /// 1 - a.b; may be negative.
    InnerProduct,
    /// The squared Euclidean distance.
    L2,
}

/// How the components of a stored vector row are written, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// IEEE single precision: exact.
    F32,
    /// IEEE half precision: 11 significant bits, magnitudes up to 65504.
    F16,
    /// A scale for the row as f32, then a signed byte a component, from -127 to 127, filled up with zeros to a multiple
    /// of four bytes: a component is scale x byte.
    I8,
    /// Not at all: such rows have codes at most.
    None,
}

impl Encoding {
    /// The number of bytes of a row of so many components.
    pub const fn row_bytes(self, dimension: usize) -> usize {
        match self {
            Self::F32 => dimension.saturating_mul(4),
            Self::F16 => dimension.saturating_mul(2),
            Self::I8 => dimension.saturating_add(7) & !3,
            Self::None => 0,
        }
    }
}
