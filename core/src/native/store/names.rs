//! How collections and fields are named in Lance: see the rules in [`super`].
//!
//! The escapes are injective, also where file systems fold case. Nothing ever decodes a name: the real ones stand
//! in `meta` and in column metadata.

use std::fmt::Write;

use crate::error::StoreError;

/// The table of settings.
pub const META: &str = "meta";
/// The table of cached vectors.
pub const CACHE: &str = "emb_cache";

/// Longest name of a collection, in bytes.
const MAX_NAME_BYTES: usize = 255;
/// Longest escaped name before its end is replaced by a hash: Lance allows 128 bytes, the longest prefix is
/// `embeddings.` with 16 digits and a dot.
const MAX_ESCAPED_BYTES: usize = 128 - 28;

/// Refuses names no collection can have.
///
/// # Errors
/// [`StoreError::BadName`] for empty names, names over 255 bytes and control characters.
pub fn check(name: &str) -> Result<(), StoreError> {
    let refuse = |reason| Err(StoreError::BadName { name: name.chars().take(64).collect(), reason });
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.len() > MAX_NAME_BYTES {
        return refuse("it has more than 255 bytes");
    }
    if name.chars().any(char::is_control) {
        return refuse("it has a control character");
    }
    Ok(())
}

/// The documents table of a collection.
pub fn documents(collection: &str) -> String {
    format!("documents.{}", escape(collection))
}

/// The embeddings table of a collection and an embedder. The fingerprint is hashed again, because callers may
/// bring any text as one.
pub fn embeddings(collection: &str, fingerprint: &str) -> String {
    let short = &blake3::hash(fingerprint.as_bytes()).to_hex()[..16];
    format!("embeddings.{short}.{}", escape(collection))
}

/// The column of a metadata field.
pub fn column(path: &str) -> String {
    let mut name = String::from("m_");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => name.push(char::from(byte)),
            other => push_hex(&mut name, '$', other),
        }
    }
    name
}

fn escape(collection: &str) -> String {
    let mut name = String::new();
    for byte in collection.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' => name.push(char::from(byte)),
            other => push_hex(&mut name, '-', other),
        }
    }
    if name.len() > MAX_ESCAPED_BYTES {
        name.truncate(MAX_ESCAPED_BYTES - 34);
        name.push_str("-h");
        name.push_str(&blake3::hash(collection.as_bytes()).to_hex()[..32]);
    }
    name
}

fn push_hex(name: &mut String, mark: char, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(name, "{mark}{byte:02x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_becomes_a_legal_and_distinct_table() {
        let long = "ü".repeat(127);
        let names = ["noun.Tops", "noun.tops", "a/b", "a-2fb", "..", "日本 語", &long, &long[2..], "a'b"];
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            assert!(check(name).is_ok(), "{name}");
            let table = embeddings(name, "f");
            assert!(table.len() <= 128);
            assert!(table.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{table}");
            assert!(seen.insert(table.to_lowercase()), "{name} collides");
        }
        assert_eq!(documents("noun.Tops"), "documents.noun.-54ops");
    }

    #[test]
    fn empty_long_and_control_names_are_refused() {
        for name in ["", &"x".repeat(256), "a\nb"] {
            assert!(matches!(check(name), Err(StoreError::BadName { .. })));
        }
    }

    #[test]
    fn columns_have_no_dots() {
        assert_eq!(column("author.name"), "m_author$2ename");
        assert_ne!(column("a$2eb"), column("a.b"));
    }
}
