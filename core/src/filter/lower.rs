//! Lowering: sets of literals to sets of keys, and folding of what is decided already.

use super::{
    bind::{Bound, Pass},
    column::TextDictionary,
    keys::{FloatSet, KeySet},
    logic::{ValueSet, sort_keys},
    reach::{Reach, code_range, find, prefix_range},
};
use crate::{
    gather::Gather as _,
    order::Map,
    pattern::{Pattern, Scratch},
    schema::Value,
};

/// All values that are not null, or none.
pub(super) fn all(every: bool) -> Pass {
    Pass::Int(if every { Reach::Everything } else { Reach::Nothing })
}

/// Integers in a set of numbers, some of which may be no integers.
pub(super) fn ints(set: &ValueSet<'_>, negated: bool) -> Pass {
    keys(set.numbers.iter().filter_map(|number| as_int(number)).gather(), negated)
}

/// Keys in a sorted list.
pub(super) fn keys(sorted: Vec<i64>, negated: bool) -> Pass {
    match KeySet::new(sorted) {
        Ok(set) => Pass::Keys(set, negated),
        Err(reach) => Pass::Int(if negated { reach.opposite() } else { reach }),
    }
}

/// Codes of the texts that the dictionary has. Looks up whichever are fewer: a list of thousands may meet thousands of
/// small collections.
pub(super) fn codes(set: &ValueSet<'_>, dictionary: &dyn TextDictionary, negated: bool) -> Pass {
    let listed =
        |code: &u32| dictionary.get(*code).is_some_and(|text| set.texts.binary_search(&text).is_ok());
    let codes = match (dictionary.len() as usize) < set.texts.len() {
        true => (0..dictionary.len()).filter(listed).map(i64::from).gather(),
        false => set.texts.iter().filter_map(|text| find(dictionary, text).ok()).map(i64::from).gather(),
    };
    match keys(codes, negated) {
        Pass::Int(reach) => Pass::Code(narrow(reach)),
        pass => pass,
    }
}

/// Codes of the texts that a pattern matches. Each is looked at once, and only those that begin as the pattern does.
pub(super) fn matching(pattern: &Pattern, dictionary: &dyn TextDictionary, negated: bool) -> Pass {
    let (start, end) = prefix_range(&pattern.prefix(), dictionary);
    if matches!(pattern, Pattern::Prefix(_)) {
        let reach = code_range(start, end, dictionary.len());
        return Pass::Code(if negated { reach.opposite() } else { reach });
    }
    let mut scratch = Scratch::default();
    let mut matches =
        |code: &u32| dictionary.get(*code).is_some_and(|text| pattern.is_match(text, &mut scratch));
    let codes = (start..end).filter(|code| matches(code)).map(i64::from).gather();
    match keys(codes, negated) {
        Pass::Int(reach) => Pass::Code(narrow(reach)),
        pass => pass,
    }
}

/// A range of codes that was computed as a range of keys.
fn narrow(reach: Reach<i64>) -> Reach<u32> {
    let code = |key: i64| u32::try_from(key).unwrap_or(u32::MAX);
    match reach {
        Reach::Nothing => Reach::Nothing,
        Reach::Everything => Reach::Everything,
        Reach::Within(low, high) => Reach::Within(code(low), code(high)),
        Reach::Outside(low, high) => Reach::Outside(code(low), code(high)),
    }
}

/// Floats in a set of numbers, some of which may be integers that no float equals.
pub(super) fn floats(set: &ValueSet<'_>, negated: bool) -> Pass {
    let members: Vec<f64> = set.numbers.iter().filter_map(|number| as_float(number)).gather();
    match members.as_slice() {
        [] => all(negated),
        [only] if negated => Pass::Float(Reach::Outside(*only, *only)),
        [only] => Pass::Float(Reach::Within(*only, *only)),
        _ => Pass::Floats(FloatSet(members), negated),
    }
}

/// The integer equal to a number, if there is one in range.
fn as_int(number: &Value) -> Option<i64> {
    match number {
        Value::Int(value) => Some(*value),
        Value::Float(value) => {
            let int = *value as i64;
            super::compare::compare_int_float(int, *value)?.is_eq().then_some(int)
        }
        _ => None,
    }
}

/// The float equal to a number, if there is one.
fn as_float(number: &Value) -> Option<f64> {
    match number {
        Value::Float(value) => Some(*value),
        Value::Int(value) => {
            let float = *value as f64;
            super::compare::compare_int_float(*value, float)?.is_eq().then_some(float)
        }
        _ => None,
    }
}

/// An AND of bound parts, with constants gone and ranges of one column made one.
pub(super) fn fold_and(parts: Vec<Bound>) -> Bound {
    let mut kept: Vec<Bound> = Vec::with_capacity(parts.len());
    // Where the range of each column stands, so that long ANDs fold in one pass.
    let mut ranges: Map<usize, usize> = Map::new();
    for part in parts {
        match part {
            Bound::Constant(true) => {}
            Bound::Constant(false) => return Bound::Constant(false),
            Bound::Leaf(column, pass) if is_range(&pass) => {
                let earlier = ranges.get(&column).and_then(|at| kept.get_mut(*at));
                match earlier {
                    Some(Bound::Leaf(_, range)) => match narrowed(range, &pass) {
                        Some(both) => *range = both,
                        None => return Bound::Constant(false),
                    },
                    _ => {
                        *ranges.get_or_insert(column, 0) = kept.len();
                        kept.push(Bound::Leaf(column, pass));
                    }
                }
            }
            part => kept.push(part),
        }
    }
    one_or(join_points(kept, true), true, Bound::And)
}

/// An OR of bound parts, with constants gone.
pub(super) fn fold_or(parts: Vec<Bound>) -> Bound {
    // Not by `==`, which would compile the comparison of whole filters.
    if parts.iter().any(|part| matches!(part, Bound::Constant(true))) {
        return Bound::Constant(true);
    }
    let kept = parts.into_iter().filter(|part| !matches!(part, Bound::Constant(false))).gather();
    one_or(join_points(kept, false), false, Bound::Or)
}

/// `x = 1 OR x = 2` as `x IN (1, 2)`, and, negated, `x != 1 AND x != 2` as `x NOT IN (1, 2)`: one pass over the
/// column instead of one each. A megabyte of ORs would otherwise be tens of thousands of passes.
fn join_points(parts: Vec<Bound>, negated: bool) -> Vec<Bound> {
    let mut points: Map<(usize, bool), Vec<i64>> = Map::new();
    let mut kept = Vec::with_capacity(parts.len());
    for part in parts {
        match point(&part, negated) {
            Some((column, is_code, key)) => points.get_or_insert((column, is_code), Vec::new()).push(key),
            None => kept.push(part),
        }
    }
    for ((column, is_code), mut joined) in points.into_entries() {
        sort_keys(&mut joined);
        let pass = match keys(joined, negated) {
            Pass::Int(reach) if is_code => Pass::Code(narrow(reach)),
            pass => pass,
        };
        kept.push(Bound::Leaf(column, pass));
    }
    kept
}

/// The column and key of a test for one key, or of a test against one; whether the key is a code.
fn point(part: &Bound, negated: bool) -> Option<(usize, bool, i64)> {
    let (column, is_code, low, high) = match part {
        Bound::Leaf(column, Pass::Int(Reach::Within(low, high))) if !negated => (*column, false, *low, *high),
        Bound::Leaf(column, Pass::Int(Reach::Outside(low, high))) if negated => (*column, false, *low, *high),
        Bound::Leaf(column, Pass::Code(Reach::Within(low, high))) if !negated => {
            (*column, true, i64::from(*low), i64::from(*high))
        }
        Bound::Leaf(column, Pass::Code(Reach::Outside(low, high))) if negated => {
            (*column, true, i64::from(*low), i64::from(*high))
        }
        _ => return None,
    };
    (low == high).then_some((column, is_code, low))
}

fn one_or(mut parts: Vec<Bound>, none: bool, many: fn(Vec<Bound>) -> Bound) -> Bound {
    if parts.len() > 1 { many(parts) } else { parts.pop().unwrap_or(Bound::Constant(none)) }
}

fn is_range(pass: &Pass) -> bool {
    matches!(
        pass,
        Pass::Int(Reach::Within(..)) | Pass::Float(Reach::Within(..)) | Pass::Code(Reach::Within(..))
    )
}

/// The rows that pass both ranges; `None` if there are none.
fn narrowed(a: &Pass, b: &Pass) -> Option<Pass> {
    match (a, b) {
        (Pass::Int(a), Pass::Int(b)) => both(*a, *b).map(Pass::Int),
        (Pass::Float(a), Pass::Float(b)) => both(*a, *b).map(Pass::Float),
        (Pass::Code(a), Pass::Code(b)) => both(*a, *b).map(Pass::Code),
        _ => None,
    }
}

fn both<T: Copy + PartialOrd>(a: Reach<T>, b: Reach<T>) -> Option<Reach<T>> {
    let (Reach::Within(a_low, a_high), Reach::Within(b_low, b_high)) = (a, b) else {
        return None;
    };
    let low = if a_low > b_low { a_low } else { b_low };
    let high = if a_high < b_high { a_high } else { b_high };
    (low <= high).then_some(Reach::Within(low, high))
}
