//! Filters: conditions over small tables, against an evaluation of its own and against themselves.
//!
//! The input is a statement, a zero byte, and bytes from which the table is drawn. With a statement, its WHERE is
//! checked against its own negation, print and parts of the table: that holds whatever the grammar offers. With
//! nothing before the zero byte, the condition is drawn too, and each row is compared with [`condition`]'s answer.

mod condition;
mod draw;
mod table;

use portolan::{
    filter::{Bind, Filter, Prune, estimate, prune},
    query::{self, Expr},
};

use crate::{
    errors::{check_error, check_message},
    parse::{parse_condition, statement},
};
use draw::{Draw, Literals};
use table::{NoDictionaries, Table};

/// Checks binding, evaluation, pruning and estimates.
pub fn filter(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let sql = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let mut draw = Draw::new(parts.next().unwrap_or_default());
    if sql.is_empty() {
        drawn(&mut draw);
    } else {
        written(&sql, &mut draw);
    }
}

/// A drawn condition, whose truth is known for each row.
fn drawn(draw: &mut Draw<'_>) {
    let table = Table::of_every_type(draw);
    let condition = condition::Condition::draw(draw, 3);
    let text = condition.to_string();
    let Some(expr) = parse_condition(&text) else { return };
    let rows = passing(&statement(&text), &expr, &table, draw);
    let expected: Vec<bool> =
        (0..table.rows()).map(|row| condition.truth(&table, row) == Some(true)).collect();
    assert_eq!(rows, Some(expected), "the rows for which it is true: {text}\n{table:?}");
}

/// A condition that somebody wrote.
fn written(sql: &str, draw: &mut Draw<'_>) {
    let Ok(query::Statement { filter: Some(expr), .. }) = query::parse(sql) else { return };
    let table = Table::for_condition(&expr, &Literals::of(sql), draw);
    let Some(rows) = passing(sql, &expr, &table, draw) else { return };
    let mut again = |text: String| {
        let expr = parse_condition(&text)?;
        passing(&statement(&text), &expr, &table, draw)
    };
    if let Some(printed) = again(expr.to_string()) {
        assert_eq!(printed, rows, "printing changes {expr}\n{table:?}");
    }
    if let Some(negated) = again(format!("NOT ({expr})")) {
        let both = rows.iter().zip(&negated).any(|(a, b)| *a && *b);
        assert!(!both, "{expr} is true and false of one row\n{table:?}");
    }
    if let Some(restored) = again(format!("NOT ((NOT ({expr})))")) {
        assert_eq!(restored, rows, "negating twice changes {expr}\n{table:?}");
    }
}

/// Which rows pass; `None` if the condition does not fit the table. `sql` is the text that `expr` came from, for the
/// places of errors.
fn passing(sql: &str, expr: &Expr, table: &Table, draw: &mut Draw<'_>) -> Option<Vec<bool>> {
    let filter = bound(sql, expr, table)?;
    let rows = table.evaluate(&filter, 0..table.rows());
    let middle = draw.below(table.rows() + 1);
    let halves = [table.evaluate(&filter, 0..middle), table.evaluate(&filter, middle..table.rows())].concat();
    assert_eq!(rows, halves, "blocks cut at {middle} change {expr}\n{table:?}");
    if let Some(constant) = filter.constant() {
        assert!(rows.iter().all(|row| *row == constant), "{expr} is not always {constant}\n{table:?}");
    }
    check_statistics(expr, table, draw, rows.contains(&true));
    Some(rows)
}

fn bound(sql: &str, expr: &Expr, table: &Table) -> Option<Filter> {
    if let Ok(Bind::Needs(columns)) = Filter::bind(expr, &NoDictionaries(table)) {
        let tested = expr.columns();
        assert!(columns.iter().all(|column| tested.contains(column)), "{columns:?} are not in {expr}");
    }
    match Filter::bind(expr, table) {
        Ok(Bind::Ready(filter)) => Some(filter),
        Ok(Bind::Needs(_)) => None,
        Err(error) => {
            check_error(sql, &error);
            None
        }
    }
}

/// Statistics, exact or loose, never rule out a collection that has a row to give.
fn check_statistics(expr: &Expr, table: &Table, draw: &mut Draw<'_>, any: bool) {
    let stats = table.stats(draw);
    let fraction = estimate(expr, &stats);
    assert!((0.0..=1.0).contains(&fraction), "{fraction} of the rows pass {expr}: {stats:?}");
    if let Prune::Skip(reason) = prune(expr, &stats) {
        assert!(!any, "skipped because {reason}, but a row passes {expr}\n{stats:?}\n{table:?}");
        assert!(fraction == 0.0, "{fraction} of a collection that is skipped because {reason}");
        check_message(&reason);
    }
}
