//! The native dialect against a brute-force oracle, natively and in wasm.

mod condition;
mod data;
mod expression;
mod oracle;
mod pattern;
mod rank;
mod value;
