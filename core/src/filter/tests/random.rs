//! Random conditions, as text, over the columns of the test table.

use crate::query::tests::Random;

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
pub const TEXTS: [&str; 8] = ["", "a", "B", "ab", "b", "é", "zz", "a'b"];
pub const TIMES: [(i64, &str); 6] = [
    (0, "1970-01-01"),
    (1, "1970-01-01T00:00:00.000001"),
    (-1, "1969-12-31T23:59:59.999999Z"),
    (1_714_521_600_000_000, "2024-05-01T02:00:00+02:00"),
    (1_714_521_600_000_001, "2024-05-01 00:00:00.000001"),
    (-62_167_219_200_000_000, "0000-01-01"),
];

/// A condition of at most `depth` levels.
pub fn condition(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 1 } else { 5 }) {
        0 | 1 => test(random),
        2 => format!("NOT ({})", condition(random, depth - 1)),
        kind => {
            let operator = if kind == 3 { " AND " } else { " OR " };
            let parts: Vec<String> =
                (0..2 + random.below(3)).map(|_| format!("({})", condition(random, depth - 1))).collect();
            parts.join(operator)
        }
    }
}

fn test(random: &mut Random) -> String {
    let column = ["b", "i", "f", "s", "t", "id", "gone"][random.below(7)];
    let field = if column == "id" { String::from("id") } else { format!("metadata.{column}") };
    let not = ["", "NOT "][random.below(2)];
    let mut value = || literal(column, random);
    let (a, b, list) = (value(), value(), (0..6).map(|_| value()).collect::<Vec<_>>());
    let ops = ["=", "!=", "<", "<=", ">", ">=", "<>"];
    match random.below(8) {
        0 => format!("{field} IS {not}NULL"),
        1 | 2 => format!("{field} {not}IN ({})", list[..1 + random.below(6)].join(", ")),
        3 | 4 if column != "b" => format!("{field} {not}BETWEEN {a} AND {b}"),
        _ if column == "b" => format!("{field} {} {a}", ops[random.below(2)]),
        _ => format!("{field} {} {a}", ops[random.below(7)]),
    }
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
