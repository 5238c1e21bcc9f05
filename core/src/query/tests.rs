//! The parser against what the language promises, and against texts that nobody meant.

use std::time::Instant;

use super::{ast::*, *};
use crate::{
    error::{QueryError, QueryErrorKind},
    schema::Value,
};

mod conditions;
mod grammar;
mod params;
mod scalars;

/// Statements that use everything, without parameters.
const VALID: [&str; 24] = [
    "SELECT * FROM a",
    "explain select id, document AS text, metadata FROM a, \"b c\", noun.animal;",
    "SELECT id FROM * USING EMBEDDING (TEXT 'a bird''s \\u00e9gg' MODEL 'm') TOPK 5",
    "SELECT distance, collection FROM * USING EMBEDDING (VECTOR [1, -2.5, .5, 1e-3, +4.]) LIMIT 3 OFFSET 1",
    "SELECT metadata.a.\"b c\"['d'] AS x FROM t WHERE metadata.a = 1 AND NOT (id IN ('x', \"y\") OR metadata.b IS NULL)",
    "SELECT id FROM t WHERE metadata.a NOT BETWEEN 1 AND 2.5 OR metadata.b IS NOT NULL AND metadata.c NOT IN (TRUE, FALSE, NULL)",
    "SELECT id FROM t -- comment\n /* and * another */ WHERE metadata.t >= '2024-05-01' LIMIT 1",
    "SELECT id FROM t OFFSET 2 LIMIT 1 WHERE metadata.a <> 'x' AND metadata.a != 'é' AND metadata.a<1 AND metadata.a<=2 AND metadata.a>3",
    "SELECT id AS \"from\", metadata.order AS select FROM from WHERE metadata.where = 1 LIMIT 5",
    "SELECT*FROM t WHERE(((metadata.a=1)))AND(NOT NOT metadata.b=2)",
    "SELECT id, document, embedding FROM t USING EMBEDDING (VECTOR [0])",
    "SELECT id FROM t WHERE metadata.a BETWEEN -5 AND '\\x41\\101\\n\\q'",
    "EXPLAIN ANALYZE SELECT *, metadata.a * 2 + -(distance - 1) / metadata.b AS x FROM docs_*, noun.*, \"a b\"* EXCEPT docs_old, \"x\"*",
    "SELECT COUNT(*), min(metadata.a), MAX ( metadata.\"b c\" ) AS top, SUM(score), AVG(distance) FROM t AS x GROUP BY metadata.a, collection TOP 3",
    "SELECT id FROM * USING EMBEDDING BATCH (TEXT 'a' MODEL 'm', VECTOR [1], TEXT \"b\") FUSE BY RRF (30) ON DUPLICATE ID KEEP NEAREST",
    "SELECT id, score FROM t RERANK BY MMR (0.3, 50) USING EMBEDDING (VECTOR [1]) SIMILARITY ip WITH SCORE THRESHOLD .5 RECALL 0.95 CANDIDATES 200",
    "SELECT id FROM t USING EMBEDDING (TEXT 'x') RERANK BY MMR () FUSE BY RRF ON DUPLICATE ID KEEP ALL AFTER 'abc'",
    "SELECT id FROM t USING EMBEDDING (TEXT 'x') RERANK BY MMR (candidates = 5e1, lambda = 1)",
    "SELECT id AS n, metadata.a AS \"the a\" FROM t ORDER BY n DESC, \"the a\" ASC NULLS FIRST, distance -1 NULLS LAST, count, -metadata.a*2, 1 - -1",
    "SELECT id FROM t WHERE document LIKE '%x_' AND NOT id NOT ILIKE 'A%' OR metadata.a REGEX '(?i)x+' OR metadata.a NOT STARTS WITH 'x'",
    "SELECT id FROM t WHERE metadata.tags CONTAINS 5 OR metadata.tags NOT CONTAINS ANY ('a', \"b\") OR document CONTAINS ALL ('x', 'y')",
    "SELECT id FROM t WHERE_DOCUMENT (CONTAINS 'a' OR NOT LIKE '%b%') AND document NOT REGEX 'c' AND IS NOT NULL WHERE id = 'x' AND id < 'y'",
    "SELECT item, collection FROM t USING EMBEDDING BATCH (VECTOR [1]) ORDER BY item, (metadata.a + (metadata.b - metadata.c)) / 2 DESC",
    "SELECT metadata.order FROM t ORDER BY metadata.order, metadata['by'] + metadata.\"x y\" GROUP BY metadata.order",
];

fn kind(sql: &str) -> QueryErrorKind {
    let error = parse(sql).expect_err(sql);
    assert_inside(sql, &error);
    error.kind()
}

fn assert_inside(sql: &str, error: &QueryError) {
    let span = error.span();
    assert!(span.start <= span.end, "{sql}: {error}");
    assert!(span.text(sql).is_some(), "{sql}: {error} has no text at {span:?}");
    let before = &sql[..span.start as usize];
    assert_eq!(error.line() as usize, 1 + before.matches('\n').count(), "{sql}");
    let line = before.rsplit('\n').next().unwrap_or_default();
    assert_eq!(error.column() as usize, 1 + line.chars().count(), "{sql}");
    assert!(!error.snippet(sql).is_empty());
}

fn filter(condition: &str) -> Expr {
    parse(&format!("SELECT id FROM t WHERE {condition}")).expect(condition).filter.expect("a filter")
}

#[test]
fn valid_statements_parse() {
    for sql in VALID {
        if let Err(error) = parse(sql) {
            panic!("{}", error.snippet(sql));
        }
    }
}

#[test]
fn conditions_print_as_they_parse() {
    for sql in VALID {
        if let Some(expr) = parse(sql).expect(sql).filter {
            let printed = expr.to_string();
            assert_eq!(filter(&printed).to_string(), printed);
        }
    }
    assert_eq!(
        filter("not metadata.a in (1, 2.0) or metadata.\"x y\" = 'it''s' and id != 'b'").to_string(),
        "NOT (metadata.a IN (1, 2.0)) OR (metadata.\"x y\" = 'it''s' AND id != 'b')"
    );
}

#[test]
fn clauses_may_stand_in_any_order() {
    let clauses = ["USING EMBEDDING (TEXT 'x')", "WHERE id = 'a'", "TOPK 3", "LIMIT 2", "OFFSET 1"];
    for rotation in 0..clauses.len() {
        let mut order = clauses;
        order.rotate_left(rotation);
        let statement = parse(&format!("SELECT * FROM t {}", order.join(" "))).expect("parses");
        assert_eq!(statement.topk.map(|count| count.value), Some(3));
        assert_eq!(statement.offset.map(|count| count.value), Some(1));
        assert!(statement.filter.is_some() && !statement.embedding.is_empty());
    }
}

#[test]
fn names_and_strings_are_decoded() {
    let from = parse("SELECT * FROM a.b.c, \"x.y \"\"z\"\"\", \"\\u00e9\"").unwrap().from;
    let names: Vec<String> = from.include.into_iter().map(|pattern| pattern.name.text).collect();
    assert_eq!(names, ["a.b.c", "x.y \"z\"", "é"]);
    for (written, expected) in [
        (r"'\n\t\\\'\x41\101\u00e9\U0001F600\q\é'", "\n\t\\'AAé😀\\q\\é"),
        (r#""double 'quoted'""#, "double 'quoted'"),
        ("'it''s'", "it's"),
        ("''''", "'"),
        ("'\\0'", "\0"),
    ] {
        let Expr::Compare { value, .. } = filter(&format!("id = {written}")) else { panic!("compare") };
        assert_eq!(value.value, Value::Text(String::from(expected)), "{written}");
    }
}

#[test]
fn numbers_keep_their_type() {
    for (written, expected) in [
        ("007", Value::Int(7)),
        ("-9223372036854775808", Value::Int(i64::MIN)),
        ("+3", Value::Int(3)),
        ("1.", Value::Float(1.0)),
        (".5", Value::Float(0.5)),
        ("-1E2", Value::Float(-100.0)),
        ("true", Value::Bool(true)),
        ("Null", Value::Null),
    ] {
        let Expr::Compare { value, .. } = filter(&format!("metadata.a = {written}")) else {
            panic!("compare")
        };
        assert_eq!(value.value, expected, "{written}");
    }
}

#[test]
fn mistakes_are_told_apart() {
    use QueryErrorKind::*;
    for (sql, expected) in [
        ("", UnexpectedEnd),
        ("SELECT", UnexpectedEnd),
        ("SELECT id", UnexpectedEnd),
        ("SELECT id FROM t WHERE", UnexpectedEnd),
        ("SELECT id FORM t", UnexpectedToken),
        ("SELECT id, FROM t", UnexpectedToken),
        ("SELECT name FROM t", UnknownField),
        ("SELECT id FROM 'a'", UnexpectedToken),
        ("SELECT id FROM a-b", UnexpectedToken),
        ("SELECT id FROM t WHERE metadata.a = $1", UnexpectedCharacter),
        ("SELECT id FROM t WHERE metadata.a = : x", UnexpectedCharacter),
        ("SELECT id FROM t LIMIT 5OFFSET 2", BadNumber),
        ("SELECT id FROM t WHERE metadata.a = 1.2.3", BadNumber),
        ("SELECT id FROM t WHERE metadata.a = 1AND id = 'x'", BadNumber),
        ("SELECT id FROM t WHERE metadata.a == 1", UnexpectedToken),
        ("SELECT id FROM t WHERE metadata.a = b", UnexpectedToken),
        ("SELECT id FROM t WHERE 5 < metadata.a", UnexpectedToken),
        ("SELECT id FROM t WHERE metadata.5 = 1", UnexpectedToken),
        ("SELECT id FROM t WHERE metadata.\"\" = 1", EmptyName),
        ("SELECT id FROM t WHERE metadata[''] = 1", EmptyName),
        ("SELECT id FROM t WHERE metadata.a = 9223372036854775808", NumberOutOfRange),
        ("SELECT id FROM t WHERE metadata.a = 1e400", NumberOutOfRange),
        ("SELECT id FROM t WHERE metadata.a = 'x", UnterminatedString),
        ("SELECT id FROM t WHERE metadata.a = 'x\n'", UnterminatedString),
        ("SELECT id FROM t WHERE metadata.a = 'x\\", UnterminatedString),
        ("SELECT id FROM t WHERE metadata.a = 'x\\\n'", UnterminatedString),
        ("SELECT id FROM t WHERE metadata.a = 'é\\x4'", BadStringEscape),
        ("SELECT id FROM t WHERE metadata.a = '\\ud800'", BadStringEscape),
        ("SELECT id FROM t WHERE metadata.a = '\\N{BULLET}'", BadStringEscape),
        ("SELECT id FROM t WHERE distance < 1", FieldNotFilterable),
        ("SELECT id FROM t WHERE metadata = 1", FieldNotFilterable),
        ("SELECT id FROM t WHERE metadata.a IN ()", UnexpectedToken),
        ("SELECT id FROM t WHERE (metadata.a = 1", UnexpectedEnd),
        ("SELECT id FROM t WHERE metadata.a = 1)", UnexpectedToken),
        ("SELECT id FROM t LIMIT 1 LIMIT 2", DuplicateClause),
        ("SELECT id FROM t LIMIT 2.0", UnexpectedToken),
        ("SELECT id FROM t LIMIT 'x'", UnexpectedToken),
        ("SELECT id FROM t; SELECT", UnexpectedToken),
        ("SELECT id FROM t /* open", UnterminatedComment),
        ("SELECT id FROM t USING EMBEDDING (VECTOR [])", EmptyVector),
        ("SELECT id FROM t USING EMBEDDING (VECTOR [1e39])", NumberOutOfRange),
        ("SELECT id FROM t WHERE metadata.é = 1", UnexpectedCharacter),
        ("SELECT id\u{a0}FROM t", UnexpectedCharacter),
    ] {
        assert_eq!(kind(sql), expected, "{sql}");
    }
}

#[test]
fn what_the_language_lacks_is_called_not_supported() {
    for sql in [
        "SELECT DISTINCT id FROM t",
        "SELECT id FROM t JOIN u",
        "SELECT id FROM t UNION SELECT id FROM u",
        "SELECT metadata.a FROM t GROUP BY metadata.a HAVING COUNT(*) > 1",
        "SELECT id FROM t WHERE document MATCH 'x'",
    ] {
        assert_eq!(kind(sql), QueryErrorKind::NotSupported, "{sql}");
    }
}

#[test]
fn clauses_are_refused_where_they_end_too_early_or_go_on_too_long() {
    use QueryErrorKind::*;
    for (sql, expected) in [
        ("EXPLAIN ANALYZE", UnexpectedEnd),
        ("SELECT id FROM docs *", UnexpectedToken),
        ("SELECT id FROM * AS x", UnexpectedToken),
        ("SELECT id FROM a, b AS x", UnexpectedToken),
        ("SELECT id FROM a EXCEPT", UnexpectedEnd),
        ("SELECT id FROM ?", UnexpectedToken),
        ("SELECT id FROM t USING EMBEDDING (TEXT 'a', TEXT 'b')", UnexpectedToken),
        ("SELECT id FROM t USING EMBEDDING BATCH ()", UnexpectedToken),
        ("SELECT id FROM t SIMILARITY MANHATTAN", UnexpectedToken),
        ("SELECT id FROM t ORDER metadata.a", UnexpectedToken),
        ("SELECT id FROM t ORDER BY metadata.a NULLS", UnexpectedEnd),
        ("SELECT id FROM t ORDER BY metadata.a ASC DESC", UnexpectedToken),
        ("SELECT id FROM t ORDER BY 'x'", UnexpectedToken),
        ("SELECT id FROM t GROUP BY metadata.a + 1", UnexpectedToken),
        ("SELECT id FROM t GROUP BY COUNT(*)", AggregateNotAllowed),
        ("SELECT id FROM t WHERE COUNT(*) > 1", AggregateNotAllowed),
        ("SELECT id FROM t GROUP BY metadata.a TOP x", UnexpectedToken),
        ("SELECT id FROM t RERANK BY MMR (0.5", UnexpectedEnd),
        ("SELECT id FROM t RERANK BY MMR (0.5, 2.5)", UnexpectedToken),
        ("SELECT id FROM t RERANK BY MMR (0.5, 10, 3)", MmrOption),
        ("SELECT id FROM t RERANK BY MMR (0.5, lambda = 1)", MmrOption),
        ("SELECT id FROM t RERANK BY MMR (extra = 1)", MmrOption),
        ("SELECT id FROM t FUSE BY RRF ()", UnexpectedToken),
        ("SELECT id FROM t WITH THRESHOLD 0.5", UnexpectedToken),
        ("SELECT id FROM t ON DUPLICATE ID KEEP FIRST", UnexpectedToken),
        ("SELECT id FROM t AFTER x", UnexpectedToken),
        ("SELECT id FROM t WHERE x = 1 ORDER BY id ORDER BY id", UnknownField),
        ("SELECT id FROM t ORDER BY id ORDER BY id", DuplicateClause),
        ("SELECT id FROM t WHERE id = 'x' WHERE id = 'y'", DuplicateClause),
        ("SELECT id FROM t WHERE_DOCUMENT metadata.a = 1", UnexpectedToken),
        ("SELECT id FROM t WHERE metadata.a STARTS 'x'", UnexpectedToken),
        ("SELECT id FROM t WHERE metadata.a CONTAINS ('x')", UnexpectedToken),
        ("SELECT id FROM t WHERE metadata.a IN 'x'", UnexpectedToken),
        ("SELECT id FROM t WHERE score > 1", FieldNotFilterable),
    ] {
        assert_eq!(kind(sql), expected, "{sql}");
    }
}

#[test]
fn patterns_after_from_keep_their_prefix() {
    let from = parse("SELECT id FROM *, docs_*, noun.*, noun.an*, \"a b\"*, x.\"y z\"*, x EXCEPT x*, y")
        .unwrap()
        .from;
    let patterns = |written: &[CollectionPattern]| {
        let one = |p: &CollectionPattern| format!("{}{}", p.name.text, if p.prefix { "*" } else { "" });
        written.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(patterns(&from.include), ["*", "docs_*", "noun.*", "noun.an*", "a b*", "x.y z*", "x"]);
    assert_eq!(patterns(&from.except), ["x*", "y"]);
    assert_eq!(parse("SELECT id FROM t AS x").unwrap().from.alias.unwrap().text, "x");
}

#[test]
fn hints_name_what_was_meant() {
    for (sql, hint) in [
        ("SELECT id FORM t", "FROM"),
        ("SELECT id FROM t WHRE id = 'x'", "WHERE"),
        ("SELECT documnt FROM t", "document"),
        ("SELECT title FROM t", "metadata.title"),
        ("SELECT id FROM t WHERE metadata.a = x", "'x'"),
        ("SELECT id FROM a-b", "double quotes"),
        ("SELECT id FROM t GROP BY id", "GROUP"),
        ("SELECT id FROM t WHERE metadata.a LIEK 'x'", "LIKE"),
        ("SELECT id FROM t ON DUPLICATE ID KEEP NEARST", "NEAREST"),
        ("SELECT DISTINCT id FROM t", "GROUP BY"),
        ("SELECT SUM(metadata.a * 2) FROM t", "SUM(metadata.a) * 2"),
        ("SELECT id FROM t WHERE metadata.a = $1", ":name"),
        ("SELECT id FROM docs_ *", "docs_*"),
        ("SELECT id FROM t USING EMBEDDING (TEXT 'a', TEXT 'b')", "BATCH"),
        ("SELECT id FROM t WHERE metadata.a CONTAINS ('x')", "CONTAINS ANY"),
    ] {
        let error = parse(sql).expect_err(sql);
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn nesting_is_limited_and_deep_trees_are_harmless() {
    let nested = |depth: usize| {
        format!("SELECT id FROM t WHERE {}id = 'a'{}", "NOT (".repeat(depth), ")".repeat(depth))
    };
    let statement = parse(&nested(MAX_NESTING)).expect("the deepest that is allowed");
    drop(statement.clone());
    assert_eq!(kind(&nested(MAX_NESTING + 1)), QueryErrorKind::NestingTooDeep);
    assert_eq!(kind(&nested(100_000)), QueryErrorKind::NestingTooDeep);
    let chain = format!("SELECT id FROM t WHERE {} id = 'a'", "NOT ".repeat(100_000));
    assert!(parse(&chain).is_ok());
}

#[test]
fn sizes_are_limited() {
    let list = |count: usize| format!("SELECT id FROM t WHERE metadata.a IN (1{})", ",1".repeat(count - 1));
    assert!(parse(&list(MAX_LIST_ITEMS)).is_ok());
    assert_eq!(kind(&list(MAX_LIST_ITEMS + 1)), QueryErrorKind::ListTooLong);
    let long = format!("SELECT id FROM t -- {}", "x".repeat(MAX_STATEMENT_BYTES));
    assert_eq!(kind(&long), QueryErrorKind::StatementTooLong);
}

/// The time to parse `sql`, the best of a few, in seconds.
fn parse_seconds(sql: &str) -> f64 {
    let run = |_| {
        let start = Instant::now();
        parse(sql).expect("parses");
        start.elapsed().as_secs_f64()
    };
    (0..5).map(run).fold(f64::MAX, f64::min)
}

#[test]
fn long_statements_take_linear_time() {
    let list = |count: usize| format!("SELECT id FROM t WHERE id IN ('x'{})", ", 'another id'".repeat(count));
    let ands = |count: usize| format!("SELECT id FROM t WHERE id = 'x'{}", "\n AND id != 'yy'".repeat(count));
    for make in [list, ands] as [fn(usize) -> String; 2] {
        // Ten times the text in at most forty times the time: quadratic would be a hundred.
        let (short, long) = (parse_seconds(&make(1000)), parse_seconds(&make(10_000)));
        assert!(long < 40.0 * short.max(1e-5), "{short} s and {long} s");
    }
}

/// A small generator of random numbers (splitmix64), so that failures repeat.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

const PIECES: [&str; 40] = [
    "'",
    "\"",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ";",
    "--",
    "/*",
    "*/",
    "\\",
    "\\u00",
    "é",
    "😀",
    "\0",
    "\n",
    "NOT ",
    " AND ",
    " OR ",
    " IN ",
    "IS NULL",
    "metadata",
    ".5",
    "1e",
    "-",
    "+",
    "<",
    "=",
    "!",
    "?",
    ":",
    " TOPK ",
    "*",
    "''",
    "\\N",
    "e",
    "9999999999999999999",
    "\u{a0}",
];

/// A statement with a few pieces removed, repeated, replaced or inserted.
fn mutant(random: &mut Random) -> String {
    let mut chars: Vec<char> = VALID[random.below(VALID.len())].chars().collect();
    for _ in 0..1 + random.below(4) {
        let at = random.below(chars.len());
        let end = (at + random.below(6)).min(chars.len());
        match random.below(4) {
            0 => drop(chars.drain(at..end)),
            1 => {
                let copy = chars[at..end].to_vec();
                chars.splice(at..at, copy);
            }
            2 => drop(chars.splice(at..end, PIECES[random.below(PIECES.len())].chars())),
            _ => drop(chars.splice(at..at, PIECES[random.below(PIECES.len())].chars())),
        }
    }
    chars.into_iter().collect()
}

/// Mutants of all valid statements, the same ones for the same seed.
pub(crate) fn mutants(seed: u64, count: usize) -> impl Iterator<Item = String> {
    let mut random = Random(seed);
    (0..count).map(move |_| mutant(&mut random))
}

#[test]
fn mutated_statements_never_panic_and_errors_lie_inside() {
    let mut valid = 0;
    for sql in mutants(7, 60_000) {
        match parse(&sql) {
            Ok(statement) => {
                valid += 1;
                statement.filter.map(|filter| filter.to_string());
            }
            Err(error) => assert_inside(&sql, &error),
        }
    }
    assert!(valid > 1000, "only {valid} mutants were valid");
}
