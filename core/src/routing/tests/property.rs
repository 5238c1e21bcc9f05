//! Random records, random routing files that are true of them, random conditions: a skipped collection holds no record
//! that passes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{
    super::*,
    oracle::{Record, truth},
};
use crate::{
    plan::Plan,
    query::{Column, CompareOp, Expr, FieldRef, Literal, MatchOp, tests::Random},
    schema::Value,
};

const COLLECTIONS: [&str; 5] = ["c0", "c1", "c2", "c3", "c4"];
const DAYS: [&str; 4] = ["2024-05-01", "2024-05-01T00:00:00Z", "2024-05-01T02:00:00+02:00", "2024-05-02"];

/// The values of one type: a discriminator has one, as every column.
fn values(kind: usize) -> Vec<Value> {
    match kind {
        0 => ["a", "ab", "b", "", "3", "true", "2024-05-01"].map(|text| Value::Text(text.into())).to_vec(),
        1 => {
            vec![Value::Int(3), Value::Int(-1), Value::Int(1 << 53), Value::Int((1 << 53) + 1), Value::Int(0)]
        }
        2 => [3.0, 2.5, -1.0, 9007199254740992.0, 0.1].map(Value::Float).to_vec(),
        3 => vec![Value::Bool(true), Value::Bool(false)],
        _ => [0, 3].map(|i| Value::Time(crate::time::parse_time(DAYS[i]).expect("a day"))).to_vec(),
    }
}

/// A literal of any type, mostly one that fits.
fn literal(random: &mut Random, kind: usize) -> Literal {
    let kind = if random.below(8) == 0 { random.below(5) } else { kind };
    let number = [1, 2][random.below(2)];
    let value = match (random.below(10), kind) {
        (0, _) => Value::Null,
        (_, 4) => Value::Text(DAYS[random.below(DAYS.len())].into()),
        // Integers are compared with floats and floats with integers.
        (_, kind) => {
            let values = values(if matches!(kind, 1 | 2) { number } else { kind });
            values[random.below(values.len())].clone()
        }
    };
    let value = if random.below(12) == 0 { Value::Text("nobody".into()) } else { value };
    Literal { value, span: Default::default() }
}

fn condition(random: &mut Random, kind: usize, depth: usize) -> Expr {
    let parts =
        |random: &mut Random| (0..2 + random.below(2)).map(|_| condition(random, kind, depth - 1)).collect();
    match random.below(if depth == 0 { 2 } else { 7 }) {
        2 => Expr::Not(Box::new(condition(random, kind, depth - 1))),
        3 | 4 => Expr::And(parts(random)),
        5 | 6 => Expr::Or(parts(random)),
        _ => test(random, kind),
    }
}

fn test(random: &mut Random, kind: usize) -> Expr {
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
    let mine = random.below(4) > 0;
    let (path, kind) = if mine { ("meta.kind", kind) } else { ("x", 1) };
    let field = FieldRef { column: Column::Metadata(path.into()), span: Default::default() };
    let negated = random.below(2) == 0;
    let many = 1 + random.below(3);
    match random.below(9) {
        0..3 => Expr::Compare {
            field,
            op: [Eq, Ne, Lt, Le, Gt, Ge][random.below(6)],
            value: literal(random, kind),
        },
        3 | 4 => Expr::In { field, values: (0..many).map(|_| literal(random, kind)).collect(), negated },
        5 => Expr::Between { field, low: literal(random, kind), high: literal(random, kind), negated },
        6 => Expr::IsNull { field, negated },
        7 => Expr::Match { field, op: MatchOp::StartsWith, pattern: literal(random, kind), negated },
        _ => {
            let all = random.below(2) == 0;
            Expr::Contains { field, values: (0..many).map(|_| literal(random, kind)).collect(), all, negated }
        }
    }
}

fn records(random: &mut Random, kind: usize) -> BTreeMap<&'static str, Vec<Record>> {
    let domain = values(kind);
    let record = |random: &mut Random, few: usize| {
        let mut record = Record::from([("x".into(), Value::Int(random.below(4) as i64))]);
        if random.below(6) > 0 {
            record.insert("meta.kind".into(), domain[random.below(few)].clone());
        }
        record
    };
    let mut all = BTreeMap::new();
    for name in COLLECTIONS {
        let few = 1 + random.below(domain.len());
        all.insert(name, (0..random.below(4)).map(|_| record(random, few)).collect());
    }
    all
}

/// A value as a key of the file.
fn key(random: &mut Random, value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bool(true) => ["true", "True"][random.below(2)].into(),
        Value::Bool(false) => ["false", "FALSE"][random.below(2)].into(),
        Value::Int(3) => ["3", "3.0"][random.below(2)].into(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Time(0) => "1970-01-01".into(),
        time => crate::time::format_time(match time {
            Value::Time(micros) => *micros,
            other => panic!("{other:?}"),
        }),
    }
}

/// A file that is true of the records, incomplete where `fallback` allows it, and with more than is there.
fn file(random: &mut Random, kind: usize, all: &BTreeMap<&str, Vec<Record>>, fallback: bool) -> Json {
    let holds =
        |name: &str, value: &Value| all[name].iter().any(|record| record.get("meta.kind") == Some(value));
    let listed: BTreeSet<&str> = COLLECTIONS.into_iter().filter(|_| random.below(3) > 0).collect();
    let mut to_collections = serde_json::Map::new();
    for value in values(kind) {
        let everywhere_listed =
            COLLECTIONS.into_iter().all(|name| !holds(name, &value) || listed.contains(name));
        // Left out: unknown to the file, unless a list has it.
        if random.below(4) == 0 && (fallback || everywhere_listed) {
            continue;
        }
        // A collection whose list has the value need not be named again.
        let names: Vec<&str> = COLLECTIONS
            .into_iter()
            .filter(|name| match holds(name, &value) {
                true => !listed.contains(name) || random.below(4) > 0,
                false => random.below(8) == 0,
            })
            .collect();
        let entry = if random.below(2) == 0 { json!(names) } else { json!({ "collections": names }) };
        to_collections.insert(key(random, &value), entry);
    }
    let mut to_models = serde_json::Map::new();
    for name in listed {
        let held: Vec<Value> =
            values(kind).into_iter().filter(|v| holds(name, v) || random.below(10) == 0).collect();
        let held = held.iter().map(|value| match (random.below(2), value) {
            (0, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => value.to_json(),
            _ => Json::from(key(random, value)),
        });
        to_models.insert(name.into(), held.collect());
    }
    json!({
        "discriminator": (["meta.kind", "meta.kind"][random.below(2)]),
        "model_to_collections": to_collections,
        "collection_to_models": to_models,
    })
}

#[test]
fn skipped_collections_hold_nothing_that_passes() {
    let mut random = Random(7);
    let mut plan = Plan::parse("SELECT id FROM *").expect("a statement");
    let (mut skipped, mut routed, mut refused) = (0, 0, 0);
    for round in 0..4000 {
        let (kind, fallback) = (round % 5, round % 2 == 0);
        let all = records(&mut random, kind);
        let file = file(&mut random, kind, &all, fallback);
        let router = RoutingTable::parse(&file.to_string()).expect("a routing file").into_router(fallback);
        for _ in 0..10 {
            let depth = random.below(4);
            plan.filter = Some(condition(&mut random, kind, depth));
            let filter = plan.filter.as_ref().expect("it was just set");
            let without = Record::from([("x".into(), Value::Int(0))]);
            let Ok(route) = router.route(&plan, &COLLECTIONS) else {
                assert!(!fallback, "only strict routing refuses");
                refused += 1;
                continue;
            };
            // What is routed at all, no record without a value passes.
            assert!(fallback || truth(filter, &without) != Some(true), "{filter}");
            routed += 1;
            for name in COLLECTIONS.iter().filter(|name| route.skip_reason(name).is_some()) {
                skipped += 1;
                for record in &all[name] {
                    assert_ne!(
                        truth(filter, record),
                        Some(true),
                        "round {round}, {name}: {record:?} passes {filter} by {file}"
                    );
                }
            }
        }
    }
    // The test is worth nothing if nothing is ever skipped.
    assert!(skipped > 20_000 && refused > 2000, "{skipped} skipped in {routed} routes, {refused} refused");
}

/// With a complete file, one value a collection and no other field, routing is exact: what is asked holds a record that
/// passes.
#[test]
fn with_one_value_a_collection_nothing_is_asked_in_vain() {
    let mut random = Random(8);
    let mut plan = Plan::parse("SELECT id FROM *").expect("a statement");
    let texts = ["a", "ab", "b", "c", "d"];
    let file = json!({
        "discriminator": ["meta", "kind"],
        "model_to_collections": texts.iter().zip(COLLECTIONS).map(|(text, name)| (text.to_string(), json!([name]))).collect::<serde_json::Map<_, _>>(),
        "collection_to_models": COLLECTIONS.iter().zip(texts).map(|(name, text)| (name.to_string(), json!([text]))).collect::<serde_json::Map<_, _>>(),
    });
    let router = RoutingTable::parse(&file.to_string()).expect("a routing file").into_router(false);
    let mut asked = 0;
    for _ in 0..2000 {
        let filter = plain(&mut random, &texts, 3);
        plan.filter = Some(filter.clone());
        let Ok(route) = router.route(&plan, &COLLECTIONS) else { continue };
        for (name, text) in COLLECTIONS.iter().zip(texts) {
            let record = Record::from([("meta.kind".into(), Value::Text(text.into()))]);
            let passes = truth(&filter, &record) == Some(true);
            assert_eq!(route.skip_reason(name).is_none(), passes, "{name}: {filter}");
            asked += usize::from(passes);
        }
    }
    assert!(asked > 1000);
}

/// A condition on the discriminator alone.
fn plain(random: &mut Random, texts: &[&str], depth: usize) -> Expr {
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
    let field = FieldRef { column: Column::Metadata("meta.kind".into()), span: Default::default() };
    let mut value =
        || Literal { value: Value::Text(texts[random.below(texts.len())].into()), span: Default::default() };
    let (a, b) = (value(), value());
    let negated = random.below(2) == 0;
    match random.below(if depth == 0 { 4 } else { 7 }) {
        0 => Expr::Compare { field, op: [Eq, Ne, Lt, Le, Gt, Ge][random.below(6)], value: a },
        1 => Expr::In { field, values: vec![a, b], negated },
        2 => Expr::Between { field, low: a, high: b, negated },
        3 => Expr::Match { field, op: MatchOp::StartsWith, pattern: a, negated },
        4 => Expr::Not(Box::new(plain(random, texts, depth - 1))),
        5 => Expr::And(vec![plain(random, texts, depth - 1), plain(random, texts, depth - 1)]),
        _ => Expr::Or(vec![plain(random, texts, depth - 1), plain(random, texts, depth - 1)]),
    }
}
