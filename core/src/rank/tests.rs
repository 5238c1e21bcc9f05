//! Each function against its definition, written as plainly as possible, on random input with many ties.

use std::{cmp::Ordering, collections::BTreeMap};

use super::*;
use crate::{
    plan::OrderKey,
    query::{Aggregate, AggregateFunction, Arithmetic, Field, Scalar, tests::Random},
    schema::Value,
};

const TWO_53: i64 = 1 << 53;
const INTS: [i64; 9] = [0, 1, -1, 2, TWO_53, TWO_53 + 1, -TWO_53 - 1, i64::MAX, i64::MIN];
const FLOATS: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    1.5,
    -1.5,
    9007199254740992.0,
    9007199254740994.0,
    -9007199254740992.0,
    9223372036854775808.0,
    -9223372036854775808.0,
    1e300,
    5e-324,
];

fn value(random: &mut Random, depth: usize) -> Value {
    let texts = ["", "a", "B", "é", "2024-05-01", "1970-01-01"];
    match random.below(if depth == 0 { 9 } else { 13 }) {
        0 => Value::Null,
        1 => Value::Bool(random.below(2) == 0),
        2 | 3 => Value::Int(INTS[random.below(INTS.len())]),
        4 | 5 => Value::Float(FLOATS[random.below(FLOATS.len())]),
        6 | 7 => Value::Text(texts[random.below(texts.len())].into()),
        8 => Value::Time([0, -1, 1_714_521_600_000_000][random.below(3)]),
        9 | 10 => Value::List((0..random.below(3)).map(|_| value(random, depth - 1)).collect()),
        _ => Value::Object(
            (0..random.below(3))
                .map(|_| (["a", "b"][random.below(2)].into(), value(random, depth - 1)))
                .collect(),
        ),
    }
}

#[test]
fn values_have_a_total_order() {
    let mut random = Random(1);
    let values: Vec<Value> = (0..160).map(|_| value(&mut random, 2)).collect();
    for a in &values {
        assert_eq!(order_values(a, a), Ordering::Equal, "{a:?}");
        for b in &values {
            let order = order_values(a, b);
            assert_eq!(order, order_values(b, a).reverse(), "{a:?} {b:?}");
            for c in &values {
                // Of a <= b <= c follows a <= c, and equal only if both are.
                if order.is_le() && order_values(b, c).is_le() {
                    let expected = order.then(order_values(b, c));
                    assert_eq!(order_values(a, c), expected, "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}

#[test]
fn values_go_by_type_then_exactly() {
    let text = |text: &str| Value::Text(text.into());
    let object = |key: &str, value| Value::Object([(key.into(), value)].into_iter().collect());
    let ascending = [
        Value::Bool(false),
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Int(-TWO_53 - 1),
        Value::Float(-9007199254740992.0),
        Value::Int(0),
        Value::Float(5e-324),
        Value::Float(9007199254740992.0),
        Value::Int(TWO_53 + 1),
        Value::Float(9007199254740994.0),
        Value::Int(i64::MAX),
        Value::Float(9223372036854775808.0),
        text(""),
        text("2024-05-01"),
        text("B"),
        text("a"),
        text("é"),
        Value::Time(-1),
        Value::Time(0),
        Value::List(vec![]),
        Value::List(vec![Value::Int(1)]),
        Value::List(vec![Value::Int(1), Value::Int(0)]),
        Value::List(vec![Value::Null]),
        object("a", Value::Int(9)),
        object("a", Value::Null),
        object("b", Value::Int(1)),
        Value::Null,
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(order_values(a, b), i.cmp(&j), "{a:?} {b:?}");
        }
    }
    for (a, b) in [(0.0, -0.0), (f64::NAN, -f64::NAN)] {
        assert_eq!(order_values(&Value::Float(a), &Value::Float(b)), Ordering::Equal);
    }
    assert_eq!(order_values(&Value::Int(1), &Value::Float(1.0)), Ordering::Equal);
    assert_eq!(order_values(&Value::Float(f64::NAN), &Value::Int(i64::MAX)), Ordering::Greater);
}

#[test]
fn nulls_are_last_in_either_direction_unless_first() {
    let (null, one, two) = ([Value::Null], [Value::Int(1)], [Value::Int(2)]);
    for (descending, nulls_first, expected) in [
        (false, false, [&one, &two, &null]),
        (false, true, [&null, &one, &two]),
        (true, false, [&two, &one, &null]),
        (true, true, [&null, &two, &one]),
    ] {
        let keys = [OrderKey { value: Scalar::Field(Field::Id), descending, nulls_first }];
        let mut rows = [&two, &null, &one];
        rows.sort_by(|a, b| order_rows(&keys, *a, *b));
        assert_eq!(rows, expected);
    }
}

#[test]
fn later_keys_decide_between_rows_that_agree_in_earlier_ones() {
    let key = |descending| OrderKey { value: Scalar::Field(Field::Id), descending, nulls_first: false };
    let keys = [key(false), key(true)];
    let row = |a, b| [Value::Int(a), Value::Int(b)];
    assert_eq!(order_rows(&keys, &row(1, 1), &row(2, 2)), Ordering::Less);
    assert_eq!(order_rows(&keys, &row(1, 1), &row(1, 2)), Ordering::Greater);
    assert_eq!(order_rows(&keys, &row(1, 1), &row(1, 1)), Ordering::Equal);
    assert_eq!(order_rows(&[], &[], &[]), Ordering::Equal);
}

fn number(value: impl Into<f64>) -> Box<Scalar> {
    Box::new(Scalar::Number(Value::Float(value.into())))
}

fn calculated(value: &Scalar) -> Value {
    let field = |field: &Field| match field {
        Field::Id => Value::Text("x".into()),
        Field::Distance => Value::Float(0.5),
        _ => Value::Null,
    };
    evaluate(value, &field, &|_| Value::Int(7))
}

#[test]
fn arithmetic_is_floating_and_null_where_it_has_no_result() {
    use Arithmetic::{Add, Divide, Multiply, Subtract};
    let int = |value| Box::new(Scalar::Number(Value::Int(value)));
    let field = |field| Box::new(Scalar::Field(field));
    let cases = [
        (Scalar::Binary(int(1), Add, int(2)), Value::Float(3.0)),
        (Scalar::Binary(number(1.0), Subtract, field(Field::Distance)), Value::Float(0.5)),
        (Scalar::Binary(int(3), Divide, int(2)), Value::Float(1.5)),
        (Scalar::Binary(int(3), Multiply, int(-2)), Value::Float(-6.0)),
        (Scalar::Binary(int(1), Divide, int(0)), Value::Null),
        (Scalar::Binary(int(0), Divide, int(0)), Value::Null),
        (Scalar::Binary(number(1e300), Multiply, number(1e300)), Value::Null),
        (Scalar::Binary(int(1), Add, field(Field::Id)), Value::Null),
        (Scalar::Binary(field(Field::Score), Add, int(1)), Value::Null),
        (Scalar::Negate(field(Field::Document)), Value::Null),
        (Scalar::Negate(int(2)), Value::Float(-2.0)),
        (Scalar::Number(Value::Int(2)), Value::Int(2)),
        (Scalar::Field(Field::Id), Value::Text("x".into())),
    ];
    for (scalar, expected) in cases {
        assert_eq!(calculated(&scalar), expected, "{scalar}");
    }
    let count = Scalar::Aggregate(Aggregate { function: AggregateFunction::Count, of: None });
    assert_eq!(calculated(&count), Value::Int(7));
    assert_eq!(calculated(&Scalar::Binary(Box::new(count), Divide, int(2))), Value::Float(3.5));
    let zero = calculated(&Scalar::Negate(int(0)));
    assert!(matches!(zero, Value::Float(zero) if zero == 0.0 && zero.is_sign_positive()));
}

fn tally(function: AggregateFunction, of: Option<Field>, values: &[Value]) -> Value {
    let mut tally = Tally::new(&Aggregate { function, of });
    values.iter().for_each(|value| tally.add(value));
    tally.result()
}

#[test]
fn aggregates_are_what_they_are_called() {
    use AggregateFunction::{Avg, Count, Max, Min, Sum};
    let mut random = Random(2);
    for _ in 0..400 {
        let values: Vec<Value> = (0..random.below(7)).map(|_| value(&mut random, 1)).collect();
        let known: Vec<&Value> = values.iter().filter(|value| **value != Value::Null).collect();
        let ints: Vec<i64> =
            known.iter().filter_map(|v| if let Value::Int(v) = v { Some(*v) } else { None }).collect();
        let floats: Vec<f64> =
            known.iter().filter_map(|v| if let Value::Float(v) = v { Some(*v) } else { None }).collect();
        let exact: i128 = ints.iter().copied().map(i128::from).sum();
        let total = exact as f64 + floats.iter().fold(0.0, |sum, x| sum + x);
        let of = |function| tally(function, Some(Field::Id), &values);

        assert_eq!(tally(Count, None, &values), Value::Int(values.len() as i64));
        assert_eq!(of(Count), Value::Int(known.len() as i64));
        let least = known.iter().copied().min_by(|a, b| order_values(a, b));
        assert_eq!(&of(Min), least.unwrap_or(&Value::Null));
        let most = known.iter().copied().max_by(|a, b| order_values(a, b));
        assert_eq!(order_values(&of(Max), most.unwrap_or(&Value::Null)), Ordering::Equal);
        match (ints.len(), floats.len()) {
            (0, 0) => assert_eq!((of(Sum), of(Avg)), (Value::Null, Value::Null)),
            (ints, floats) => {
                let whole = i64::try_from(exact).ok().filter(|_| floats == 0);
                assert_eq!(of(Sum), whole.map_or(Value::Float(total), Value::Int), "{values:?}");
                assert_eq!(of(Avg), Value::Float(total / (ints + floats) as f64), "{values:?}");
            }
        }
    }
}

#[test]
fn sums_beyond_integers_are_floats_and_beyond_floats_null() {
    use AggregateFunction::{Avg, Sum};
    let of = |function, values: &[Value]| tally(function, Some(Field::Id), values);
    let (most, least) = (Value::Int(i64::MAX), Value::Int(i64::MIN));
    assert_eq!(of(Sum, &[most.clone(), Value::Int(1)]), Value::Float(9223372036854775808.0));
    assert_eq!(of(Sum, &[most.clone(), most.clone(), least.clone()]), Value::Int(i64::MAX - 1));
    assert_eq!(of(Avg, &[most.clone(), least]), Value::Float(-0.5));
    assert_eq!(of(Sum, &[Value::Float(1e308), Value::Float(1e308)]), Value::Null);
    assert_eq!(of(Avg, &[Value::Float(1e308), Value::Float(1e308)]), Value::Null);
    assert_eq!(of(Sum, &[Value::Int(1), Value::Float(0.0)]), Value::Float(1.0));
    assert_eq!(of(Sum, &[Value::Text("7".into()), Value::Bool(true)]), Value::Null);
}

/// MMR as its definition reads: all scores anew for every choice.
fn plain_mmr(near: &[f32], apart: &[Vec<f32>], lambda: f64, k: usize) -> Vec<(usize, f64)> {
    let mut chosen: Vec<(usize, f64)> = Vec::new();
    while chosen.len() < k.min(near.len()) {
        let score = |i: usize| {
            let nearest = chosen.iter().map(|(c, _)| f64::from(apart[*c][i])).reduce(f64::min);
            nearest.map_or(0.0, |nearest| (1.0 - lambda) * nearest) - lambda * f64::from(near[i])
        };
        let left = (0..near.len()).filter(|i| chosen.iter().all(|(c, _)| c != i));
        let best = match chosen.is_empty() {
            true => 0,
            // The last of equals in reverse is the first.
            false => {
                left.rev().max_by(|a, b| score(*a).partial_cmp(&score(*b)).expect("finite")).expect("one")
            }
        };
        chosen.push((best, score(best)));
    }
    chosen
}

#[test]
fn mmr_is_its_definition() {
    let mut random = Random(5);
    for round in 0..600 {
        let (n, coarse) = (random.below(20), round % 2 == 0);
        // Few distinct distances make ties; inner products make distances below zero.
        let mut distance = || match coarse {
            true => random.below(3) as f32 - 0.5,
            false => (random.next() % 1_000_003) as f32 / 1e6 - 0.1,
        };
        let mut near: Vec<f32> = (0..n).map(|_| distance()).collect();
        near.sort_by(f32::total_cmp);
        let apart: Vec<Vec<f32>> = (0..n).map(|_| (0..n).map(|_| distance()).collect()).collect();
        let lambda = [0.0, 0.25, 0.5, 0.7, 1.0][round % 5];
        for k in [0, 1, 3, n, n + 5] {
            let mut asked = Vec::new();
            let chosen = mmr(&near, lambda, k, &mut |a, b| {
                asked.push((a.min(b), a.max(b)));
                apart[a][b]
            });
            assert_eq!(chosen, plain_mmr(&near, &apart, lambda, k), "round {round}, k {k}");
            let calls = asked.len();
            asked.sort_unstable();
            asked.dedup();
            assert_eq!(asked.len(), calls, "a pair was asked for twice");
            assert!(calls <= k * n);
        }
    }
}

#[test]
fn mmr_prefers_what_is_far_from_the_chosen() {
    // 1 is a twin of 0; 2 lies elsewhere.
    let apart = [[0.0, 0.0, 2.0], [0.0, 0.0, 2.0], [2.0, 2.0, 0.0]];
    let pick = |lambda| {
        let chosen = mmr(&[0.125, 0.125, 0.5], lambda, 3, &mut |a, b| apart[a][b]);
        chosen.iter().map(|(i, _)| *i).collect::<Vec<_>>()
    };
    assert_eq!(pick(0.5), [0, 2, 1]);
    assert_eq!(pick(1.0), [0, 1, 2]);
    let scores = mmr(&[0.125, 0.125, 0.5], 0.5, 2, &mut |a, b| apart[a][b]);
    assert_eq!(scores, [(0, -0.0625), (2, 0.75)]);
    let zero = mmr(&[0.5], 0.0, 1, &mut |_, _| 0.0);
    assert!(zero[0].1.is_sign_positive(), "the score would be printed as -0");
}

/// What a forged file's distances come to: an order, and no row twice.
#[test]
fn mmr_ends_on_distances_that_are_no_numbers() {
    let mut chosen: Vec<usize> = mmr(&[f32::NAN, f32::INFINITY, 1.0, f32::NAN], 0.5, 9, &mut |_, _| f32::NAN)
        .iter()
        .map(|c| c.0)
        .collect();
    chosen.sort_unstable();
    assert_eq!(chosen, [0, 1, 2, 3]);
}

#[test]
fn rrf_is_its_definition() {
    let mut random = Random(6);
    for round in 0..300 {
        let lists: Vec<Vec<u64>> = (0..random.below(5))
            .map(|_| {
                let mut keys: Vec<u64> = (0..12).map(|key| key * 1_000_003).collect();
                keys.sort_by_key(|_| random.next());
                keys.truncate(random.below(13));
                keys
            })
            .collect();
        let k = [60.0, 1.0, 0.5][round % 3];
        let mut expected: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for list in &lists {
            list.iter().zip(1..).for_each(|(key, rank)| expected.entry(*key).or_default().push(rank));
        }
        let mut expected: Vec<(u64, f64, usize)> = expected
            .into_iter()
            .map(|(key, mut ranks)| {
                ranks.sort_unstable();
                (key, ranks.iter().map(|rank| 1.0 / (k + *rank as f64)).sum(), ranks[0])
            })
            .collect();
        expected.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.2.cmp(&b.2)).then(a.0.cmp(&b.0)));
        let expected: Vec<(u64, f64)> = expected.into_iter().map(|(key, score, _)| (key, score)).collect();
        assert_eq!(rrf(&lists, k), expected, "round {round}");
    }
}

/// 1/61 + 1/62 + 1/63 in another order differs in the last bit, which would decide what is a tie.
#[test]
fn rrf_does_not_depend_on_the_order_of_the_lists() {
    let lists = [vec![1, 2, 3], vec![2, 3, 1], vec![3, 1, 2]];
    let fused = rrf(&lists, 60.0);
    assert_eq!(fused.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(fused.iter().all(|(_, score)| *score == fused[0].1));
    assert_eq!(rrf(&[vec![9, 1], vec![7]], 60.0), [(7, 1.0 / 61.0), (9, 1.0 / 61.0), (1, 1.0 / 62.0)]);
    assert!(rrf(&[], 60.0).is_empty());
}
