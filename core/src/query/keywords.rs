//! The words of the language, and how names and texts are written so that they parse again.

use super::scalar::is_field;

/// The first words of the clauses, for suggestions.
pub(super) const CLAUSE_WORDS: [&str; 19] = [
    "FROM",
    "USING",
    "WHERE",
    "WHERE_DOCUMENT",
    "SIMILARITY",
    "TOPK",
    "ORDER",
    "GROUP",
    "LIMIT",
    "OFFSET",
    "RERANK",
    "FUSE",
    "WITH",
    "ON",
    "RECALL",
    "CANDIDATES",
    "AFTER",
    "EXCEPT",
    "AS",
];

/// Words that SQL has where a clause could begin, with what to write instead.
pub(super) const FOREIGN: [(&str, &str); 3] = [
    ("HAVING", "filter the groups in the program"),
    ("JOIN", "list the collections after FROM: their rows are merged"),
    ("UNION", "list the collections after FROM: their rows are merged"),
];

/// The first 40 bytes of a word, for messages; nothing if a character would be cut.
pub(super) fn clip(word: &str) -> &str {
    word.get(..word.len().min(40)).unwrap_or_default()
}

/// Whether `name` can stand in a statement without quotes: a letter or `_`, then letters, digits and `_`, ASCII.
pub fn is_plain_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|b| !b.is_ascii_digit())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// `name` as a statement must write it: dotted plain names as they are, anything else in double quotes.
pub fn quote_name(name: &str) -> String {
    if name.split('.').all(is_plain_name) { String::from(name) } else { quote(name, '"') }
}

/// The name of an output column as ORDER BY must write it.
pub(crate) fn quote_alias(name: &str) -> String {
    if is_plain_name(name) && !is_field(name) { String::from(name) } else { quote(name, '"') }
}

/// `text` as a statement must write it: in single quotes, with escapes where needed.
pub fn quote_text(text: &str) -> String {
    quote(text, '\'')
}

fn quote(text: &str, mark: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(mark);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            // Not only those that the language refuses in strings: what is quoted is printed on terminals.
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            '\\' => out.push_str("\\\\"),
            c if c == mark => out.extend([mark, mark]),
            c => out.push(c),
        }
    }
    out.push(mark);
    out
}
