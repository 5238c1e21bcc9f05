//! Values of SELECT and ORDER BY: precedence, signs, names, limits, and that they print as they parse.

use super::*;

fn order(key: &str) -> Scalar {
    let sql = format!("SELECT id FROM t ORDER BY {key}");
    parse(&sql).unwrap_or_else(|error| panic!("{}", error.snippet(&sql))).order.swap_remove(0).key
}

#[test]
fn operators_bind_as_in_arithmetic() {
    for (written, printed) in [
        ("distance + score * item - 1", "distance + score * item - 1"),
        ("((distance + score)) * (item - (1 - 2))", "(distance + score) * (item - (1 - 2))"),
        ("distance -1", "distance - 1"),
        ("distance-1 *2", "distance - 1 * 2"),
        ("distance - -1", "distance - -1"),
        ("distance*-1", "distance * -1"),
        ("-distance * 2", "-(distance) * 2"),
        ("- (distance + 2)", "-(distance + 2)"),
        ("1 - 2 - 3", "1 - 2 - 3"),
        ("8 / 4 / 2 * metadata.\"x y\".z", "8 / 4 / 2 * metadata.\"x y.z\""),
        ("8 / (4 / 2)", "8 / (4 / 2)"),
        ("COUNT(*) / sum(metadata.a)", "COUNT(*) / SUM(metadata.a)"),
        ("count * Min", "count * Min"),
        ("\"distance\" + \"a.b\" + from", "\"distance\" + \"a.b\" + from"),
        ("+5", "5"),
        (".5+.5", "0.5 + 0.5"),
    ] {
        let scalar = order(written);
        assert_eq!(scalar.to_string(), printed, "{written}");
        assert_eq!(order(printed).to_string(), printed);
    }
    let product = order("distance + 2 * item");
    assert!(matches!(product, Scalar::Binary(_, Arithmetic::Add, right)
        if matches!(*right, Scalar::Binary(_, Arithmetic::Multiply, _))));
    let left_first = order("1 - 2 - 3");
    assert!(
        matches!(left_first, Scalar::Binary(left, Arithmetic::Subtract, _) if matches!(*left, Scalar::Binary(..)))
    );
}

#[test]
fn names_stand_in_order_by_only() {
    assert_eq!(kind("SELECT id, n FROM t"), QueryErrorKind::UnknownField);
    assert_eq!(kind("SELECT id AS n, \"n\" FROM t"), QueryErrorKind::UnexpectedToken);
    assert_eq!(kind("SELECT COUNT FROM t"), QueryErrorKind::UnexpectedToken);
    assert!(matches!(order("ID"), Scalar::Field(Field::Id)));
    assert!(matches!(order("\"id\""), Scalar::Alias(_)));
}

#[test]
fn broken_values_are_refused() {
    for value in [
        "distance +",
        "distance * * 2",
        "()",
        "(distance",
        "- - 1",
        "COUNT(* )(",
        "MIN(*)",
        "AVG()",
        "* 2",
        "2 /",
    ] {
        let error = parse(&format!("SELECT {value} FROM t")).expect_err(value);
        assert!(error.kind().is_parse(), "{value}: {error}");
    }
}

#[test]
fn values_are_limited_in_size() {
    let wrap = |value: String| format!("SELECT id FROM t ORDER BY {value}");
    for (open, close) in [("(", ")"), ("-(", ")"), ("", "+1"), ("1-", "")] {
        let nested = |depth: usize| wrap(format!("{}item{}", open.repeat(depth), close.repeat(depth)));
        let fits = MAX_NESTING / if open == "-(" { 2 } else { 1 };
        let statement = parse(&nested(fits)).expect("the deepest that is allowed");
        drop(statement.clone());
        assert_eq!(kind(&nested(fits + 1)), QueryErrorKind::NestingTooDeep);
        assert_eq!(kind(&nested(100_000)), QueryErrorKind::NestingTooDeep);
    }
    let keys = |count: usize| wrap(vec!["item"; count].join(","));
    assert!(parse(&keys(MAX_KEYS)).is_ok());
    assert_eq!(kind(&keys(MAX_KEYS + 1)), QueryErrorKind::ListTooLong);
}

/// A random value of bounded depth, as text that needs no parentheses around it.
fn random(dice: &mut Random, depth: usize) -> Scalar {
    let field = |dice: &mut Random| {
        let path = |path: &str| Field::Metadata(Some(String::from(path)));
        [Field::Distance, Field::Id, path("a.b"), path("x y"), path("\"'"), Field::Metadata(None)]
            [dice.below(6)]
        .clone()
    };
    let inner = |dice: &mut Random| Box::new(random(dice, depth - 1));
    match dice.below(if depth == 0 { 4 } else { 8 }) {
        0 => Scalar::Field(field(dice)),
        1 => Scalar::Number(
            [Value::Int(-3), Value::Int(i64::MIN), Value::Float(1e-7), Value::Float(-2.5)][dice.below(4)]
                .clone(),
        ),
        2 => Scalar::Aggregate(match dice.below(2) {
            0 => Aggregate { function: AggregateFunction::Count, of: None },
            _ => Aggregate { function: AggregateFunction::Avg, of: Some(field(dice)) },
        }),
        3 => Scalar::Alias(Name {
            text: String::from(["n", "count", "id", "a.b", "x\"y\n", "desc"][dice.below(6)]),
            span: Span::default(),
        }),
        4 => Scalar::Negate(inner(dice)),
        _ => {
            use Arithmetic::*;
            let operator = [Add, Subtract, Multiply, Divide][dice.below(4)];
            Scalar::Binary(inner(dice), operator, inner(dice))
        }
    }
}

/// `value` without places.
fn placeless(value: Scalar) -> Scalar {
    match value {
        Scalar::Alias(name) => Scalar::Alias(Name { span: Span::default(), ..name }),
        Scalar::Negate(inner) => Scalar::Negate(Box::new(placeless(*inner))),
        Scalar::Binary(left, operator, right) => {
            Scalar::Binary(Box::new(placeless(*left)), operator, Box::new(placeless(*right)))
        }
        other => other,
    }
}

#[test]
fn values_print_as_they_parse() {
    let mut dice = Random(3);
    for _ in 0..5000 {
        let value = random(&mut dice, 5);
        assert_eq!(placeless(order(&value.to_string())), value, "{value}");
    }
}
