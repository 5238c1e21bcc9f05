//! The time, for reports and EXPLAIN ANALYZE: the host's, for the engine has none.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Caught because a host without `performance` can do without times, not without answers.
    #[wasm_bindgen(catch, js_namespace = performance)]
    fn now() -> Result<f64, JsValue>;
}

/// Microseconds since some moment; always 0 where the host has no `performance`.
pub fn micros() -> u64 {
    now().map_or(0, |millis| (millis * 1000.0) as u64)
}
