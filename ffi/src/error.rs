//! The error object: a number, whose turn it is, a message.

use safer_ffi::prelude::*;

use crate::{
    code::{Code, Kind},
    panic::or_default,
    text::{Chars, Text, EMPTY},
    Place,
};

/// Why a call failed. Free it with `portolan_error_free`.
#[derive_ReprC(rename = "portolan_error")]
#[repr(opaque)]
#[derive(Debug)]
pub struct ErrorObject {
    code: u32,
    kind: Kind,
    message: Text,
}

/// A failure on its way out, before the caller's place for it is known to exist.
#[derive(Debug)]
pub(crate) struct Fault {
    code: u32,
    kind: Kind,
    message: String,
}

impl Fault {
    /// A failure of this crate's own.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let kind = if code == Code::Panic { Kind::Internal } else { Kind::Usage };
        Self { code: code as u32, kind, message: message.into() }
    }

    /// An argument that must not be null is.
    pub(crate) fn null(argument: &str) -> Self {
        Self::new(Code::NullArgument, format!("the argument {argument:?} is NULL"))
    }

    /// Puts the failure into the caller's place, if there is one, and gives its number.
    pub(crate) fn report(self, place: Place<'_, ErrorObject>) -> u32 {
        let Self { code, kind, message } = self;
        if let Some(place) = place {
            place.write(Some(Box::new(ErrorObject { code, kind, message: Text::new(message) }).into()));
        }
        code
    }
}

impl From<engine::Error> for Fault {
    fn from(error: engine::Error) -> Self {
        Self { code: error.code(), kind: error.kind().into(), message: error.to_string() }
    }
}

/// The error's number, one of the `PORTOLAN_CODE_` constants; 0 for NULL.
#[ffi_export]
pub fn portolan_error_code(error: Option<&ErrorObject>) -> u32 {
    error.map_or(0, |error| error.code)
}

/// Whose turn it is after the error; `PORTOLAN_KIND_NONE` for NULL.
#[ffi_export]
pub fn portolan_error_kind(error: Option<&ErrorObject>) -> Kind {
    error.map_or(Kind::None, |error| error.kind)
}

/// What happened, where, and what to do, in English; "" for NULL. A view: it lives as long as the error.
#[ffi_export]
pub fn portolan_error_message(error: Option<&ErrorObject>) -> *const Chars {
    error.map_or(EMPTY.as_ptr(), |error| error.message.as_ptr())
}

/// Frees an error and its message. NULL is fine.
#[ffi_export]
pub fn portolan_error_free(error: Option<repr_c::Box<ErrorObject>>) {
    or_default(|| drop(error));
}
