//! The oracle's WHERE: conditions as nested JSON arrays, evaluated row by row in three-valued logic.
//!
//! `["=", "metadata.year", 2000]`, `["in", column, [..]]`, `["between", column, low, high]`, `["null", column]`,
//! `["like" | "ilike" | "regex" | "starts", column, text]`, `["contains", column, value]`,
//! `["contains any" | "contains all", column, [..]]`, `["not", c]`, `["and", c, ..]`, `["or", c, ..]`. The negated forms
//! of the language (`NOT IN`, `IS NOT NULL` ...) are written with `not`, which means the same.

use serde_json::Value as Json;

use super::{
    pattern,
    value::{Datum, order, parse_time},
};

/// `None` is unknown.
pub type Truth = Option<bool>;

/// Whether the condition holds for a row whose columns `column` gives.
pub fn truth(condition: &Json, column: &dyn Fn(&str) -> Datum) -> Truth {
    let parts = condition.as_array().unwrap_or_else(|| panic!("not a condition: {condition}"));
    let operator = parts[0].as_str().unwrap();
    let all = || parts[1..].iter().map(|part| truth(part, column));
    match operator {
        "not" => not(truth(&parts[1], column)),
        "and" => all().fold(Some(true), and),
        "or" => not(all().map(not).fold(Some(true), and)),
        _ => test(operator, &column(parts[1].as_str().unwrap()), &parts[2..]),
    }
}

fn not(truth: Truth) -> Truth {
    truth.map(|truth| !truth)
}

fn and(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Truth, b: Truth) -> Truth {
    not(and(not(a), not(b)))
}

fn test(operator: &str, value: &Datum, operands: &[Json]) -> Truth {
    let any_of = |operands: &Json, test: &dyn Fn(&Json) -> Truth| {
        operands.as_array().unwrap().iter().map(test).fold(Some(false), or)
    };
    match operator {
        "null" => Some(*value == Datum::Null),
        "in" => any_of(&operands[0], &|operand| compare("=", value, operand)),
        "between" => and(compare(">=", value, &operands[0]), compare("<=", value, &operands[1])),
        "contains" => contains(value, &operands[0]),
        "contains any" => any_of(&operands[0], &|operand| contains(value, operand)),
        "contains all" => {
            operands[0].as_array().unwrap().iter().map(|one| contains(value, one)).fold(Some(true), and)
        }
        "like" | "ilike" | "regex" | "starts" => matches(operator, value, &operands[0]),
        _ => compare(operator, value, &operands[0]),
    }
}

/// The operand as a value of the column's type: texts stand for times.
fn operand(json: &Json, beside: &Datum) -> Datum {
    match (Datum::literal(json), beside) {
        (Datum::Text(text), Datum::Time(_)) => Datum::Time(parse_time(&text).unwrap()),
        (literal, _) => literal,
    }
}

fn compare(operator: &str, value: &Datum, operand_json: &Json) -> Truth {
    let operand = operand(operand_json, value);
    if *value == Datum::Null || operand == Datum::Null {
        return None;
    }
    let comparable = std::mem::discriminant(value) == std::mem::discriminant(&operand)
        || (value.number().is_some() && operand.number().is_some());
    assert!(comparable, "{value:?} {operator} {operand:?} should be an error");
    let order = order(value, &operand);
    Some(match operator {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        _ => panic!("no such operator: {operator}"),
    })
}

fn contains(value: &Datum, wanted: &Json) -> Truth {
    match (value, Datum::literal(wanted)) {
        (Datum::Null, _) | (_, Datum::Null) => None,
        (Datum::Text(text), Datum::Text(part)) => Some(text.contains(&part)),
        (Datum::List(items), _) => {
            // A null in a list is no value that could be looked for.
            let mut present = items.iter().filter(|item| **item != Datum::Null);
            Some(present.any(|item| compare("=", item, wanted) == Some(true)))
        }
        (value, wanted) => panic!("{value:?} CONTAINS {wanted:?} should be an error"),
    }
}

fn matches(operator: &str, value: &Datum, pattern: &Json) -> Truth {
    let (text, pattern) = match (value, Datum::literal(pattern)) {
        (Datum::Null, _) | (_, Datum::Null) => return None,
        (Datum::Text(text), Datum::Text(pattern)) => (text, pattern),
        (value, pattern) => panic!("{value:?} {operator} {pattern:?} should be an error"),
    };
    let chars = |text: &str| text.chars().collect::<Vec<char>>();
    Some(match operator {
        "like" => pattern::like(&chars(text), &chars(&pattern)),
        "ilike" => pattern::like(&pattern::fold(text), &pattern::fold(&pattern)),
        "regex" => pattern::regex(text, &pattern),
        _ => text.starts_with(&pattern),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(condition: Json, value: Datum) -> Truth {
        truth(&condition, &|_| value.clone())
    }

    #[test]
    fn null_is_unknown_in_every_test_but_is_null() {
        for condition in [
            json!(["=", "x", 1]),
            json!(["!=", "x", 1]),
            json!(["in", "x", [1]]),
            json!(["between", "x", 1, 2]),
            json!(["like", "x", "%"]),
            json!(["contains", "x", 1]),
            json!(["not", ["=", "x", 1]]),
        ] {
            assert_eq!(of(condition.clone(), Datum::Null), None, "{condition}");
        }
        assert_eq!(of(json!(["null", "x"]), Datum::Null), Some(true));
        assert_eq!(of(json!(["or", ["=", "x", 1], ["null", "x"]]), Datum::Null), Some(true));
        assert_eq!(of(json!(["and", ["=", "x", 1], ["not", ["null", "x"]]]), Datum::Null), Some(false));
    }

    #[test]
    fn null_in_a_list_leaves_only_true() {
        assert_eq!(of(json!(["in", "x", [1, null]]), Datum::Int(1)), Some(true));
        assert_eq!(of(json!(["in", "x", [1, null]]), Datum::Int(2)), None);
        assert_eq!(of(json!(["not", ["in", "x", [1, null]]]), Datum::Int(2)), None);
        // A bound that is null does not save a value outside of the other.
        assert_eq!(of(json!(["between", "x", 5, null]), Datum::Int(2)), Some(false));
        assert_eq!(of(json!(["between", "x", 1, null]), Datum::Int(2)), None);
    }

    #[test]
    fn lists_hold_values() {
        let list = Datum::List(vec![Datum::Int(2), Datum::Int(3)]);
        assert_eq!(of(json!(["contains", "x", 2.0]), list.clone()), Some(true));
        assert_eq!(of(json!(["contains any", "x", [1, 3]]), list.clone()), Some(true));
        assert_eq!(of(json!(["contains all", "x", [2, 3, 4]]), list.clone()), Some(false));
        assert_eq!(of(json!(["contains all", "x", [2, null]]), list), None);
        assert_eq!(of(json!(["contains any", "x", [1]]), Datum::List(vec![])), Some(false));
    }
}
