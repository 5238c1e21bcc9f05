//! Texts across the boundary: UTF-8, with a NUL after the last byte.

use std::sync::OnceLock;

use safer_ffi::prelude::*;

use crate::{code::Code, error::Fault};

/// C's `char`.
pub(crate) type Chars = safer_ffi::c_char;

/// The empty text.
pub(crate) static EMPTY: Text = Text { bytes: None };

const NUL: Chars = safer_ffi::c_char(0);

/// An owned text that C may look at.
#[derive(Debug, Default)]
pub(crate) struct Text {
    bytes: Option<Box<[Chars]>>,
}

impl Text {
    /// A text. One that contains NULs ends, for C, at the first of them, unless its length is asked.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        let bytes = text.as_ref().bytes().map(safer_ffi::c_char).chain([NUL]);
        Self { bytes: Some(bytes.collect()) }
    }

    /// Its first byte. Valid as long as the text.
    pub(crate) fn as_ptr(&self) -> *const Chars {
        static NOTHING: Chars = NUL;
        self.bytes.as_ref().map_or(&raw const NOTHING, |bytes| bytes.as_ptr())
    }

    /// Its length without the NUL at its end.
    pub(crate) fn len(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len().saturating_sub(1))
    }
}

/// A text that is made when C first looks at it.
#[derive(Debug, Default)]
pub(crate) struct LazyText(OnceLock<Text>);

impl LazyText {
    /// The text, made now unless it was before.
    pub(crate) fn get(&self, make: impl FnOnce() -> Text) -> &Text {
        self.0.get_or_init(make)
    }
}

/// A text argument.
pub(crate) fn argument<'a>(name: &str, text: Option<char_p::Ref<'a>>) -> Result<&'a str, Fault> {
    let bytes = text.ok_or_else(|| Fault::null(name))?.to_bytes();
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the argument {name:?} is not UTF-8 at byte {}", error.valid_up_to());
        Fault::new(Code::NotUtf8, message)
    })
}

#[cfg(test)]
pub(crate) fn read<'a>(text: *const Chars) -> &'a str {
    assert!(!text.is_null());
    // SAFETY: tests pass texts of handles that they keep until they are done with the text.
    unsafe { std::ffi::CStr::from_ptr(text.cast()) }.to_str().unwrap()
}
