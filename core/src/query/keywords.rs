//! The words of the language, and how names and texts are written so that they parse again.

/// Clauses that this version knows, for suggestions.
pub(super) const CLAUSES: [&str; 6] = ["FROM", "USING", "WHERE", "TOPK", "LIMIT", "OFFSET"];

/// Words that begin a clause of the full language which this version does not run.
const LATER_CLAUSES: [&str; 15] = [
    "WHERE_DOCUMENT",
    "SIMILARITY",
    "ORDER",
    "RERANK",
    "WITH",
    "GROUP",
    "HAVING",
    "RECALL",
    "CANDIDATES",
    "AFTER",
    "EXCEPT",
    "FUSE",
    "AS",
    "JOIN",
    "UNION",
];

/// Words that stand between a field and a value in the full language.
const LATER_TESTS: [&str; 8] = ["LIKE", "ILIKE", "REGEX", "CONTAINS", "MATCH", "STARTS", "ANY", "ALL"];

/// The clause of the full language that `word` begins, if this version lacks it.
pub(super) fn later_clause(word: &str) -> Option<&'static str> {
    find(&LATER_CLAUSES, word)
}

/// The test of the full language that `word` names, if this version lacks it.
pub(super) fn later_test(word: &str) -> Option<&'static str> {
    find(&LATER_TESTS, word)
}

fn find(words: &[&'static str], word: &str) -> Option<&'static str> {
    words.iter().find(|known| known.eq_ignore_ascii_case(word)).copied()
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
            '\0' => out.push_str("\\x00"),
            '\\' => out.push_str("\\\\"),
            c if c == mark => out.extend([mark, mark]),
            c => out.push(c),
        }
    }
    out.push(mark);
    out
}
