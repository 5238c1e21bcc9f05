//! The writable side: everything that may use threads, files, tokio and Lance.
//!
//! Use it where collections are built: a [`store`] keeps them, a [`pipeline`] fills
//! them, a [`release`] carries them; [`vectors`] reads what others have computed. Nothing outside this module imports it,
//! so that reading and searching stay free of all of that.

pub mod embed;
mod memory;
pub mod pipeline;
pub mod release;
pub mod store;
pub mod vectors;

pub use memory::peak_memory;
