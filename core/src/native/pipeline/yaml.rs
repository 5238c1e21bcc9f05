//! Writing YAML: JSON values as block mappings and sequences, for people and for programs.
//!
//! Texts are always quoted: a quoted JSON string is a YAML string, once the characters that YAML does not let stand are
//! escaped. It reads nothing.

use std::fmt::Write;

use serde_json::Value as Json;

/// The value as a YAML document.
pub fn document(value: &Json) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Json, depth: usize) {
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                indent(out, depth);
                out.push_str(&plain(key));
                out.push(':');
                below(out, value, depth + 1);
            }
        }
        Json::Array(items) if !items.is_empty() => {
            for item in items {
                indent(out, depth);
                out.push('-');
                below(out, item, depth + 1);
            }
        }
        scalar => {
            indent(out, depth);
            out.push_str(&text(scalar));
            out.push('\n');
        }
    }
}

/// A value after its key or dash: on the same line if it is one.
fn below(out: &mut String, value: &Json, depth: usize) {
    let block = match value {
        Json::Object(fields) => !fields.is_empty(),
        Json::Array(items) => !items.is_empty(),
        _ => false,
    };
    if block {
        out.push('\n');
        write(out, value, depth);
    } else {
        // Writing to a String cannot fail.
        let _ = writeln!(out, " {}", text(value));
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// A key: as it is where that is safe.
fn plain(key: &str) -> String {
    let safe = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    // Words that YAML 1.1 takes for something else.
    let word = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&key);
    if safe && !word { key.into() } else { text(&Json::String(key.into())) }
}

fn text(value: &Json) -> String {
    let Json::String(_) = value else { return value.to_string() };
    let mut out = String::new();
    for c in value.to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_blocks_and_texts_quoted() {
        let value = json!({"reason": "no", "n": 3, "batch": {"size": 2}, "rows": [{"id": "a: #b\n\u{85}", "ok": null}, []], "none": {}});
        let expected = "reason: \"no\"\n\"n\": 3\nbatch:\n  size: 2\nrows:\n  -\n    id: \"a: #b\\n\\u0085\"\n    ok: null\n  - []\nnone: {}\n";
        assert_eq!(document(&value), expected);
    }
}
