//! ORDER BY over all collections, with and without a query vector.

use super::world::{World, check_waves, names, plain_names};
use crate::{router::ResultSet, schema::Value};

const FIELDS: [&str; 6] = ["kind", "size", "weight", "flag", "when", "tags"];

#[test]
fn matching_rows_come_in_the_order_of_any_field() {
    let world = World::new();
    for field in FIELDS {
        for (words, descending, nulls_first) in [
            ("", false, false),
            ("DESC", true, false),
            ("NULLS FIRST", false, true),
            ("DESC NULLS FIRST", true, true),
        ] {
            let mut plain = world.rows(&|record| record.metadata.get("size") != Some(&Value::Int(2)));
            plain.sort_by(|a, b| a.by_value(b, field, descending, nulls_first).then_with(|| a.by_id(b)));
            let sql = format!(
                "SELECT id FROM * WHERE metadata.size != 2 OR metadata.size IS NULL ORDER BY metadata.{field} {words}"
            );
            assert_eq!(names(&world.ask(&sql).rows), plain_names(&plain), "{sql}");
            for (limit, offset) in [(1, 0), (13, 5), (40, 300)] {
                let page = world.ask(&format!("{sql} LIMIT {limit} OFFSET {offset}"));
                assert_eq!(names(&page.rows), plain_names(&plain)[offset..offset + limit], "{sql} {limit}");
            }
        }
    }
}

#[test]
fn several_keys_and_calculated_ones_order_as_the_values_say() {
    let world = World::new();
    let mut plain = world.rows(&|_| true);
    let total = |row: &super::world::Plain<'_>| match (row.value("size"), row.value("weight")) {
        (Value::Int(size), Value::Float(weight)) => Some(size as f64 * 2.0 - weight),
        _ => None,
    };
    plain.sort_by(|a, b| {
        let (left, right) = (total(a), total(b));
        let calculated = match (left, right) {
            (Some(left), Some(right)) => right.total_cmp(&left),
            _ => left.is_none().cmp(&right.is_none()),
        };
        a.by_value(b, "kind", false, true).then(calculated).then_with(|| a.by_id(b))
    });
    let sql = "SELECT id, metadata.size * 2 - metadata.weight AS total FROM * \
               ORDER BY metadata.kind NULLS FIRST, total DESC LIMIT 60 OFFSET 100";
    let result = world.ask(sql);
    assert_eq!(names(&result.rows), plain_names(&plain)[100..160]);
    for (row, plain) in result.rows.iter().zip(&plain[100..]) {
        assert_eq!(row.cells[1], total(plain).map_or(Value::Null, Value::Float));
    }
}

#[test]
fn documents_ids_and_collections_order_too() {
    let world = World::new();
    let ordered = |sql: &str| -> Vec<(String, String)> {
        let result = world.ask(sql);
        names(&result.rows).into_iter().map(|(c, i)| (c.into(), i.into())).collect()
    };
    let mut plain = world.rows(&|_| true);
    plain.sort_by(|a, b| b.by_id(a).then_with(|| a.collection.cmp(b.collection)));
    plain.sort_by(|a, b| b.id().cmp(a.id()).then(a.collection.cmp(b.collection)));
    let own = |rows: Vec<(&str, &str)>| -> Vec<(String, String)> {
        rows.into_iter().map(|(c, i)| (c.into(), i.into())).collect()
    };
    assert_eq!(ordered("SELECT id FROM * ORDER BY id DESC"), own(plain_names(&plain)));
    plain.sort_by(|a, b| b.collection.cmp(a.collection).then(a.id().cmp(b.id())));
    assert_eq!(
        ordered("SELECT id FROM * ORDER BY collection DESC LIMIT 12"),
        own(plain_names(&plain)[..12].to_vec())
    );
    plain.sort_by(|a, b| {
        let (left, right) = (&a.record.document, &b.record.document);
        left.is_none().cmp(&right.is_none()).then(left.cmp(right)).then_with(|| a.by_id(b))
    });
    assert_eq!(
        ordered("SELECT id FROM * ORDER BY document LIMIT 50"),
        own(plain_names(&plain)[..50].to_vec())
    );
}

#[test]
fn a_search_orders_its_nearest_rows_only() {
    let world = World::new();
    let mut plain = world.nearest(&[0.5, 0.0, 1.0, -1.0], None, &|_| true);
    plain.truncate(40);
    plain.sort_by(|a, b| a.by_value(b, "size", true, false).then_with(|| a.by_distance(b)));
    let sql = "SELECT id, distance FROM * USING EMBEDDING (VECTOR [0.5, 0, 1, -1]) TOPK 40 \
               ORDER BY metadata.size DESC";
    assert_eq!(names(&world.ask(sql).rows), plain_names(&plain));
    let page = world.ask(&format!("{sql} LIMIT 7 OFFSET 4"));
    assert_eq!(names(&page.rows), plain_names(&plain)[4..11]);
    assert_eq!(page.rows[0].distance, Some(plain[4].distance));
}

#[test]
fn ordering_takes_at_most_three_waves() {
    let world = World::new();
    for sql in [
        "SELECT id FROM * ORDER BY metadata.size DESC LIMIT 5",
        "SELECT document FROM * WHERE metadata.flag = TRUE ORDER BY document, metadata.when LIMIT 5",
        "SELECT metadata.tags, id FROM * ORDER BY metadata.tags, id LIMIT 9 OFFSET 3",
        "SELECT id, document FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) ORDER BY metadata.kind, distance",
    ] {
        check_waves(&world, sql);
    }
}

/// Documents are read to tell which rows pass; the winners' records come with them, whether or not they took a test.
#[test]
fn tests_of_documents_leave_three_waves() {
    let world = World::new();
    for condition in [
        "document LIKE '%1%'",
        "document LIKE '%1%' OR metadata.size > 1",
        "metadata.size > 1 AND (document CONTAINS '7' OR metadata.kind = 'bee' OR id < 'r0100')",
        "document IS NULL OR metadata.flag = TRUE",
    ] {
        for rest in ["ORDER BY metadata.size LIMIT 3", "LIMIT 700", "ORDER BY document"] {
            check_waves(&world, &format!("SELECT id, document FROM * WHERE {condition} {rest}"));
        }
        let search = "FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0])";
        check_waves(&world, &format!("SELECT id, document {search} WHERE {condition} TOPK 30"));
        check_waves(&world, &format!("SELECT COUNT(*) FROM * WHERE {condition}"));
    }
}

/// Keys come from columns: the records of rows that are not in the answer stay where they are.
#[test]
fn only_winners_are_read() {
    let world = World::new();
    let (result, bytes): (ResultSet, u64) =
        world.ask_by_ranges("SELECT id FROM barn ORDER BY metadata.deep.rank DESC LIMIT 1");
    assert_eq!(result.rows.len(), 1);
    let (_, all) = world.ask_by_ranges("SELECT id FROM barn ORDER BY document LIMIT 1");
    assert!(bytes * 2 < all, "{bytes} bytes, {all} for all records");
}
