//! The engine for JavaScript: one class over the sans-I/O core, for browsers, workers and node.
//!
//! The package in `bindings/js` is what programs use; it fetches what [`Engine::step`] asks for. Everything crosses
//! as bytes and plain values, so the engine is the only object that has to be freed. No function panics: an
//! error is thrown as a JavaScript `Error` with `code` and `kind`. Nothing here does I/O.

mod clock;
mod engine;
mod failure;
mod request;
mod value;

pub use engine::Engine;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
