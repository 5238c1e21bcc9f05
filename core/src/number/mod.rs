//! Floats as decimal text and back, exactly: the same numbers and the same text as the standard library's.
//!
//! The standard library is fast with the help of tables that are a tenth of the compressed wasm module. Here every
//! digit is computed with whole numbers of any length, which takes microseconds. Native code that reads or writes
//! many numbers uses the standard library; arithmetic has no business here.

mod big;
mod read;
mod show;
#[cfg(test)]
mod tests;

pub use read::{parse_f32, parse_f64};
pub use show::{Shown, literal};

/// How a binary float is made.
#[derive(Clone, Copy)]
struct Format {
    /// The bits of a full significand, the leading one included.
    precision: u32,
    /// The exponent of the smallest number whose significand is full.
    min_exponent: i32,
}

const F64: Format = Format { precision: 53, min_exponent: -1022 };
const F32: Format = Format { precision: 24, min_exponent: -126 };
