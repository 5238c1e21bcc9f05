//! Names as messages show them.
//!
//! Unlike `{:?}` of the standard library this knows no tables of Unicode, which are 4 kB of the compressed wasm
//! module. The pure core uses it for all text that somebody else wrote.

use crate::gather::Gather as _;
use std::fmt::{Display, Formatter, Result, Write};

/// A text in double quotes, with quotes and what cannot be seen escaped.
pub(crate) struct Quoted<'t>(pub &'t str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => f.write_fmt(format_args!("\\{c}"))?,
                c => f.write_str(&escaped(c))?,
            }
        }
        f.write_char('"')
    }
}

/// A character, or its escape if it cannot be seen: controls, and what turns the direction of text or joins it.
pub(crate) fn escaped(c: char) -> String {
    let invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if c.is_control() || invisible { c.escape_default().gather() } else { c.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        for text in [
            "",
            "noun.animal",
            "日本 é",
            "say \"no\" \\ it's",
            "a\tb\r\n\u{7}\u{7f}\u{85}",
            "\u{202e}x\u{feff}",
        ] {
            assert_eq!(Quoted(text).to_string(), format!("{text:?}"));
        }
    }
}
