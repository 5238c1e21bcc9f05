//! Random conditions over the columns of the test table.

use super::{
    expr,
    table::{LISTS, metadata},
};
use crate::{
    error::Span,
    query::{Column, Expr, FieldRef, Literal, MatchOp, tests::Random},
    schema::Value,
};

pub const INTS: [i64; 13] =
    [0, 1, 2, 3, -1, -2, 47, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1, i64::MAX - 1];
pub const FLOATS: [f64; 14] = [
    0.0,
    -0.0,
    1.0,
    2.0,
    2.5,
    -2.5,
    0.1,
    9007199254740992.0,
    9007199254740994.0,
    9.3e18,
    -9223372036854775808.0,
    1e300,
    -1e300,
    5e-324,
];
pub const TEXTS: [&str; 10] = ["", "a", "B", "ab", "b", "é", "zz", "a'b", "É", "aab"];
pub const TIMES: [(i64, &str); 6] = [
    (0, "1970-01-01"),
    (1, "1970-01-01T00:00:00.000001"),
    (-1, "1969-12-31T23:59:59.999999Z"),
    (1_714_521_600_000_000, "2024-05-01T02:00:00+02:00"),
    (1_714_521_600_000_001, "2024-05-01 00:00:00.000001"),
    (-62_167_219_200_000_000, "0000-01-01"),
];

pub const PATTERNS: [&str; 12] = ["", "%", "a%", "%b", "_", "a_", "%a%b%", "%'%", "\\%", "É", "ab", "b%"];
pub const REGEXES: [&str; 8] = ["^a", "b$", "^$", "[ab]{2}", "(?i)É", "a|z", "\\W", "^(a|b)+$"];

/// A condition of at most `depth` levels.
pub fn condition(random: &mut Random, depth: usize) -> Expr {
    match random.below(if depth == 0 { 1 } else { 5 }) {
        0 | 1 => test(random),
        2 => Expr::Not(Box::new(condition(random, depth - 1))),
        kind => {
            let parts = (0..2 + random.below(3)).map(|_| condition(random, depth - 1)).collect();
            if kind == 3 { Expr::And(parts) } else { Expr::Or(parts) }
        }
    }
}

fn test(random: &mut Random) -> Expr {
    match random.below(3) {
        0 => text_test(random),
        1 => list_test(random),
        _ => comparison(random),
    }
}

fn comparison(random: &mut Random) -> Expr {
    let column = ["b", "i", "f", "s", "t", "id", "gone", "document"][random.below(8)];
    let field = match column {
        "id" => String::from("id"),
        // The texts of documents are those of `s`.
        "document" => String::from("metadata.s"),
        column => format!("metadata.{column}"),
    };
    let not = ["", "NOT "][random.below(2)];
    let mut value = || literal(column, random);
    let (a, b, list) = (value(), value(), (0..6).map(|_| value()).collect::<Vec<_>>());
    let ops = ["=", "!=", "<", "<=", ">", ">=", "<>"];
    let mut test = expr(&match random.below(8) {
        0 => format!("{field} IS {not}NULL"),
        1 | 2 => format!("{field} {not}IN ({})", list[..1 + random.below(6)].join(", ")),
        3 | 4 if column != "b" => format!("{field} {not}BETWEEN {a} AND {b}"),
        _ if column == "b" => format!("{field} {} {a}", ops[random.below(2)]),
        _ => format!("{field} {} {a}", ops[random.below(7)]),
    });
    if column == "document" {
        move_to(&mut test, Column::Document);
    }
    test
}

fn move_to(test: &mut Expr, column: Column) {
    match test {
        Expr::Compare { field, .. }
        | Expr::In { field, .. }
        | Expr::Between { field, .. }
        | Expr::IsNull { field, .. } => field.column = column,
        other => panic!("{other} is no test"),
    }
}

/// Any value now and then is NULL.
fn or_null(value: Value, random: &mut Random) -> Literal {
    Literal { value: if random.below(12) == 0 { Value::Null } else { value }, span: Span::default() }
}

fn pick(from: &[&str], random: &mut Random) -> Value {
    Value::Text(String::from(from[random.below(from.len())]))
}

fn text_test(random: &mut Random) -> Expr {
    let column = match random.below(4) {
        0 => Column::Id,
        1 => Column::Document,
        2 => metadata("gone"),
        _ => metadata("s"),
    };
    let field = FieldRef { column, span: Span::default() };
    let negated = random.below(2) == 0;
    let (op, patterns) = match random.below(5) {
        0 => (MatchOp::Like, &PATTERNS[..]),
        1 => (MatchOp::ILike, &PATTERNS[..]),
        2 => (MatchOp::Regex, &REGEXES[..]),
        3 => (MatchOp::StartsWith, &TEXTS[..]),
        _ => {
            let values =
                (0..1 + random.below(3)).map(|_| pick(&TEXTS, random)).collect::<Vec<_>>().into_iter();
            let values = values.map(|value| or_null(value, random)).collect();
            return Expr::Contains { field, values, all: random.below(2) == 0, negated };
        }
    };
    Expr::Match { field, op, pattern: or_null(pick(patterns, random), random), negated }
}

fn list_test(random: &mut Random) -> Expr {
    let path = LISTS[random.below(LISTS.len())];
    let field = FieldRef { column: metadata(path), span: Span::default() };
    let negated = random.below(2) == 0;
    if random.below(5) == 0 {
        return Expr::IsNull { field, negated };
    }
    let mut value = || match path {
        "lb" => Value::Bool(random.below(2) == 0),
        "lt" => pick(&TIMES.map(|(_, text)| text), random),
        "ls" => pick(&TEXTS, random),
        _ if random.below(2) == 0 => Value::Int(INTS[random.below(INTS.len())]),
        _ => Value::Float(FLOATS[random.below(FLOATS.len())]),
    };
    let values: Vec<Value> = (0..4).map(|_| value()).collect();
    let count = 1 + random.below(4);
    let values = values.into_iter().take(count).map(|value| or_null(value, random)).collect();
    Expr::Contains { field, values, all: random.below(2) == 0, negated }
}

/// A literal that fits `column`.
fn literal(column: &str, random: &mut Random) -> String {
    if random.below(12) == 0 {
        return String::from("NULL");
    }
    match column {
        "b" => String::from(["TRUE", "false"][random.below(2)]),
        "i" | "f" | "gone" if random.below(2) == 0 => INTS[random.below(INTS.len())].to_string(),
        "i" | "f" | "gone" => format!("{:?}", FLOATS[random.below(FLOATS.len())]),
        "t" => format!("'{}'", TIMES[random.below(TIMES.len())].1),
        "id" => format!("'r{:03}'", random.below(8)),
        _ => crate::query::quote_text([TEXTS[random.below(TEXTS.len())], "c", "az"][random.below(3)]),
    }
}
