//! What lies between the rows that searches found and the answer: values in order, calculated columns, aggregates,
//! and the rankings MMR and RRF.
//!
//! Pure functions over values, distances and numbers of rows. They know no collection, no file and no statement's
//! course: the router says which rows there are, these say in which order and with which values. Everything is
//! calculated in one fixed order, so that native code and wasm agree to the last bit.

mod mmr;
mod order;
mod rrf;
mod scalar;
mod tally;

#[cfg(test)]
mod tests;

pub use mmr::mmr;
pub use order::{order_rows, order_values};
pub use rrf::rrf;
pub use scalar::evaluate;
pub use tally::Tally;
