//! Random conditions.

use serde_json::{Value as Json, json};

use super::{
    data::Collection,
    random::{Dice, WORDS, datum, field_sql, literal},
    value::{Datum, show_time},
};

/// A condition in parts.
#[derive(Clone)]
pub enum Condition {
    /// A test: its column, what follows it, and what the oracle reads.
    Test(String, String, Json),
    Not(Box<Condition>),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

impl Condition {
    /// As SQL; tests of the document may leave out the word.
    pub fn sql(&self, document: bool) -> String {
        let inside = |part: &Condition| match part {
            Self::Test(..) | Self::Not(_) => part.sql(document),
            _ => format!("({})", part.sql(document)),
        };
        let joined =
            |parts: &[Condition], word: &str| parts.iter().map(inside).collect::<Vec<_>>().join(word);
        match self {
            Self::Test(_, test, _) if document && test.len() % 2 == 0 => test.clone(),
            Self::Test(column, test, _) => format!("{column} {test}"),
            Self::Not(part) => format!("NOT {}", inside(part)),
            Self::And(parts) => joined(parts, " AND "),
            Self::Or(parts) => joined(parts, " OR "),
        }
    }

    pub fn ask(&self) -> Json {
        let all = |word: &str, parts: &[Condition]| {
            std::iter::once(json!(word)).chain(parts.iter().map(Self::ask)).collect::<Json>()
        };
        match self {
            Self::Test(_, _, ask) => ask.clone(),
            Self::Not(part) => json!(["not", part.ask()]),
            Self::And(parts) => all("and", parts),
            Self::Or(parts) => all("or", parts),
        }
    }
}

/// Draws conditions about the asked collections.
pub struct Tests<'t, 'w> {
    pub dice: &'t mut Dice,
    asked: &'t [&'w Collection],
    paths: &'t [String],
    values: &'t mut Vec<Json>,
    /// Columns that the tests keep to: tests of one column are folded into each other.
    focus: Vec<String>,
}

impl<'t, 'w> Tests<'t, 'w> {
    pub fn new(
        dice: &'t mut Dice,
        asked: &'t [&'w Collection],
        paths: &'t [String],
        values: &'t mut Vec<Json>,
    ) -> Self {
        let mut tests = Self { dice, asked, paths, values, focus: Vec::new() };
        if tests.dice.one_in(2) {
            tests.focus = (0..tests.dice.below(2) + 1).map(|_| tests.column()).collect();
        }
        tests
    }

    pub fn condition(&mut self, depth: usize) -> Condition {
        self.tree(depth, false)
    }

    /// About the document alone.
    pub fn document(&mut self, depth: usize) -> Condition {
        self.tree(depth, true)
    }

    fn tree(&mut self, depth: usize, document: bool) -> Condition {
        if depth == 0 || self.dice.one_in(3) {
            return self.test(document);
        }
        match self.dice.below(5) {
            0 => Condition::Not(Box::new(self.tree(depth - 1, document))),
            turn => {
                let parts = (0..self.dice.below(3) + 2).map(|_| self.tree(depth - 1, document)).collect();
                if turn % 2 == 0 { Condition::And(parts) } else { Condition::Or(parts) }
            }
        }
    }

    fn test(&mut self, document: bool) -> Condition {
        let column = match self.focus.is_empty() {
            _ if document => "document".to_owned(),
            true => self.column(),
            false => self.dice.pick(&self.focus).clone(),
        };
        let mut kinds: Vec<&str> = match column.strip_prefix("metadata.") {
            None => vec!["text"],
            Some(path) => {
                self.asked.iter().filter_map(|one| one.fields.get(path)).map(String::as_str).collect()
            }
        };
        kinds.sort_unstable();
        kinds.dedup();
        if kinds == ["float", "int"] {
            kinds = vec!["float"];
        }
        let sql = field_sql(self.dice, &column);
        let (test, ask) = match kinds.as_slice() {
            [one] => {
                let kind = (*one).to_owned();
                self.typed(&column, &kind)
            }
            _ => self.null_test(&column),
        };
        Condition::Test(sql, test, ask)
    }

    fn column(&mut self) -> String {
        match self.dice.below(6) {
            0 => "id".into(),
            1 => "document".into(),
            _ if self.paths.is_empty() => "id".into(),
            _ => format!("metadata.{}", self.dice.pick(self.paths)),
        }
    }

    fn null_test(&mut self, column: &str) -> (String, Json) {
        match self.dice.one_in(2) {
            true => ("IS NULL".into(), json!(["null", column])),
            false => ("IS NOT NULL".into(), json!(["not", ["null", column]])),
        }
    }

    fn typed(&mut self, column: &str, kind: &str) -> (String, Json) {
        if self.dice.one_in(8) {
            return self.null_test(column);
        }
        if let Some(item) = kind.strip_prefix("list ") {
            let item = item.to_owned();
            return self.contains(column, &item);
        }
        match (kind, self.dice.below(6)) {
            ("text", 0..3) => self.matched(column),
            (_, 3) => {
                let (sql, ask) = self.list(column, kind);
                let (not, wrap) = self.negation();
                (format!("{not}IN {sql}"), wrap(json!(["in", column, ask])))
            }
            (kind, 4) if kind != "bool" => {
                let ((low, low_ask), (high, high_ask)) = (self.value(column, kind), self.value(column, kind));
                let (not, wrap) = self.negation();
                (
                    format!("{not}BETWEEN {low} AND {high}"),
                    wrap(json!(["between", column, low_ask, high_ask])),
                )
            }
            _ => {
                let operators =
                    if kind == "bool" { &["=", "!="][..] } else { &["=", "!=", "<", "<=", ">", ">="] };
                let operator = *self.dice.pick(operators);
                let (sql, ask) = self.value(column, kind);
                let written = if operator == "!=" && self.dice.one_in(2) { "<>" } else { operator };
                (format!("{written} {sql}"), json!([operator, column, ask]))
            }
        }
    }

    fn negation(&mut self) -> (&'static str, fn(Json) -> Json) {
        match self.dice.one_in(3) {
            true => ("NOT ", |ask| json!(["not", ask])),
            false => ("", |ask| ask),
        }
    }

    fn contains(&mut self, column: &str, item: &str) -> (String, Json) {
        let (not, wrap) = self.negation();
        match self.dice.below(3) {
            0 => {
                let (sql, ask) = self.value(column, item);
                (format!("{not}CONTAINS {sql}"), wrap(json!(["contains", column, ask])))
            }
            turn => {
                let (sql, ask) = self.list(column, item);
                let word = ["any", "all"][turn - 1];
                let sql = format!("{not}CONTAINS {} {sql}", word.to_uppercase());
                (sql, wrap(json!([format!("contains {word}"), column, ask])))
            }
        }
    }

    /// Tests of texts by patterns.
    fn matched(&mut self, column: &str) -> (String, Json) {
        let (not, wrap) = self.negation();
        let text = self.text(column);
        let turn = self.dice.below(6);
        if turn == 5 {
            let (sql, ask) = self.contains(column, "text");
            return (sql, ask);
        }
        let (word, operator, pattern) = match turn {
            0 => ("LIKE", "like", self.like(&text)),
            1 => ("ILIKE", "ilike", self.like(&text)),
            2 => ("STARTS WITH", "starts", text.chars().take(self.dice.below(4)).collect()),
            3 => ("REGEX", "regex", (*self.dice.pick(&EXPRESSIONS)).to_owned()),
            _ => {
                let part: String = text.chars().skip(self.dice.below(3)).take(self.dice.below(4)).collect();
                let (sql, ask) = self.written(&Datum::Text(part));
                return (format!("{not}CONTAINS {sql}"), wrap(json!(["contains", column, ask])));
            }
        };
        let (sql, ask) = self.written(&Datum::Text(pattern));
        (format!("{not}{word} {sql}"), wrap(json!([operator, column, ask])))
    }

    /// A pattern that has something to do with the text.
    fn like(&mut self, text: &str) -> String {
        let mut pattern = String::new();
        for c in text.chars() {
            match self.dice.below(8) {
                0 => pattern.push('_'),
                1 => pattern.push('%'),
                2 => {}
                _ if "%_\\".contains(c) => pattern.extend(['\\', c]),
                3 => pattern.extend(c.to_uppercase().take(1)),
                _ => pattern.push(c),
            }
        }
        if self.dice.one_in(3) { pattern + "%" } else { pattern }
    }

    fn text(&mut self, column: &str) -> String {
        match self.value_of(column, "text") {
            Datum::Text(text) => text,
            _ => (*self.dice.pick(&WORDS)).into(),
        }
    }

    /// One that a record has, or another.
    fn value_of(&mut self, column: &str, kind: &str) -> Datum {
        let path = column.strip_prefix("metadata.");
        let records = &self.dice.pick(self.asked).records;
        if !records.is_empty() && !self.dice.one_in(4) {
            let record = self.dice.pick(records);
            let found = match path {
                None if column == "id" => Some(Datum::Text(record.id.clone())),
                None => record.document.clone().map(Datum::Text),
                Some(path) => record.metadata.get(path).cloned(),
            };
            match found {
                Some(Datum::List(items)) if !items.is_empty() => return self.dice.pick(&items).clone(),
                Some(Datum::List(_)) | None => {}
                Some(found) => return found,
            }
        }
        datum(self.dice, path.unwrap_or_default(), kind)
    }

    fn value(&mut self, column: &str, kind: &str) -> (String, Json) {
        let mut value = self.value_of(column, kind);
        if self.dice.one_in(12) {
            value = Datum::Null;
        }
        if self.dice.one_in(5) {
            value = match value {
                Datum::Int(value) if (-999..1000).contains(&value) => {
                    Datum::Float(value as f64 + [0.0, 0.5][self.dice.below(2)])
                }
                Datum::Float(value) if value == value.trunc() && value.abs() < 1000.0 => {
                    Datum::Int(value as i64)
                }
                other => other,
            };
        }
        self.written(&value)
    }

    /// A literal, or a parameter.
    fn written(&mut self, value: &Datum) -> (String, Json) {
        let (sql, ask) = literal(self.dice, value).expect("a value that has a literal");
        if !self.dice.one_in(4) {
            return (sql, ask);
        }
        let param = match value {
            Datum::Time(micros) if self.dice.one_in(2) => json!({"time": show_time(*micros)}),
            Datum::Int(value) if self.dice.one_in(2) => json!({"int": value.to_string()}),
            _ => ask.clone(),
        };
        (self.parameter(param), ask)
    }

    fn parameter(&mut self, value: Json) -> String {
        self.values.push(value);
        format!("\u{1}{}\u{2}", self.values.len() - 1)
    }

    /// Several values: in parentheses, some of them parameters, or as a parameter.
    fn list(&mut self, column: &str, kind: &str) -> (String, Json) {
        let (mut written, mut ask) = (Vec::new(), Vec::new());
        for _ in 0..self.dice.below(4) + 1 {
            let (sql, value) = self.value(column, kind);
            written.push(sql);
            ask.push(value);
        }
        match self.dice.below(4) {
            0 => (self.parameter(json!(ask)), json!(ask)),
            1 => {
                let inner = self.parameter(json!(ask));
                (format!("({inner}, {inner_sql})", inner_sql = written[0]), json!(ask))
            }
            _ => (format!("({})", written.join(", ")), json!(ask)),
        }
    }
}

/// What the oracle's expressions know.
const EXPRESSIONS: [&str; 17] = [
    "^a",
    "b$",
    "[a-c]+",
    "a.b",
    "(ab|it)",
    "\\d",
    "(?i)AB",
    "^$",
    "^.{0,2}$",
    "[^a]",
    "",
    "é",
    "^[^ ]*$",
    "(?i)ÉT",
    "x\\ny",
    "a*b?",
    "long .* than",
];
