//! Errors as JavaScript sees them.

use portolan::{Error, ErrorKind, error::QueryError};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An `Error` of JavaScript. Only what has a `code` is an answer of the engine; anything else that comes out of
    /// a call is a trap.
    #[wasm_bindgen(js_name = Error)]
    pub type Failure;

    #[wasm_bindgen(constructor, js_class = "Error")]
    fn new(message: &str) -> Failure;

    #[wasm_bindgen(method, setter, structural)]
    fn set_code(this: &Failure, code: u32);

    #[wasm_bindgen(method, setter, structural)]
    fn set_kind(this: &Failure, kind: &str);

    #[wasm_bindgen(method, setter, structural)]
    fn set_line(this: &Failure, line: u32);

    #[wasm_bindgen(method, setter, structural)]
    fn set_column(this: &Failure, column: u32);
}

/// A call that no statement can cause: the package's own mistake. The number is the package's `wrongArgument`.
const MISUSE: u32 = 7005;

impl Failure {
    /// The package called the engine wrongly.
    pub fn misuse(message: &str) -> Self {
        Self::coded(message, MISUSE, ErrorKind::Usage)
    }

    fn coded(message: &str, code: u32, kind: ErrorKind) -> Self {
        let failure = Self::new(message);
        failure.set_code(code);
        failure.set_kind(kind_name(kind));
        failure
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::coded(&error.to_string(), error.code(), error.kind());
        if let Error::Query(error) = &error {
            failure.set_line(error.line());
            failure.set_column(error.column());
        }
        failure
    }
}

/// The names that the package documents.
fn kind_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "usage",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Damaged => "damaged",
        _ => "io",
    }
}
