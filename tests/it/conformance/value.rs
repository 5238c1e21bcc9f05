//! The oracle's values: how they compare, and how they look in an answer.
//!
//! Written from the language's description alone. It shares no code with the engine, so that both cannot be wrong in the
//! same way, and it prefers plain loops to speed.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::{Value as Json, json};

/// A value of a record, of a statement or of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Microseconds since 1970.
    Time(i64),
    List(Vec<Datum>),
    Object(BTreeMap<String, Datum>),
}

impl Datum {
    /// A literal of a case: plain JSON, or `{"int": "..."}`, `{"time": "..."}` for what JSON cannot say.
    pub fn literal(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::Float(number.as_f64().unwrap()),
            },
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::literal).collect()),
            Json::Object(tagged) => match (tagged.get("int"), tagged.get("time")) {
                (Some(digits), _) => Self::Int(digits.as_str().unwrap().parse().unwrap()),
                (_, Some(text)) => Self::Time(parse_time(text.as_str().unwrap()).unwrap()),
                _ => panic!("not a literal: {json}"),
            },
        }
    }

    /// The value of a field of the declared type, as the data file writes it.
    pub fn typed(json: &Json, kind: &str) -> Self {
        if let (Json::Array(items), Some(kind)) = (json, kind.strip_prefix("list ")) {
            return Self::List(items.iter().map(|item| Self::typed(item, kind)).collect());
        }
        match (json, kind) {
            (Json::Null, _) => Self::Null,
            (Json::Bool(value), "bool") => Self::Bool(*value),
            (Json::Number(number), "int") => Self::Int(number.as_i64().unwrap()),
            (Json::Number(number), "float") => Self::Float(number.as_f64().unwrap()),
            (Json::String(text), "text") => Self::Text(text.clone()),
            (Json::String(text), "time") => Self::Time(parse_time(text).unwrap()),
            _ => panic!("{json} is no {kind}"),
        }
    }

    /// As an answer shows it.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => json!(value),
            Self::Int(value) => json!(value),
            Self::Float(value) => json!(value),
            Self::Text(text) => json!(text),
            Self::Time(micros) => json!(show_time(*micros)),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Object(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect()
            }
        }
    }

    /// What arithmetic calculates with.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }
}

/// The order of ORDER BY, MIN, MAX and group keys between values that are not null: by type, then by value.
pub fn order(a: &Datum, b: &Datum) -> Ordering {
    use Datum::{Bool, Float, Int, List, Object, Text, Time};
    match (a, b) {
        (Bool(a), Bool(b)) => a.cmp(b),
        (Int(a), Int(b)) | (Time(a), Time(b)) => a.cmp(b),
        (Float(a), Float(b)) => a.partial_cmp(b).unwrap(),
        (Int(a), Float(b)) => int_with_float(*a, *b),
        (Float(a), Int(b)) => int_with_float(*b, *a).reverse(),
        (Text(a), Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (List(a), List(b)) => {
            let first = a.iter().zip(b).map(|(a, b)| order(a, b)).find(|order| order.is_ne());
            first.unwrap_or(a.len().cmp(&b.len()))
        }
        (Object(a), Object(b)) => {
            let entry = |((a_key, a), (b_key, b))| Ord::cmp(a_key, b_key).then_with(|| order(a, b));
            let first = a.iter().zip(b).map(entry).find(|order| order.is_ne());
            first.unwrap_or(a.len().cmp(&b.len()))
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

/// [`order`] with a place for nulls.
pub fn order_with_nulls(a: &Datum, b: &Datum, descending: bool, nulls_first: bool) -> Ordering {
    let null = |value: &Datum| *value == Datum::Null;
    let by_null = if nulls_first { null(b).cmp(&null(a)) } else { null(a).cmp(&null(b)) };
    if by_null.is_ne() || null(a) {
        return by_null;
    }
    if descending { order(b, a) } else { order(a, b) }
}

fn rank(value: &Datum) -> u8 {
    match value {
        // Last, inside of a list too.
        Datum::Null => 7,
        Datum::Bool(_) => 1,
        Datum::Int(_) | Datum::Float(_) => 2,
        Datum::Text(_) => 3,
        Datum::Time(_) => 4,
        Datum::List(_) => 5,
        Datum::Object(_) => 6,
    }
}

/// Mathematically: no rounding of the integer.
fn int_with_float(int: i64, float: f64) -> Ordering {
    let whole = float.floor();
    if whole.abs() > 1e20 {
        return 0.0.partial_cmp(&whole).unwrap();
    }
    i128::from(int).cmp(&(whole as i128)).then(if float > whole { Ordering::Less } else { Ordering::Equal })
}

/// `2024-05-01`, `2024-05-01T12:30`, `2024-05-01 12:30:15.250+02:00` as microseconds since 1970.
pub fn parse_time(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let mut micros = days_before(year, month, day) * 86_400_000_000;
    let Some(time) = time.strip_prefix(['T', ' ']) else { return time.is_empty().then_some(micros) };
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => (time, "Z"),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    for (part, unit) in clock.split(':').zip([3_600_000_000, 60_000_000, 1_000_000]) {
        micros += part.parse::<i64>().ok()? * unit;
    }
    micros += format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()?;
    if let Some(sign) = offset.chars().next().filter(|sign| *sign != 'Z') {
        let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
        let hours: i64 = digits.get(..2)?.parse().ok()?;
        let minutes: i64 =
            digits.get(2..).filter(|rest| !rest.is_empty()).map_or(Some(0), |rest| rest.parse().ok())?;
        micros += (hours * 60 + minutes) * if sign == '+' { -60_000_000 } else { 60_000_000 };
    }
    Some(micros)
}

/// `2024-05-01T12:30:15Z`, with six decimals where there is a fraction.
pub fn show_time(micros: i64) -> String {
    let mut days = micros.div_euclid(86_400_000_000);
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += year_length(year);
    }
    while days >= year_length(year) {
        days -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= month_length(year, month) {
        days -= month_length(year, month);
        month += 1;
    }
    let rest = micros.rem_euclid(86_400_000_000);
    let (second, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{:02}{fraction}Z", days + 1, second % 60)
}

/// Days from 1970-01-01 to the date, counted year by year.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let years: i64 = if year >= 1970 {
        (1970..year).map(year_length).sum()
    } else {
        -(year..1970).map(year_length).sum::<i64>()
    };
    years + (1..month).map(|month| month_length(year, month)).sum::<i64>() + day - 1
}

fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn year_length(year: i64) -> i64 {
    365 + i64::from(leap(year))
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[test]
fn numbers_compare_by_exact_value() {
    let (int, float) = (Datum::Int, Datum::Float);
    assert_eq!(order(&int(9_007_199_254_740_993), &float(9_007_199_254_740_992.0)), Ordering::Greater);
    assert_eq!(order(&float(9_223_372_036_854_775_808.0), &int(i64::MAX)), Ordering::Greater);
    assert_eq!(order(&int(i64::MIN), &float(-9_223_372_036_854_775_808.0)), Ordering::Equal);
    assert_eq!(order(&int(2), &float(2.5)), Ordering::Less);
    assert_eq!(order(&int(-2), &float(-2.5)), Ordering::Greater);
    assert_eq!(order(&float(-0.0), &int(0)), Ordering::Equal);
    assert_eq!(order(&float(1e300), &int(0)), Ordering::Greater);
    assert_eq!(order(&Datum::Bool(true), &int(-5)), Ordering::Less);
}

#[test]
fn times_are_read_and_shown() {
    for (text, micros, shown) in [
        ("1970-01-01", 0, "1970-01-01T00:00:00Z"),
        ("1969-12-31T23:59:59.5", -500_000, "1969-12-31T23:59:59.500000Z"),
        ("2024-03-01 01:00+02:00", 1_709_247_600_000_000, "2024-02-29T23:00:00Z"),
        ("1900-03-01T00:00:00Z", -2_203_891_200_000_000, "1900-03-01T00:00:00Z"),
    ] {
        assert_eq!(parse_time(text), Some(micros), "{text}");
        assert_eq!(show_time(micros), shown);
    }
}

#[test]
fn nulls_are_last_unless_asked_first() {
    let (one, two, null) = (Datum::Int(1), Datum::Int(2), Datum::Null);
    assert_eq!(order_with_nulls(&one, &two, true, false), Ordering::Greater);
    assert_eq!(order_with_nulls(&one, &null, true, false), Ordering::Less);
    assert_eq!(order_with_nulls(&one, &null, false, true), Ordering::Greater);
    assert_eq!(order_with_nulls(&null, &null, false, true), Ordering::Equal);
}
