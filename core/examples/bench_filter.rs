//! Speed of the parser and of filters: `cargo run --release -p portolan --example bench_filter`.
//!
//! Prints microseconds for parsing and planning, and comparisons per second for filters over a resident column.

use std::{hint::black_box, time::Instant};

use portolan::{
    filter::{Bind, BindSchema, ColumnBlock, ColumnData, Filter, ItemData, ListData, TextDictionary},
    plan::Plan,
    query::Column,
    schema::FieldType,
};

const MEDIUM: &str = "SELECT id, document, metadata.title AS title, distance FROM articles \
     USING EMBEDDING (TEXT 'deep sea navigation') \
     WHERE metadata.lang = 'en' AND metadata.year BETWEEN 1990 AND 2005 AND metadata.kind IN ('a', 'b', 'c') \
     TOPK 20 LIMIT 10 OFFSET 5";

const ROWS: usize = 1 << 14;
const BLOCKS: usize = 64;

/// A thousand texts of four digits.
struct Texts(Vec<String>);

impl TextDictionary for Texts {
    fn len(&self) -> u32 {
        self.0.len() as u32
    }

    fn get(&self, code: u32) -> Option<&str> {
        self.0.get(code as usize).map(String::as_str)
    }
}

impl BindSchema for Texts {
    fn field_type(&self, path: &str) -> Option<FieldType> {
        match path {
            "i" => Some(FieldType::Int),
            "f" => Some(FieldType::Float),
            "s" => Some(FieldType::Text),
            "b" => Some(FieldType::Bool),
            "l" => Some(FieldType::List(Box::new(FieldType::Int))),
            _ => None,
        }
    }

    fn dictionary(&self, _: &Column) -> Option<&dyn TextDictionary> {
        Some(self)
    }
}

/// The best of a few runs, in seconds.
fn best(mut work: impl FnMut()) -> f64 {
    let run = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..20).map(run).fold(f64::MAX, f64::min)
}

fn plan_time(name: &str, sql: &str, repeat: usize) {
    let seconds = best(|| {
        for _ in 0..repeat {
            black_box(Plan::parse(black_box(sql)).is_ok());
        }
    });
    let microseconds = seconds / repeat as f64 * 1e6;
    println!(r#"{{"name":"{name}","ratio":{microseconds:.2},"better":"lower","note":"microseconds"}}"#);
}

struct Columns {
    ints: Vec<[u8; 8]>,
    floats: Vec<[u8; 8]>,
    codes: Vec<[u8; 4]>,
    bits: Vec<u8>,
    valid: Vec<u8>,
    /// Three items a row.
    ends: Vec<[u8; 4]>,
    items: Vec<[u8; 8]>,
}

impl Columns {
    fn new() -> Self {
        let number = |row: usize| (row * 7919 + 13) % 1000;
        Self {
            ints: (0..ROWS).map(|row| (number(row) as i64).to_le_bytes()).collect(),
            floats: (0..ROWS).map(|row| (number(row) as f64).to_le_bytes()).collect(),
            codes: (0..ROWS).map(|row| (number(row) as u32).to_le_bytes()).collect(),
            bits: (0..ROWS / 8).map(|byte| (byte * 37) as u8).collect(),
            valid: (0..ROWS / 8).map(|byte| !(byte as u8 & 3)).collect(),
            ends: (0..ROWS).map(|row| (row as u32 * 3 + 3).to_le_bytes()).collect(),
            items: (0..ROWS * 3).map(|item| (number(item) as i64).to_le_bytes()).collect(),
        }
    }

    fn block(&self, column: &Column) -> ColumnBlock<'_> {
        let data = match column {
            Column::Metadata(path) if path == "l" => {
                ColumnData::List(ListData { ends: &self.ends, items: ItemData::Int(&self.items) })
            }
            Column::Metadata(path) if path == "i" => ColumnData::Int(&self.ints),
            Column::Metadata(path) if path == "f" => ColumnData::Float(&self.floats),
            Column::Metadata(path) if path == "b" => ColumnData::Bool(&self.bits),
            _ => ColumnData::Text(&self.codes),
        };
        ColumnBlock { rows: ROWS, valid: &self.valid, data }
    }
}

fn filter_speed(condition: &str, shown: &str, texts: &Texts, columns: &Columns) {
    let sql = format!("SELECT id FROM t WHERE {condition}");
    let expr = Plan::parse(&sql).ok().and_then(|plan| plan.filter);
    let Some(Ok(Bind::Ready(filter))) = expr.map(|expr| Filter::bind(&expr, texts)) else {
        println!("{shown}: cannot be bound");
        return;
    };
    let blocks: Vec<ColumnBlock<'_>> = filter.columns().iter().map(|column| columns.block(column)).collect();
    let mut passed = 0;
    let seconds = best(|| {
        passed = 0;
        for _ in 0..BLOCKS {
            passed += filter.evaluate(ROWS, black_box(&blocks)).map_or(0, |mask| mask.count());
        }
    });
    let rows = (ROWS * BLOCKS) as f64;
    println!(
        r#"{{"name":"filter {shown}","ratio":{:.2},"goal":1.0,"note":"of 200 million rows a second; {:.1} % pass"}}"#,
        rows / seconds / 200e6,
        passed as f64 / rows * 100.0
    );
}

/// Megabytes of documents a second that tests without a dictionary search.
fn search_speed(texts: &Texts) {
    let sentence = "the quick brown fox jumps over the lazy dog and runs into number ";
    let documents: Vec<String> = (0..4096).map(|number| format!("{sentence}{number}")).collect();
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    let valid = vec![0xff; 512];
    let bytes: usize = documents.iter().map(|text| text.len()).sum();
    for condition in [
        "document CONTAINS 'number 77'",
        "document LIKE '%dog%number%77'",
        "document ILIKE '%DOG%number%77'",
        "document REGEX 'number \\d*77$'",
        "document REGEX '(?i)(cat|DOG).*77'",
        "document REGEX '\\w+ \\w+7$'",
    ] {
        let sql = format!("SELECT id FROM t WHERE {condition}");
        let expr = Plan::parse(&sql).ok().and_then(|plan| plan.filter);
        let Some(Ok(Bind::Ready(filter))) = expr.map(|expr| Filter::bind(&expr, texts)) else {
            println!("{condition}: cannot be bound");
            continue;
        };
        let block = ColumnBlock { rows: 4096, valid: &valid, data: ColumnData::Plain(&documents) };
        let seconds = best(|| drop(black_box(filter.evaluate(4096, black_box(&[block])))));
        println!(
            r#"{{"name":"search {condition}","ratio":{:.0},"note":"megabytes a second"}}"#,
            bytes as f64 / seconds / 1e6
        );
    }
}

fn main() {
    plan_time("plan a medium statement", MEDIUM, 1000);
    plan_time("plan the smallest statement", "SELECT * FROM t", 1000);
    let list =
        |count: usize| format!("SELECT id FROM t WHERE id IN ('x'{})", ", 'some value'".repeat(count - 1));
    plan_time("plan an IN list of 1,000", &list(1000), 20);
    plan_time("plan an IN list of 10,000", &list(10_000), 2);
    let vector = format!("SELECT * FROM t USING EMBEDDING (VECTOR [0.5{}])", ", -0.0123456".repeat(1535));
    plan_time("plan a vector of 1,536 numbers", &vector, 20);

    let texts = Texts((0..1000).map(|number| format!("{number:04}")).collect());
    let columns = Columns::new();
    let odd: Vec<String> = (0..400).map(|number| (number * 2).to_string()).collect();
    let many = format!("metadata.i IN ({})", odd.join(", "));
    let quoted: Vec<String> = (0..400).map(|number| format!("'{:04}'", number * 2)).collect();
    let many_texts = format!("metadata.s IN ({})", quoted.join(", "));
    for (condition, shown) in [
        ("metadata.i = 500", "i = 500"),
        ("metadata.i < 500.5", "i < 500.5"),
        ("metadata.i != 500", "i != 500"),
        ("metadata.f BETWEEN 100 AND 300", "f BETWEEN 100 AND 300"),
        ("metadata.s = '0500'", "s = '0500'"),
        ("metadata.s >= '0500'", "s >= '0500'"),
        ("metadata.b = TRUE", "b = TRUE"),
        (&many, "i IN (400 values)"),
        (&many_texts, "s IN (400 values)"),
        ("metadata.s LIKE '0%_5%'", "s LIKE '0%_5%'"),
        ("metadata.l CONTAINS 500", "l CONTAINS 500, 3 items a row"),
        ("metadata.l CONTAINS ALL (500, 419)", "l CONTAINS ALL (2 values)"),
        ("metadata.s > '0500' AND metadata.i < 700 OR metadata.f = 3", "s > .. AND i < .. OR f = .."),
    ] {
        filter_speed(condition, shown, &texts, &columns);
    }
    search_speed(&texts);
}
