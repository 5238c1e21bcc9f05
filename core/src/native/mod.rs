//! The writable side.
