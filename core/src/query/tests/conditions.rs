//! Conditions print as they parse, whatever they are made of.

use super::*;

/// A random condition. Equal conditions have equal trees: NOT of NOT is left out, and so are groups of one part.
fn random(dice: &mut Random, depth: usize) -> Expr {
    let field = FieldRef { column: column(dice), span: Span::default() };
    let negated = dice.below(2) == 0;
    match dice.below(if depth == 0 { 6 } else { 10 }) {
        0 => {
            use CompareOp::*;
            Expr::Compare { field, op: [Eq, Ne, Lt, Le, Gt, Ge][dice.below(6)], value: literal(dice) }
        }
        1 => Expr::In { field, values: literals(dice), negated },
        2 => Expr::Between { field, low: literal(dice), high: literal(dice), negated },
        3 => {
            use MatchOp::*;
            Expr::Match {
                field,
                op: [Like, ILike, Regex, StartsWith][dice.below(4)],
                pattern: literal(dice),
                negated,
            }
        }
        4 => Expr::Contains { field, values: literals(dice), all: dice.below(2) == 0, negated },
        5 => Expr::IsNull { field, negated },
        6 => match random(dice, depth - 1) {
            Expr::Not(inner) => *inner,
            inner => Expr::Not(Box::new(inner)),
        },
        7 | 8 => Expr::And((0..2 + dice.below(2)).map(|_| random(dice, depth - 1)).collect()),
        _ => Expr::Or((0..2 + dice.below(2)).map(|_| random(dice, depth - 1)).collect()),
    }
}

fn column(dice: &mut Random) -> Column {
    let path = |path: &str| Column::Metadata(String::from(path));
    [Column::Id, Column::Document, path("a"), path("a.b c"), path("\"'\u{1}"), path("not")][dice.below(6)]
        .clone()
}

fn literals(dice: &mut Random) -> Vec<Literal> {
    (0..1 + dice.below(3)).map(|_| literal(dice)).collect()
}

fn literal(dice: &mut Random) -> Literal {
    let text = |text: &str| Value::Text(String::from(text));
    let value = [
        Value::Null,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Float(-0.0),
        Value::Float(1e300),
        text("it's \"so\"\n\\d%\u{7f}"),
        text(""),
    ][dice.below(7)]
    .clone();
    Literal { value, span: Span::default() }
}

/// The tree without its places, as text that tells everything apart.
fn placeless(expr: &Expr) -> String {
    let debug = format!("{expr:?}");
    let mut parts = debug.split("Span { ");
    let first = String::from(parts.next().unwrap_or_default());
    parts.fold(first, |out, part| out + part.split_once('}').map_or(part, |(_, rest)| rest))
}

#[test]
fn conditions_of_every_kind_print_as_they_parse() {
    let mut dice = Random(17);
    for _ in 0..5000 {
        let expr = random(&mut dice, 4);
        assert_eq!(placeless(&filter(&expr.to_string())), placeless(&expr), "{expr}");
    }
}
