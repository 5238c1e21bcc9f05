//! GROUP BY and aggregates, against plain loops over the records.

use std::collections::BTreeMap;

use super::world::{Plain, World, check_waves, names};
use crate::{rank::order_values, router::Outcome, schema::Value};

/// The rows of each value of a field, by its JSON text, in the order of `rows`.
fn grouped<'w>(rows: &[Plain<'w>], path: &str) -> Vec<(Value, Vec<Plain<'w>>)> {
    let mut groups: BTreeMap<String, (Value, Vec<Plain<'w>>)> = BTreeMap::new();
    for row in rows {
        let value = row.value(path);
        groups.entry(value.to_json().to_string()).or_insert((value, Vec::new())).1.push(*row);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|(a, _), (b, _)| order_values(a, b));
    groups
}

fn numbers(rows: &[Plain<'_>], path: &str) -> Vec<f64> {
    rows.iter()
        .filter_map(|row| match row.value(path) {
            Value::Int(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        })
        .collect()
}

#[test]
fn groups_of_matching_rows_come_by_key_with_their_aggregates() {
    let world = World::new();
    for key in ["kind", "size", "flag", "when", "weight", "tags"] {
        let sql = format!(
            "SELECT metadata.{key} AS key, COUNT(*), COUNT(metadata.size), MIN(metadata.weight), \
             MAX(document), SUM(metadata.size), AVG(metadata.weight) FROM * \
             WHERE metadata.size != 1 OR metadata.size IS NULL GROUP BY metadata.{key}"
        );
        let result = world.ask(&sql);
        let plain = world.rows(&|record| record.metadata.get("size") != Some(&Value::Int(1)));
        let groups = grouped(&plain, key);
        assert_eq!(result.rows.len(), groups.len(), "{sql}");
        for (row, (value, members)) in result.rows.iter().zip(groups) {
            let (sizes, weights) = (numbers(&members, "size"), numbers(&members, "weight"));
            let documents = members.iter().filter_map(|row| row.record.document.clone());
            let of = |found: Option<f64>| found.map_or(Value::Null, Value::Float);
            let expected = [
                value,
                Value::Int(members.len() as i64),
                Value::Int(sizes.len() as i64),
                of(weights.iter().copied().reduce(f64::min)),
                documents.max().map_or(Value::Null, Value::Text),
                if sizes.is_empty() { Value::Null } else { Value::Int(sizes.iter().sum::<f64>() as i64) },
                of((!weights.is_empty()).then(|| weights.iter().sum::<f64>() / weights.len() as f64)),
            ];
            assert_eq!(row.cells, expected, "{sql}");
            assert_eq!((&row.id, &row.collection, row.distance), (&None, &None, None));
        }
    }
}

#[test]
fn best_rows_of_each_group_come_by_group() {
    let world = World::new();
    let result = world.ask("SELECT id, metadata.kind, COUNT(*) AS n FROM * GROUP BY metadata.kind TOP 2");
    let mut expected = Vec::new();
    for (_, members) in grouped(&world.rows(&|_| true), "kind") {
        expected.extend(members.iter().take(2).map(|row| (row.collection, row.record.id.as_str())));
    }
    assert_eq!(names(&result.rows), expected);
    let page = world
        .ask("SELECT id, metadata.kind, COUNT(*) AS n FROM * GROUP BY metadata.kind TOP 2 LIMIT 3 OFFSET 1");
    assert_eq!(names(&page.rows), expected[1..4]);
    assert_eq!(page.rows[0].cells, result.rows[1].cells);
    // ORDER BY orders the resulting rows.
    let ordered = world.ask("SELECT id FROM * GROUP BY metadata.kind TOP 2 ORDER BY COUNT(*) DESC, id");
    let mut counted: Vec<(i64, &str)> = Vec::new();
    for row in &result.rows {
        let Value::Int(n) = row.cells[2] else { panic!("COUNT is an integer") };
        counted.push((-n, row.id.as_deref().unwrap()));
    }
    counted.sort_unstable();
    assert_eq!(
        names(&ordered.rows).into_iter().map(|(_, id)| id).collect::<Vec<_>>(),
        counted.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
    );
}

#[test]
fn groups_of_a_search_come_by_their_best_rows() {
    let world = World::new();
    let mut plain = world.nearest(&[0.0, 1.0, 0.0, 1.0], None, &|_| true);
    plain.truncate(50);
    let groups = grouped(&plain, "kind");
    let mut by_best: Vec<_> = groups
        .iter()
        .map(|(key, rows)| {
            let best = plain.iter().position(|row| row.by_id(&rows[0]).is_eq()).unwrap();
            (best, key.clone(), rows)
        })
        .collect();
    by_best.sort_by_key(|(best, ..)| *best);
    let search = "FROM * USING EMBEDDING (VECTOR [0, 1, 0, 1]) TOPK 50 GROUP BY metadata.kind";
    let result = world.ask(&format!("SELECT metadata.kind, COUNT(*), MIN(distance) {search}"));
    for (row, (_, key, rows)) in result.rows.iter().zip(&by_best) {
        let expected = [key.clone(), Value::Int(rows.len() as i64), Value::Float(rows[0].distance.into())];
        assert_eq!(row.cells, expected);
    }
    assert_eq!(result.rows.len(), by_best.len());
    let top = world.ask(&format!("SELECT id {search} TOP 3"));
    let expected: Vec<_> = by_best
        .iter()
        .flat_map(|(_, _, rows)| rows.iter().take(3).map(|row| (row.collection, row.record.id.as_str())))
        .collect();
    assert_eq!(names(&top.rows), expected);
}

#[test]
fn aggregates_over_nothing_are_one_row() {
    let world = World::new();
    for sql in [
        "SELECT COUNT(*), COUNT(id), MAX(metadata.size), SUM(metadata.size), AVG(metadata.weight) FROM * \
         WHERE metadata.size > 100",
        "SELECT COUNT(*), COUNT(id), MAX(metadata.size), SUM(metadata.size), AVG(metadata.weight) FROM * \
         USING EMBEDDING (VECTOR [1, 0, 0, 0]) WHERE metadata.size > 100",
    ] {
        let result = world.ask(sql);
        let nothing = vec![Value::Int(0), Value::Int(0), Value::Null, Value::Null, Value::Null];
        assert_eq!(result.rows.iter().map(|row| row.cells.clone()).collect::<Vec<_>>(), [nothing], "{sql}");
    }
    assert!(
        world.ask("SELECT COUNT(*) FROM * WHERE metadata.size > 100 GROUP BY metadata.kind").rows.is_empty()
    );
}

/// The number of rows is in release.json.
#[test]
fn counting_everything_reads_nothing() {
    let world = World::new();
    let (result, bytes) = world.ask_by_ranges("SELECT COUNT(*) AS n FROM *");
    assert_eq!((result.rows[0].cells[0].clone(), bytes, result.waves), (Value::Int(1038), 0, 0));
    let (result, bytes) = world.ask_by_ranges("SELECT collection, COUNT(*) * 2 FROM * GROUP BY collection");
    assert_eq!((result.rows.len(), bytes), (4, 0));
    assert_eq!(result.rows[1].cells, [Value::Text("barn".into()), Value::Float(1800.0)]);
    // With a WHERE its column is enough.
    let (result, _) = world.ask_by_ranges("SELECT COUNT(*) FROM * WHERE metadata.size >= 0");
    let plain = world.rows(&|record| matches!(record.metadata.get("size"), Some(Value::Int(0..))));
    assert_eq!(result.rows[0].cells[0], Value::Int(plain.len() as i64));
    let Outcome::Asked { bytes, .. } = result.collections[1].outcome else { panic!("barn is asked") };
    assert_eq!(bytes, 900 * 8 + 113 + 8, "one column of integers, its nulls and its checksum");
}

#[test]
fn grouping_takes_at_most_three_waves() {
    let world = World::new();
    for sql in [
        "SELECT metadata.kind, MAX(metadata.size), COUNT(*) FROM * GROUP BY metadata.kind",
        "SELECT metadata.tags, MIN(document) FROM * WHERE metadata.flag = TRUE GROUP BY metadata.tags",
        "SELECT id, document FROM * GROUP BY metadata.kind TOP 2 ORDER BY document",
        "SELECT metadata.kind, COUNT(*) FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) GROUP BY metadata.kind",
    ] {
        check_waves(&world, sql);
    }
}
