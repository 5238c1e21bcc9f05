//! Embedders that need files, a model runtime or a network: one file each.

mod static_folder;

pub use static_folder::load_static;
