//! The error object: a number, whose turn it is, a message.

use std::fmt::Display;

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
    spot: Option<Spot>,
}

/// Where in a statement, and what to write instead.
#[derive(Debug)]
struct Spot {
    line: u32,
    column: u32,
    hint: Text,
}

/// A failure on its way out, before the caller's place for it is known to exist.
#[derive(Debug)]
pub(crate) struct Fault {
    code: u32,
    kind: Kind,
    message: String,
    spot: Option<Spot>,
}

impl Fault {
    /// A failure of this crate's own.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let kind = if code == Code::Panic { Kind::Internal } else { Kind::Usage };
        Self { code: code as u32, kind, message: message.into(), spot: None }
    }

    /// An argument is not what it must be, for a reason that goes on from its name.
    pub(crate) fn argument(argument: &str, reason: impl Display) -> Self {
        Self::new(Code::BadArgument, format!("the argument {argument:?}: {reason}"))
    }

    /// An argument that must not be null is.
    pub(crate) fn null(argument: &str) -> Self {
        Self::new(Code::NullArgument, format!("the argument {argument:?} is NULL"))
    }

    /// Puts the failure into the caller's place, if there is one, and gives its number.
    pub(crate) fn report(self, out: Place<'_, ErrorObject>) -> u32 {
        let Self { code, kind, message, spot } = self;
        if let Some(out) = out {
            out.write(Some(Box::new(ErrorObject { code, kind, message: Text::new(message), spot }).into()));
        }
        code
    }
}

impl From<engine::Error> for Fault {
    fn from(error: engine::Error) -> Self {
        let spot = match &error {
            engine::Error::Query(error) => {
                let hint = Some(error.hint()).filter(|hint| !hint.is_empty()).map(Text::new);
                Some(Spot { line: error.line(), column: error.column(), hint: hint.unwrap_or_default() })
            }
            _ => None,
        };
        Self { code: error.code(), kind: error.kind().into(), message: error.to_string(), spot }
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

/// The line of the statement where it is wrong, from 1; 0 for an error that is not about the statement's text.
#[ffi_export]
pub fn portolan_error_line(error: Option<&ErrorObject>) -> u32 {
    spot(error).map_or(0, |spot| spot.line)
}

/// The column of that line, from 1, in characters; 0 for an error that is not about the statement's text.
#[ffi_export]
pub fn portolan_error_column(error: Option<&ErrorObject>) -> u32 {
    spot(error).map_or(0, |spot| spot.column)
}

/// What to write instead, which is also the end of the message; "" where there is no more to say. A view: it lives as
/// long as the error.
#[ffi_export]
pub fn portolan_error_hint(error: Option<&ErrorObject>) -> *const Chars {
    spot(error).map_or(EMPTY.as_ptr(), |spot| spot.hint.as_ptr())
}

fn spot(error: Option<&ErrorObject>) -> Option<&Spot> {
    error.and_then(|error| error.spot.as_ref())
}

/// Frees an error and its message. NULL is fine.
#[ffi_export]
pub fn portolan_error_free(error: Option<repr_c::Box<ErrorObject>>) {
    or_default(|| drop(error));
}
