//! Random data and what random statements need: dice, names, literals.
//!
//! The dice are seeded, so that a failure comes again. What a statement says is drawn in `draw` and `conditions`.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{
    data::{Collection, Record, World},
    value::{Datum, show_time},
};

/// Dice: xorshift.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }

    /// True once in `times`.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

pub const WORDS: [&str; 22] = [
    "",
    "a",
    "A",
    "ab",
    "Ab",
    "abc",
    "b",
    "été",
    "ÉTÉ",
    "it's",
    "100%",
    "a_b",
    "a\\b",
    "x\ny",
    "ß",
    "Жук",
    "жук",
    "Σα",
    "zebra 7",
    "say \"hi\"",
    "the long text that is longer than thirty-two bytes",
    "\u{1f600} smile",
];
const FLOATS: [f64; 9] =
    [1e300, -1e300, 9_007_199_254_740_992.0, 9_223_372_036_854_775_808.0, -0.0, 0.0, 5e-324, 0.1, 1e15];
const INTS: [i64; 8] =
    [i64::MIN, i64::MAX, i64::MAX - 1, 9_007_199_254_740_993, 9_007_199_254_740_992, -1, 0, 1];

/// Fields that a random collection may have.
const FIELDS: [(&str, &str); 16] = [
    ("flag", "bool"),
    ("n", "int"),
    ("m", "int"),
    ("big", "int"),
    ("w", "float"),
    ("wide", "float"),
    ("t", "text"),
    ("u", "text"),
    ("at", "time"),
    ("tags", "list text"),
    ("nums", "list int"),
    ("ws", "list float"),
    ("bits", "list bool"),
    ("deep.a", "int"),
    ("deep.b", "text"),
    ("two words", "text"),
];
const MIXED: [&str; 7] = ["int", "float", "text", "bool", "time", "list int", "list text"];

/// A value of the type.
pub fn datum(dice: &mut Dice, path: &str, kind: &str) -> Datum {
    match kind {
        "bool" => Datum::Bool(dice.one_in(2)),
        "int" if path == "big" => Datum::Int(*dice.pick(&INTS)),
        "int" if path == "m" => Datum::Int(dice.below(1000) as i64),
        "int" => Datum::Int(dice.below(9) as i64 - 3),
        "float" if path == "wide" => Datum::Float(*dice.pick(&FLOATS)),
        "float" => Datum::Float(dice.below(12) as f64 / 2.0 - 2.0),
        "time" => Datum::Time((dice.below(7) as i64 - 2) * 43_200_000_000 + i64::from(dice.one_in(6))),
        "text" if path == "u" => Datum::Text(format!("{}{}", dice.pick(&WORDS), dice.below(500))),
        "text" => Datum::Text((*dice.pick(&WORDS)).into()),
        _ => {
            let count = [0, 0, 1, 1, 2, 3, 5][dice.below(7)];
            Datum::List((0..count).map(|_| datum(dice, path, kind.strip_prefix("list ").unwrap())).collect())
        }
    }
}

impl World {
    /// Random collections: up to five, of no to a few thousand records, that share fields, ids and vectors.
    pub fn random(dice: &mut Dice, most_rows: usize) -> Self {
        let mut names = vec!["a", "b_1", "b_2", "docs_x", "docs_y", "x.y", "my-c", "Z"];
        let one_metric = (!dice.one_in(3)).then(|| *dice.pick(&["l2", "ip", "cosine", "l2"]));
        let share = [20, 300, 100_000][dice.below(3)];
        let mut collections: Vec<Collection> = (0..dice.below(5) + 1)
            .map(|_| {
                let name = names.remove(dice.below(names.len())).to_owned();
                let metric = one_metric.unwrap_or_else(|| *dice.pick(&["l2", "ip", "cosine"]));
                let rows = [1, 2, 7, 33, 130, 700, 3000][dice.below(7)].min(most_rows).min(share);
                collection(dice, name, metric, rows, share)
            })
            .collect();
        collections.sort_by(|a, b| a.name.cmp(&b.name));
        Self { collections }
    }
}

fn collection(dice: &mut Dice, name: String, metric: &str, rows: usize, share: usize) -> Collection {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for (path, kind) in FIELDS {
        if !dice.one_in(4) {
            fields.insert(path.into(), kind.into());
        }
    }
    if dice.one_in(2) {
        fields.insert("mixed".into(), (*dice.pick(&MIXED)).into());
    }
    let mut records: BTreeMap<String, Record> = BTreeMap::new();
    // Some columns have one value, or none, so that statistics rule things out.
    let dull: Vec<String> = fields.keys().filter(|_| dice.one_in(6)).cloned().collect();
    let constant = dice.below(1000) as u64;
    while records.len() < rows {
        let mut metadata = BTreeMap::new();
        for (path, kind) in &fields {
            if dull.contains(path) && constant.is_multiple_of(2) {
                metadata.insert(path.clone(), datum(&mut Dice::new(constant), path, kind));
            } else if !dull.contains(path) && !dice.one_in(5) {
                metadata.insert(path.clone(), datum(dice, path, kind));
            }
        }
        let id = format!("r{}{}", dice.below(share), dice.pick(&["", "", "", "'s", "%", "É"]));
        let document = (!dice.one_in(5)).then(|| format!("{} {}", dice.pick(&WORDS), dice.pick(&WORDS)));
        let vector = vector(dice, metric);
        records.insert(id.clone(), Record { id, document, metadata, vector });
    }
    Collection { name, metric: metric.into(), fields, records: records.into_values().collect() }
}

/// Small whole numbers, so that distances are exact; for cosines, which are not, any direction.
pub fn vector(dice: &mut Dice, metric: &str) -> Vec<f64> {
    let wide = if metric == "cosine" { 199 } else { 5 };
    let mut vector: Vec<f64> = (0..8).map(|_| dice.below(wide) as f64 - (wide / 2) as f64).collect();
    if vector.iter().all(|x| *x == 0.0) {
        vector[0] = 1.0;
    }
    vector
}

/// A text as a literal of the language.
pub fn quoted(dice: &mut Dice, text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n");
    match dice.below(4) {
        0 => format!("\"{}\"", escaped.replace('"', "\"\"")),
        1 => format!("'{}'", escaped.replace('\'', "\\'")),
        _ => format!("'{}'", escaped.replace('\'', "''")),
    }
}

/// A name after FROM or AS.
pub fn name(text: &str) -> String {
    let plain = text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    if plain { text.into() } else { format!("\"{text}\"") }
}

/// A field as SQL.
pub fn field_sql(dice: &mut Dice, field: &str) -> String {
    match field.strip_prefix("metadata.") {
        Some(path) if path.contains(' ') && dice.one_in(2) => format!("metadata['{path}']"),
        Some(path) => format!("metadata.{}", name(path)),
        None => field.into(),
    }
}

/// A value as SQL and as the oracle reads it. `None` for what has no literal.
pub fn literal(dice: &mut Dice, value: &Datum) -> Option<(String, Json)> {
    Some(match value {
        Datum::Null => ("NULL".into(), Json::Null),
        Datum::Bool(value) => (if *value { "TRUE" } else { "false" }.into(), json!(value)),
        Datum::Int(value) => (value.to_string(), json!(value)),
        Datum::Float(value) => (format!("{value:?}"), json!(value)),
        Datum::Text(text) => (quoted(dice, text), json!(text)),
        Datum::Time(micros) => {
            let text = show_time(*micros);
            (format!("'{text}'"), json!(text))
        }
        _ => return None,
    })
}
