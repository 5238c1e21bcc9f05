//! Speed of the parser and planner: `cargo run --release -p portolan --example bench_plan`.
//!
//! Prints microseconds for a statement of ordinary size, and MB/s for long ones: they take linear time if the rate stays
//! the same from a tenth of the length on.

use std::{hint::black_box, time::Instant};

use portolan::{
    plan::Plan,
    query::{Param, Params},
    schema::Value,
};

/// A statement as the reference's measurements call medium, every common clause once.
const MEDIUM: &str = "SELECT id, document, metadata.title AS title, distance FROM articles \
     USING EMBEDDING (VECTOR [0.36, 0.27, 0.76, 0.67, -0.16, 0.05, -0.58, 0.09]) \
     WHERE metadata.lang = 'en' AND metadata.year BETWEEN 1990 AND 2005 AND metadata.kind IN ('a', 'b', 'c') \
     AND document CONTAINS 'snow' TOPK 20 ORDER BY metadata.year DESC, distance LIMIT 10 OFFSET 5";

const BOUND: &str = "SELECT id, document, metadata.title AS title, distance FROM articles \
     USING EMBEDDING (VECTOR :vector) \
     WHERE metadata.lang = ? AND metadata.year BETWEEN ? AND ? AND metadata.kind IN ? \
     AND document CONTAINS ? TOPK 20 ORDER BY metadata.year DESC, distance LIMIT 10 OFFSET 5";

/// The best of a few runs of `repeat` plans, in seconds a plan.
fn seconds(sql: &str, params: &Params, repeat: usize) -> f64 {
    let run = |_| {
        let start = Instant::now();
        for _ in 0..repeat {
            assert!(Plan::parse_with(black_box(sql), params).is_ok(), "{:.200}", sql);
        }
        start.elapsed().as_secs_f64() / repeat as f64
    };
    (0..20).map(run).fold(f64::MAX, f64::min)
}

fn print_micros(name: &str, sql: &str, params: &Params) {
    let microseconds = seconds(sql, params, 2000) * 1e6;
    println!(
        r#"{{"name":"{name}","ratio":{microseconds:.2},"goal":10,"better":"lower","note":"microseconds"}}"#
    );
}

fn print_rate(name: &str, sql: &str) {
    let rate = sql.len() as f64 / seconds(sql, &Params::none(), 20) / 1e6;
    println!(
        r#"{{"name":"{name} of {} bytes","ratio":{rate:.1},"better":"higher","note":"MB/s"}}"#,
        sql.len()
    );
}

fn in_list(values: usize) -> String {
    let list: Vec<String> = (0..values).map(|value| format!("'value {value}'")).collect();
    format!("SELECT id FROM t WHERE metadata.a IN ({})", list.join(", "))
}

/// Tests under AND and OR, `length` bytes of them.
fn conditions(length: usize) -> String {
    let one =
        "(metadata.year >= 1990 OR metadata.tags CONTAINS ANY ('a', 'b') OR NOT document ILIKE '%snow%')";
    format!("SELECT id FROM t WHERE {one}{}", format!(" AND {one}").repeat(length / (one.len() + 5)))
}

fn vector(components: usize) -> String {
    let list: Vec<String> = (0..components).map(|i| format!("{:.6}", (i as f32 * 0.7).sin())).collect();
    format!("SELECT id FROM t USING EMBEDDING (VECTOR [{}])", list.join(", "))
}

fn main() {
    let text = |text: &str| Value::Text(String::from(text));
    let params = Params::none()
        .push(text("en"))
        .push(Value::Int(1990))
        .push(Value::Int(2005))
        .push(Value::List(vec![text("a"), text("b"), text("c")]))
        .push(text("snow"))
        .set("vector", Param::Vector(vec![0.36, 0.27, 0.76, 0.67, -0.16, 0.05, -0.58, 0.09]));
    print_micros("plan the medium statement", MEDIUM, &Params::none());
    print_micros("plan the medium statement with parameters", BOUND, &params);
    for length in [10_000, 100_000, 1_000_000] {
        print_rate("plan conditions", &conditions(length));
    }
    for values in [1000, 10_000] {
        print_rate(&format!("plan an IN list of {values} values"), &in_list(values));
    }
    for components in [1536, 15_360] {
        print_rate(&format!("plan a vector of {components} numbers"), &vector(components));
    }
}
