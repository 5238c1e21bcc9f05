//! Short codes for vectors, and scores over codes.
//!
//! A vector is rotated once ([`Rotation`]), and the difference to its cluster's centroid becomes one bit a component
//! ([`encode_signs`]) or a few ([`encode_extended`]). Thirty-two codes stand together in a cell ([`pack_cell`]), which a
//! [`SignQuery`] scans in a few nanoseconds; [`ByteQuery`] scores centroids and rows of bytes, [`ExtendedQuery`] longer
//! codes.
//!
//! All sums over codes are integers, exact on every machine. What is floating is multiplied and added in one order,
//! never fused, so that an estimate has the same bits in native code and in a browser.
//!
//! Sources: RaBitQ, <https://arxiv.org/abs/2405.12497>, for the code of one bit and its unbiased estimate; its
//! extension to more bits, <https://arxiv.org/abs/2409.09913>; scanning with tables in registers after André,
//! Kermarrec and Le Scouarnec, "Cache locality is not enough" (PVLDB 9, 2015) and <https://arxiv.org/abs/1704.07355>.
//!
//! This module chooses no candidates and knows no files: it turns numbers into bytes and bytes into numbers.

mod arch;
mod bytes;
mod cell;
mod extended;
mod integers;
mod lanes;
mod rotation;
mod scalar;
mod scan;
mod signs;
mod tables;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use arch::{kernel_name, prefetch};
pub use bytes::ByteQuery;
pub use cell::{FactorScales, SLOTS, Slot, cell_bytes, pack_cell, unpack_cell};
pub use extended::{ExtendedCode, ExtendedQuery, encode_extended, extended_bytes, pack_extended};
pub use rotation::{Rotation, code_dimension};
pub use scan::{Candidate, Frame, Mask, SignQuery};
pub use signs::{SignCode, SlotFactors, encode_signs, factor_scale};
