//! The library's version, to be compared with the header's.

use safer_ffi::prelude::*;

use crate::text::Chars;

/// The version with a NUL at its end.
static VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The library's version, such as "0.1.0". The header's is `PORTOLAN_VERSION`. Never freed.
#[ffi_export]
pub fn portolan_version() -> *const Chars {
    VERSION.as_ptr().cast()
}

/// The library's version as a number that grows: major * 1000000 + minor * 1000 + patch. The header's is
/// `PORTOLAN_VERSION_NUMBER`.
#[ffi_export]
pub fn portolan_version_number() -> u32 {
    const {
        number(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
            + number(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
            + number(env!("CARGO_PKG_VERSION_PATCH"))
    }
}

/// The number that decimal digits spell.
const fn number(digits: &str) -> u32 {
    let (digits, mut value, mut place) = (digits.as_bytes(), 0, 0);
    while place < digits.len() {
        value = value * 10 + (digits[place] - b'0') as u32;
        place += 1;
    }
    value
}
