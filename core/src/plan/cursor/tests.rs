//! Cursors come back as they went, or not at all; fingerprints tell statements apart.

use std::collections::BTreeSet;

use super::*;
use crate::{
    metric::Metric,
    plan::OrderKey,
    query::{Field, MatchOp},
};

const MINE: [u8; 16] = *b"0123456789abcdef";

fn cursor() -> Cursor {
    let object = [("a".into(), Value::Null), ("é".into(), Value::List(vec![Value::Int(0)]))];
    let keys = vec![
        Value::Null,
        Value::Bool(false),
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Int(-1),
        Value::Float(-0.0),
        Value::Float(5e-324),
        Value::Float(0.1 + 0.2),
        Value::Text("a\0'é\u{10ffff}".into()),
        Value::Text(String::new()),
        Value::Time(i64::MAX),
        Value::List(vec![Value::Text("x".into()), Value::Null, Value::List(vec![])]),
        Value::Object(object.into_iter().collect()),
    ];
    Cursor { keys, id: "id/1".into(), collection: "noun.animal".into() }
}

/// Rust's equality takes 0.0 for -0.0; the text of a value does not.
fn exact(cursor: &Cursor) -> String {
    format!("{cursor:?}")
}

#[test]
fn every_kind_of_value_comes_back_to_the_bit() {
    let text = cursor().encode(MINE);
    assert!(text.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_'));
    let back = Cursor::decode(&text, MINE).expect("a cursor");
    assert_eq!(exact(&back), exact(&cursor()));
    let empty = Cursor { keys: vec![], id: String::new(), collection: String::new() };
    assert_eq!(Cursor::decode(&empty.encode(MINE), MINE), Ok(empty));
}

#[test]
fn every_length_of_text_comes_back() {
    for len in 0..20 {
        let cursor = Cursor { keys: vec![], id: "x".repeat(len), collection: "c".into() };
        assert_eq!(Cursor::decode(&cursor.encode(MINE), MINE), Ok(cursor));
    }
}

#[test]
fn cut_off_or_lengthened_it_is_damaged() {
    let text = cursor().encode(MINE);
    for end in 0..text.len() {
        assert_eq!(Cursor::decode(&text[..end], MINE), Err(CursorFault::Damaged), "cut at {end}");
    }
    for more in ["A", "AA", "AAA", "AAAA", "=", " "] {
        assert_eq!(Cursor::decode(&format!("{text}{more}"), MINE), Err(CursorFault::Damaged), "{more:?}");
    }
}

#[test]
fn with_any_letter_changed_it_is_damaged() {
    // One length of each remainder, so that the last letter has 0, 2 and 4 unused bits.
    for id in ["a", "ab", "abc"] {
        let text = Cursor { keys: vec![Value::Int(7)], id: id.into(), collection: "c".into() }.encode(MINE);
        for place in 0..text.len() {
            for letter in base64::URL_SAFE.iter().chain(b"+/= \x7f") {
                let mut forged = text.clone().into_bytes();
                forged[place] = *letter;
                let forged = String::from_utf8(forged).expect("ASCII");
                if forged != text {
                    let fault = Cursor::decode(&forged, MINE);
                    assert_eq!(fault, Err(CursorFault::Damaged), "{place}: {forged}");
                }
            }
        }
    }
}

#[test]
fn another_statements_cursor_is_said_to_be_that() {
    let text = cursor().encode(MINE);
    let mut other = MINE;
    other[15] ^= 1;
    assert_eq!(Cursor::decode(&text, other), Err(CursorFault::OtherStatement));
    let damaged = format!("B{}", &text[1..]);
    assert_eq!(Cursor::decode(&damaged, other), Err(CursorFault::Damaged));
}

/// A text with a right checksum around any bytes: anybody can make one.
fn forged(body: &[u8]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(MINE);
    bytes.extend(body);
    let checksum = blake3::hash(&bytes);
    bytes.extend(&checksum.as_bytes()[..CHECKSUM_BYTES]);
    base64::encode(&bytes, base64::URL_SAFE)
}

#[test]
fn forged_contents_are_damaged() {
    let nested = [vec![1, 0, 0, 0], [7, 1, 0, 0, 0].repeat(100_000)].concat();
    let end = [0; 8];
    let nan = [&[1, 0, 0, 0, 4][..], &f64::NAN.to_bits().to_le_bytes(), &end].concat();
    let infinite = [&[1, 0, 0, 0, 4][..], &f64::INFINITY.to_bits().to_le_bytes(), &end].concat();
    let bodies: [&[u8]; 10] = [
        b"",
        &[0, 0, 0],
        &nested,
        &nan,
        &infinite,
        &[255; 4],
        &[255; 64],
        &[1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0, 0, 0, 0],
        &[0; 13],
    ];
    for body in bodies {
        assert_eq!(Cursor::decode(&forged(body), MINE), Err(CursorFault::Damaged), "{body:?}");
    }
    let fine = Cursor { keys: vec![], id: String::new(), collection: String::new() };
    assert_eq!(Cursor::decode(&forged(&[0; 12]), MINE), Ok(fine));
}

#[test]
fn a_cursor_of_another_version_is_damaged() {
    let mut bytes = base64::decode(&cursor().encode(MINE), base64::URL_SAFE).expect("base 64");
    bytes.truncate(bytes.len() - CHECKSUM_BYTES);
    bytes[0] = VERSION + 1;
    let checksum = blake3::hash(&bytes);
    bytes.extend(&checksum.as_bytes()[..CHECKSUM_BYTES]);
    assert_eq!(Cursor::decode(&base64::encode(&bytes, base64::URL_SAFE), MINE), Err(CursorFault::Damaged));
}

#[test]
fn pages_share_a_fingerprint_and_statements_do_not() {
    let plan = |sql: &str| Plan::parse(sql).expect(sql);
    let base = "SELECT id FROM a WHERE metadata.x = 1";
    let same =
        ["SELECT id FROM a WHERE metadata.x = 1 LIMIT 7", "SELECT document  FROM a WHERE metadata.x=1"];
    for sql in same {
        assert_eq!(plan(sql).fingerprint(), plan(base).fingerprint(), "{sql}");
    }
    let tests = [
        "metadata.x = 1",
        "metadata.x = 1.0",
        "metadata.x = '1'",
        "metadata.x = TRUE",
        "metadata.x = NULL",
        "metadata.x != 1",
        "metadata.y = 1",
        "id = '1'",
        "metadata.x IN (1)",
        "metadata.x NOT IN (1)",
        "metadata.x IN (1, 2)",
        "metadata.x BETWEEN 1 AND 2",
        "metadata.x NOT BETWEEN 1 AND 2",
        "metadata.x BETWEEN 1 AND 3",
        "metadata.x IS NULL",
        "metadata.x IS NOT NULL",
        "NOT (metadata.x = 1)",
        "metadata.x = 1 AND metadata.x = 2",
        "metadata.x = 1 OR metadata.x = 2",
        "metadata.x = 1 AND (metadata.x = 2 OR metadata.x = 3)",
        "(metadata.x = 1 AND metadata.x = 2) OR metadata.x = 3",
    ];
    let mut statements: Vec<String> =
        tests.iter().map(|test| format!("SELECT id FROM a WHERE {test}")).collect();
    let others = [
        "SELECT id FROM a",
        "SELECT id FROM b",
        "SELECT id FROM a, b",
        "SELECT id FROM b, a",
        "SELECT id FROM *",
        "SELECT id FROM a USING EMBEDDING (TEXT 'x')",
        "SELECT id FROM a USING EMBEDDING (TEXT 'x' MODEL 'm')",
        "SELECT id FROM a USING EMBEDDING (TEXT 'y')",
        "SELECT id FROM a USING EMBEDDING (VECTOR [1, 2])",
        "SELECT id FROM a USING EMBEDDING (VECTOR [1, 2.0000002])",
        "SELECT id FROM a USING EMBEDDING (VECTOR [0.0])",
        "SELECT id FROM a USING EMBEDDING (VECTOR [-0.0])",
    ];
    statements.extend(others.map(String::from));
    let all: BTreeSet<[u8; 16]> = statements.iter().map(|sql| plan(sql).fingerprint()).collect();
    assert_eq!(all.len(), statements.len());
}

/// What the parser may not offer yet is set on the plan.
#[test]
fn ranking_clauses_change_the_fingerprint() {
    let base = Plan::parse("SELECT id FROM a USING EMBEDDING (TEXT 'x')").expect("a statement");
    let with = |change: &dyn Fn(&mut Plan)| {
        let mut plan = base.clone();
        change(&mut plan);
        plan.fingerprint()
    };
    let field = |field| Scalar::Field(field);
    let order = |value: Scalar, descending, nulls_first| {
        with(&|plan| plan.order = vec![OrderKey { value: value.clone(), descending, nulls_first }])
    };
    let minus = |value| Scalar::Negate(Box::new(value));
    let all = [
        base.fingerprint(),
        with(&|plan| plan.similarity = Some(Metric::Cosine)),
        with(&|plan| plan.similarity = Some(Metric::L2)),
        with(&|plan| plan.threshold = Some(0.5)),
        with(&|plan| plan.threshold = Some(0.25)),
        with(&|plan| plan.duplicates = Duplicates::KeepNearest),
        with(&|plan| plan.source.except = plan.source.include.clone()),
        with(&|plan| plan.source.include = vec![NamePattern::Prefix("a".into())]),
        order(field(Field::Id), false, false),
        order(field(Field::Id), true, false),
        order(field(Field::Id), false, true),
        order(field(Field::Metadata(None)), false, false),
        order(field(Field::Metadata(Some("id".into()))), false, false),
        order(minus(field(Field::Distance)), false, false),
        order(field(Field::Distance), false, false),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    let tests = |expr: Expr| with(&|plan| plan.filter = Some(expr.clone()));
    let field = || FieldRef { column: crate::query::Column::Document, span: Default::default() };
    let text = |text: &str| Literal { value: Value::Text(text.into()), span: Default::default() };
    let matches = |op, negated| tests(Expr::Match { field: field(), op, pattern: text("a"), negated });
    let contains = |values: &[&str], all, negated| {
        let values = values.iter().map(|value| text(value)).collect();
        tests(Expr::Contains { field: field(), values, all, negated })
    };
    let filters = [
        matches(MatchOp::Like, false),
        matches(MatchOp::Like, true),
        matches(MatchOp::ILike, false),
        matches(MatchOp::Regex, false),
        matches(MatchOp::StartsWith, false),
        contains(&["a"], false, false),
        contains(&["a"], false, true),
        contains(&["a"], true, false),
        contains(&["a", "b"], true, false),
        contains(&["ab"], true, false),
    ];
    assert_eq!(filters.iter().collect::<BTreeSet<_>>().len(), filters.len());
    let later = [
        with(&|plan| plan.topk = 99),
        with(&|plan| plan.limit = Some(3)),
        with(&|plan| plan.columns.clear()),
    ];
    assert_eq!(later, [base.fingerprint(); 3]);
}
