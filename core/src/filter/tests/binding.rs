//! What binding refuses, asks for and folds away.

use super::{
    expr, matches,
    table::{Table, metadata},
};
use crate::{
    Error,
    error::{CatalogError, QueryError, QueryErrorKind, Span},
    filter::*,
    query::{Column, Expr, FieldRef, Literal, MatchOp, tests::Random},
    schema::{FieldType, Value},
};

/// Columns without any dictionary at hand.
struct Bare;

impl BindSchema for Bare {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        match path {
            "tags" => Some(FieldType::List(Box::new(FieldType::Text))),
            "mixed" => Some(FieldType::Json),
            _ => Table::with_rows(&mut Random(0), 0).field_type(path),
        }
    }

    fn dictionary(&self, _: &Column) -> Option<&dyn TextDictionary> {
        None
    }
}

fn refused(condition: &str) -> QueryError {
    Filter::bind(&expr(condition), &Bare).expect_err(condition)
}

fn bound(condition: &str) -> Filter {
    match Filter::bind(&expr(condition), &Bare) {
        Ok(Bind::Ready(filter)) => filter,
        other => panic!("{condition}: {other:?}"),
    }
}

#[test]
fn wrong_types_are_refused_with_both_types_and_the_place() {
    use QueryErrorKind::*;
    for (condition, kind) in [
        ("metadata.s = 5", TypeMismatch),
        ("metadata.i = 'x'", TypeMismatch),
        ("metadata.i = TRUE", TypeMismatch),
        ("metadata.b = 1", TypeMismatch),
        ("metadata.b < 1", TypeMismatch),
        ("metadata.t > 5", TypeMismatch),
        ("metadata.f BETWEEN 1 AND 'x'", TypeMismatch),
        ("metadata.i IN (1, 2.0, 'x', 3)", TypeMismatch),
        ("id = 5", TypeMismatch),
        ("metadata.b >= FALSE", BoolHasNoOrder),
        ("metadata.b BETWEEN FALSE AND TRUE", BoolHasNoOrder),
        ("metadata.t = 'yesterday'", BadTime),
        ("metadata.t IN ('2024-05-01', '2024-05-32')", BadTime),
        ("metadata.tags = 'x'", ListNotFilterable),
        ("metadata.tags IN ('x')", ListNotFilterable),
        ("metadata.mixed = 1", JsonNotFilterable),
        ("metadata.mixed IS NOT NULL", JsonNotFilterable),
        ("metadata.i = 1 AND NOT (metadata.i = 2 OR metadata.s = 5)", TypeMismatch),
    ] {
        assert_eq!(refused(condition).kind(), kind, "{condition}");
    }
    let error = refused("metadata.i IN (1,\n 'é', 'x')");
    assert_eq!((error.line(), error.column(), error.text()), (2, 2, "'é'"));
    assert!(error.to_string().contains("holds integers, which cannot be compared with a text"), "{error}");
}

/// A test that statements cannot write yet.
fn text_test(path: &str, op: Option<MatchOp>, value: Value) -> Expr {
    let span = Span { start: 7, end: 12, line: 1, column: 8 };
    let (field, literal) = (FieldRef { column: metadata(path), span }, Literal { value, span });
    match op {
        Some(op) => Expr::Match { field, op, pattern: literal, negated: false },
        None => Expr::Contains { field, values: vec![literal], all: false, negated: false },
    }
}

#[test]
fn texts_are_searched_in_texts_and_items_in_lists_only() {
    use QueryErrorKind::*;
    let text = |text: &str| Value::Text(String::from(text));
    for (path, op, value, kind) in [
        ("i", Some(MatchOp::Like), text("1%"), TypeMismatch),
        ("t", Some(MatchOp::StartsWith), text("2024"), TypeMismatch),
        ("s", Some(MatchOp::Regex), Value::Int(1), TypeMismatch),
        ("b", None, Value::Bool(true), TypeMismatch),
        ("i", None, Value::Int(1), TypeMismatch),
        ("s", None, Value::Int(1), TypeMismatch),
        ("tags", None, Value::Int(1), TypeMismatch),
        ("tags", Some(MatchOp::Like), text("a%"), ListNotFilterable),
        ("s", Some(MatchOp::Regex), text("a("), BadPattern),
        ("i", Some(MatchOp::Regex), text("(a{1000}){1000}"), BadPattern),
        ("gone", Some(MatchOp::Regex), text("\\p{L}"), BadPattern),
    ] {
        let test = text_test(path, op, value);
        let error = Filter::bind(&test, &Bare).expect_err(path);
        assert_eq!((error.kind(), error.span().start), (kind, 7), "{test}: {error}");
        assert!(!error.hint().is_empty(), "{error}");
        // Said before any data is looked at, and in whatever company.
        let both = Expr::And(vec![expr("metadata.i = 2.5"), test]);
        assert_eq!(Condition::new(&both).check(&Bare), Err(error));
    }
    assert_eq!(Condition::new(&text_test("s", None, Value::Null)).check(&Bare), Ok(()));
    assert_eq!(Condition::new(&text_test("tags", None, text("a"))).check(&Bare), Ok(()));
}

#[test]
fn patterns_with_a_beginning_become_ranges_of_codes() {
    let table = Table::with_rows(&mut Random(11), 300);
    for (op, pattern) in [(MatchOp::StartsWith, "a"), (MatchOp::Like, "a%"), (MatchOp::Like, "ab")] {
        let test = text_test("s", Some(op), Value::Text(String::from(pattern)));
        let range = match pattern {
            "ab" => "metadata.s = 'ab'",
            _ => "metadata.s >= 'a' AND metadata.s < 'b'",
        };
        let Ok(Bind::Ready(filter)) = Filter::bind(&test, &table) else { panic!("{test}") };
        assert_eq!(Ok(Bind::Ready(filter)), Filter::bind(&expr(range), &table), "{test}");
    }
}

#[test]
fn lists_that_contradict_themselves_are_errors() {
    let Ok(Bind::Ready(filter)) = Filter::bind(&text_test("li", None, Value::Int(0)), &Bare) else {
        panic!()
    };
    let block = |ends: &[[u8; 4]], items| {
        let block = ColumnBlock { rows: 2, valid: &[3], data: ColumnData::List(ListData { ends, items }) };
        filter.evaluate(2, &[block]).ok().map(|mask| mask.iter().collect::<Vec<_>>())
    };
    let ends = |a: u32, b: u32| [a.to_le_bytes(), b.to_le_bytes()];
    let items = [[0; 8]; 2];
    assert_eq!(block(&ends(0, 2), ItemData::Int(&items)), Some(vec![1]));
    assert_eq!(block(&ends(1, 1), ItemData::Int(&items)), Some(vec![0]));
    for wrong in [ends(0, 3), ends(0, u32::MAX)] {
        assert!(block(&wrong, ItemData::Int(&items)).is_none());
    }
    assert!(block(&ends(u32::MAX, 2), ItemData::Int(&items)).is_some());
    assert!(block(&ends(0, 2), ItemData::Float(&items)).is_none());
    assert!(block(&ends(0, 2)[..1], ItemData::Int(&items)).is_none());
}

#[test]
fn missing_dictionaries_are_asked_for_once() {
    let needs =
        Filter::bind(&expr("metadata.s = 'a' OR id IN ('x') OR metadata.s > 'b' OR metadata.i = 1"), &Bare);
    assert_eq!(needs, Ok(Bind::Needs(vec![Column::Id, Column::Metadata(String::from("s"))])));
    assert!(matches!(Filter::bind(&expr("metadata.s IS NULL"), &Bare), Ok(Bind::Ready(_))));
}

#[test]
fn what_cannot_matter_is_not_read() {
    assert_eq!(bound("metadata.gone = 'x'").constant(), Some(false));
    assert_eq!(bound("metadata.gone IS NULL OR metadata.i = 1").constant(), Some(true));
    assert_eq!(bound("metadata.i = 2.5").constant(), Some(false));
    assert_eq!(bound("metadata.i > 3 AND metadata.f = 1 AND metadata.i < 3").constant(), Some(false));
    assert_eq!(bound("metadata.i BETWEEN 5 AND 2").constant(), Some(false));
    assert_eq!(bound("metadata.i = NULL OR metadata.i NOT IN (1, NULL)").constant(), Some(false));
    let filter =
        bound("(metadata.b = TRUE AND metadata.gone = 1) OR metadata.t >= '2024-05-01' OR metadata.f < 1");
    assert_eq!(filter.columns(), [Column::Metadata(String::from("t")), Column::Metadata(String::from("f"))]);
}

#[test]
fn long_chains_of_equalities_become_one_set() {
    let chain = |operator: &str, join: &str| {
        let tests: Vec<String> =
            (0..20_000).map(|key| format!("metadata.i {operator} {}", key * 3)).collect();
        tests.join(join)
    };
    let table = Table::with_rows(&mut Random(5), 300);
    let list: Vec<String> = (0..20_000).map(|key| (key * 3).to_string()).collect();
    let list = list.join(", ");
    assert_eq!(bound(&chain("=", " OR ")), bound(&format!("metadata.i IN ({list})")));
    assert_eq!(bound(&chain("!=", " AND ")), bound(&format!("metadata.i NOT IN ({list})")));
    assert_eq!(
        matches(&table, "metadata.s = 'a' OR metadata.s = 'zz'"),
        matches(&table, "metadata.s IN ('zz', 'a')")
    );
}

#[test]
fn large_lists_work_by_bits_and_by_search() {
    let mut random = Random(9);
    let table = Table::with_rows(&mut random, 500);
    for step in [2_usize, 7, 100_000_000_000_000] {
        let members: Vec<String> = (0..2000).map(|position| (position * step).to_string()).collect();
        let condition = format!("metadata.i IN ({})", members.join(", "));
        let expected: Vec<usize> = (0..table.rows)
            .filter(|row| match table.value(&Column::Metadata(String::from("i")), *row) {
                Value::Int(value) => value >= 0 && value % step as i64 == 0 && value / (step as i64) < 2000,
                _ => false,
            })
            .collect();
        assert_eq!(matches(&table, &condition), expected, "step {step}");
    }
}

#[test]
fn blocks_that_contradict_the_schema_are_errors() {
    let filter = bound("metadata.i = 1");
    let good = ColumnBlock { rows: 2, valid: &[3], data: ColumnData::Int(&[[0; 8]; 2]) };
    assert!(filter.evaluate(2, &[good]).is_ok());
    let bad = [
        ColumnBlock { data: ColumnData::Int(&[[0; 8]]), ..good },
        ColumnBlock { data: ColumnData::Float(&[[0; 8]; 2]), ..good },
        ColumnBlock { valid: &[], ..good },
        ColumnBlock { rows: 3, ..good },
    ];
    for block in bad {
        assert!(matches!(filter.evaluate(2, &[block]), Err(Error::Snapshot(_))), "{block:?}");
    }
    assert!(filter.evaluate(2, &[]).is_err());
}

#[test]
fn unknown_columns_come_with_near_names() {
    let fields = ["author.name", "year"];
    assert_eq!(unknown_columns(&expr("metadata.year = 1 OR id = 'x'"), &fields), None);
    let error = unknown_columns(&expr("metadata.year = 1 AND NOT metadata.yaer IS NULL"), &fields);
    assert_eq!(
        error,
        Some(CatalogError::UnknownColumn { name: String::from("yaer"), near: vec![String::from("year")] })
    );
}

fn stats(min: Value, max: Value) -> CollectionStats {
    let field = FieldStats {
        path: String::from("x"),
        nulls: 0,
        min: Some(min),
        max: Some(max),
        ..FieldStats::default()
    };
    CollectionStats { rows: 10, id: None, fields: vec![field] }
}

#[test]
fn pruning_intersects_under_and_and_unites_under_or() {
    let ten_to_twenty = stats(Value::Int(10), Value::Int(20));
    let skips = |condition: &str| prune(&expr(condition), &ten_to_twenty) != Prune::Keep;
    assert!(skips("metadata.x > 20") && skips("metadata.x < 10.0") && skips("metadata.x = 9.5"));
    assert!(skips("metadata.x >= 15 AND metadata.x < 15") && skips("metadata.x = 12 AND metadata.x = 13"));
    assert!(skips("NOT (metadata.x BETWEEN 10 AND 20)") && skips("metadata.x IN (1, 2, 30)"));
    assert!(
        skips("metadata.x < 5 OR metadata.x > 50") && skips("metadata.y = 1") && skips("metadata.x IS NULL")
    );
    assert!(
        !skips("metadata.x < 5 OR metadata.x = 15")
            && !skips("metadata.x != 15")
            && !skips("metadata.y IS NULL")
    );
    // Of another type: kept, so that binding says what is wrong.
    assert!(!skips("metadata.x = 'x'"));
}

#[test]
fn pruning_subtracts_known_values() {
    let mut known = stats(Value::Text(String::from("a")), Value::Text(String::from("b")));
    known.fields[0].distinct = Some(vec![Value::Text(String::from("a")), Value::Text(String::from("b"))]);
    let skips = |condition: &str| prune(&expr(condition), &known) != Prune::Keep;
    assert!(skips("metadata.x NOT IN ('a', 'b')") && skips("metadata.x != 'a' AND metadata.x != 'b'"));
    assert!(skips("metadata.x = 'aa'") && skips("metadata.x IN ('a', 'c') AND metadata.x != 'a'"));
    assert!(!skips("metadata.x != 'a'") && !skips("metadata.x NOT IN ('a', 'c')"));
    let guess = estimate(&expr("metadata.x = 'a'"), &known);
    assert_eq!(guess, 0.5);
}
