//! Remarks on what is allowed but probably not meant.

use std::cmp::Ordering;

use super::Plan;
use crate::{
    filter::compare,
    query::{Count, Expr, Field, FieldRef, Literal, MatchOp, Scalar, Statement, quote_name},
    schema::Value,
};

/// The most remarks of one statement.
const MAX_NOTES: usize = 8;

/// The remarks on a statement and the plan made of it, at most eight.
pub(super) fn notes(plan: &Plan, statement: &Statement) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(alias) = &statement.from.alias {
        out.push(format!(
            "AS {} has no effect: fields belong to rows, not to collections",
            quote_name(&alias.text)
        ));
    }
    match plan.is_search() {
        true => search_notes(plan, statement, &mut out),
        false => filter_notes(plan, &mut out),
    }
    null_notes(plan, &mut out);
    for key in &plan.order {
        let mut fields = Vec::new();
        key.value.collect_fields(&mut fields);
        if let (true, Scalar::Number(number)) = (fields.is_empty(), &key.value) {
            let number = Literal { value: number.clone(), span: Default::default() };
            out.push(format!("ORDER BY {number} orders nothing: columns are ordered by name, not by number"));
        }
    }
    plan.filter.iter().for_each(|filter| visit(filter, &mut out));
    out.truncate(MAX_NOTES);
    out
}

fn search_notes(plan: &Plan, statement: &Statement, out: &mut Vec<String>) {
    let topk = plan.topk;
    if let Some(Count { value, .. }) = statement.topk
        && u64::try_from(value) != Ok(topk)
    {
        out.push(format!("TOPK is raised to {topk}, so that LIMIT and OFFSET find their rows"));
    }
    if plan.limit.is_none() && plan.offset >= topk {
        out.push(format!("OFFSET skips all of the {topk} nearest rows; raise TOPK"));
    }
    let ranked = |key: &Scalar| matches!(key, Scalar::Field(Field::Distance | Field::Score | Field::Item));
    if plan.group.is_none() && plan.order.first().is_some_and(|key| !ranked(&key.value) || key.descending) {
        out.push(format!("ORDER BY orders the {topk} nearest rows (TOPK), not all that match"));
    }
    if let (Some(mmr), Some(Count { value, .. })) =
        (plan.rerank, statement.rerank.and_then(|clause| clause.candidates))
        && u64::try_from(value) != Ok(mmr.candidates)
    {
        out.push(format!("MMR chooses from {} candidates, as many as the rows to return", mmr.candidates));
    }
}

/// Clauses that say nothing where nothing is searched for.
fn filter_notes(plan: &Plan, out: &mut Vec<String>) {
    let idle = [
        (plan.similarity.is_some(), "SIMILARITY"),
        (plan.recall.is_some(), "RECALL"),
        (plan.candidates.is_some(), "CANDIDATES"),
    ];
    for (_, clause) in idle.iter().filter(|(stands, _)| *stands) {
        out.push(format!("{clause} has no effect without USING EMBEDDING"));
    }
}

/// Fields that the statement selects but no row has. To order or group by them is an error.
fn null_notes(plan: &Plan, out: &mut Vec<String>) {
    let fields = plan.fields();
    for (field, there, without) in [
        (Field::Distance, plan.is_search(), "USING EMBEDDING"),
        (Field::Score, plan.rerank.is_some() || plan.fuse.is_some(), "RERANK BY MMR or FUSE BY RRF"),
        (Field::Item, plan.batch && plan.fuse.is_none(), "BATCH, or where FUSE BY joins its items"),
    ] {
        if !there && fields.contains(&&field) {
            out.push(format!("{field} is always NULL without {without}"));
        }
    }
}

// Conditions.

fn visit(expr: &Expr, out: &mut Vec<String>) {
    if out.len() >= MAX_NOTES {
        return;
    }
    match expr {
        Expr::Compare { field, value, .. } if is_null(value) => {
            out.push(note(field, "a comparison with NULL is never true; write IS NULL or IS NOT NULL"));
        }
        Expr::In { field, values, negated } if values.iter().any(is_null) => {
            out.push(note(
                field,
                match negated {
                    true => "NOT IN a list with NULL is never true; leave NULL out",
                    false => "NULL in a list matches nothing; add OR ... IS NULL",
                },
            ));
        }
        Expr::Between { field, low, high, .. } if is_null(low) || is_null(high) => {
            out.push(note(field, "a bound that is NULL is never met; leave it out"));
        }
        Expr::Between { field, low, high, negated } if reversed(low, high) => {
            let nothing = match negated {
                true => "the bounds of BETWEEN are reversed, so everything but NULL lies outside",
                false => "the bounds of BETWEEN are reversed, so nothing lies between them",
            };
            out.push(note(field, nothing));
        }
        Expr::Match { field, pattern, .. } if is_null(pattern) => {
            out.push(note(field, "a pattern that is NULL matches nothing; write IS NULL"));
        }
        Expr::Match { field, op: MatchOp::Like, pattern, .. } if !has_wildcard(pattern) => {
            out.push(note(field, "LIKE without % or _ matches this very text alone; write = or CONTAINS"));
        }
        Expr::Match {
            field, op: MatchOp::Regex, pattern: Literal { value: Value::Text(text), .. }, ..
        } if text.contains('\u{8}') => {
            out.push(note(field, "\\b in a text is a backspace; write \\\\b for the edge of a word"));
        }
        Expr::Contains { field, values, .. } if values.iter().any(is_null) => {
            out.push(note(field, "nothing is known to contain NULL; leave it out"));
        }
        Expr::Not(inner) => visit(inner, out),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| visit(part, out)),
        _ => {}
    }
}

fn is_null(literal: &Literal) -> bool {
    literal.value == Value::Null
}

fn has_wildcard(pattern: &Literal) -> bool {
    let Value::Text(text) = &pattern.value else { return true };
    let mut escaped = false;
    text.bytes().any(|byte| {
        let wild = !escaped && matches!(byte, b'%' | b'_');
        escaped = byte == b'\\' && !escaped;
        wild
    })
}

fn note(field: &FieldRef, text: &str) -> String {
    format!("{}:{}: {}: {text}", field.span.line, field.span.column, field.column)
}

fn reversed(low: &Literal, high: &Literal) -> bool {
    compare(&low.value, &high.value) == Some(Ordering::Greater)
}
