//! The writable side.

pub mod embed;
