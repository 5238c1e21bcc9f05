//! The words of the language, and how names and texts are written so that they parse again.

/// Clauses that this version knows, for suggestions.
pub(super) const CLAUSES: [&str; 6] = ["FROM", "USING", "WHERE", "TOPK", "LIMIT", "OFFSET"];

/// Words that begin a clause of the full language which this version does not run, with the clause's name.
const LATER_CLAUSES: [(&str, &str); 15] = [
    ("WHERE_DOCUMENT", "WHERE_DOCUMENT"),
    ("SIMILARITY", "SIMILARITY"),
    ("ORDER", "ORDER BY"),
    ("RERANK", "RERANK BY"),
    ("WITH", "WITH SCORE THRESHOLD"),
    ("GROUP", "GROUP BY"),
    ("HAVING", "HAVING"),
    ("RECALL", "RECALL"),
    ("CANDIDATES", "CANDIDATES"),
    ("AFTER", "AFTER"),
    ("EXCEPT", "EXCEPT"),
    ("FUSE", "FUSE BY"),
    ("AS", "an alias of a collection"),
    ("JOIN", "JOIN"),
    ("UNION", "UNION"),
];

/// Words that stand between a field and a value in the full language, with the test's name.
const LATER_TESTS: [(&str, &str); 8] = [
    ("LIKE", "LIKE"),
    ("ILIKE", "ILIKE"),
    ("REGEX", "REGEX"),
    ("CONTAINS", "CONTAINS"),
    ("MATCH", "MATCH"),
    ("STARTS", "STARTS WITH"),
    ("ANY", "ANY"),
    ("ALL", "ALL"),
];

/// The clause of the full language that `word` begins, if this version lacks it.
pub(super) fn later_clause(word: &str) -> Option<&'static str> {
    find(&LATER_CLAUSES, word)
}

/// The test of the full language that `word` begins, if this version lacks it.
pub(super) fn later_test(word: &str) -> Option<&'static str> {
    find(&LATER_TESTS, word)
}

fn find(words: &[(&'static str, &'static str)], word: &str) -> Option<&'static str> {
    words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, name)| *name)
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
