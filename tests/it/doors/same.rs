//! Whether two doors gave the same answers.

use serde_json::{Map, Value as Json};

use super::{setting::Setting, statements::Statement};

/// Distances may differ by this much; everything else not at all.
const TOLERANCE: f64 = 1e-5;
/// Over ranges, a statement whose release is opened takes at most this many.
const MOST_WAVES: u64 = 3;
/// What depends on how bytes come in, and what a door may word or leave out as it likes.
const HOST_KEYS: [&str; 5] = ["waves", "transfer", "micros", "message", "kind"];

/// Fails unless the answers are the expected ones; says how many numbers were equal to the bit.
pub fn check(door: &str, statements: &[Statement], expected: &[Json], answers: &[Json]) {
    assert_eq!(answers.len(), statements.len(), "{door}: one answer per statement");
    let mut numbers = Numbers::default();
    for ((statement, expected), answer) in statements.iter().zip(expected).zip(answers) {
        if let Err(place) = compare(expected, answer, "", &mut numbers) {
            panic!(
                "{door} differs at {place} in {:?}\nnative: {expected:#}\n{door}: {answer:#}",
                statement.name
            );
        }
    }
    println!(
        "{door}: {} statements as native code, {} of {} numbers equal to the bit",
        answers.len(),
        numbers.equal,
        numbers.all
    );
}

/// The numbers seen so far.
#[derive(Default)]
struct Numbers {
    all: usize,
    equal: usize,
}

impl Numbers {
    fn near(&mut self, a: Option<f64>, b: Option<f64>) -> bool {
        self.all += 1;
        self.equal += usize::from(a == b);
        a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= TOLERANCE)
    }
}

fn compare(expected: &Json, answer: &Json, place: &str, numbers: &mut Numbers) -> Result<(), String> {
    match (expected, answer) {
        (Json::Object(a), Json::Object(b)) => {
            let (keys, other_keys) = (keys_that_count(a), keys_that_count(b));
            if keys != other_keys {
                return Err(format!("{place}: the keys are {keys:?} and {other_keys:?}"));
            }
            let same = |key| compare(&expected[key], &answer[key], &format!("{place}.{key}"), numbers);
            keys.into_iter().try_for_each(same)
        }
        // A whole file has its ids at hand where ranges bring records, and never reads more.
        (Json::Number(a), Json::Number(b)) if place.ends_with("bytes") && a.as_u64() <= b.as_u64() => Ok(()),
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.try_for_each(|(i, (a, b))| compare(a, b, &format!("{place}[{i}]"), numbers))
        }
        (Json::Number(a), Json::Number(b)) if numbers.near(a.as_f64(), b.as_f64()) => Ok(()),
        _ if expected == answer => Ok(()),
        _ => Err(place.into()),
    }
}

/// What EXPLAIN ANALYZE says for people holds times; its plan says the same for programs.
fn keys_that_count(object: &Map<String, Json>) -> Vec<&str> {
    let executed = object.get("plan").is_some_and(|plan| plan["executed"].is_object());
    let counts = |key: &&str| !(HOST_KEYS.contains(key) || executed && *key == "explanation");
    let mut keys: Vec<&str> = object.keys().map(String::as_str).filter(counts).collect();
    keys.sort_unstable();
    keys
}

/// Fails if a statement, asked of a release just opened, took more waves than promised.
pub fn check_waves(door: &str, setting: &Setting, answers: &[Json]) {
    let mut most = (0, 0, String::new());
    for (statement, answer) in setting.statements.iter().zip(answers) {
        let waves = answer["waves"].as_u64().unwrap_or(0);
        assert!(waves <= MOST_WAVES, "{door}: {waves} waves for {:?}", statement.name);
        let bytes = answer["transfer"]["bytes"].as_u64().unwrap_or(0);
        most = most.max((waves, bytes, statement.name.clone()));
    }
    println!("{door}: at most {} waves over HTTP ({} bytes for {:?})", most.0, most.1, most.2);
}
