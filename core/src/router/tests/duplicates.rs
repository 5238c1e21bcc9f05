//! ON DUPLICATE ID KEEP NEAREST: rows of several collections that share an id.

use std::collections::BTreeSet;

use super::world::{Plain, World, check_waves, names, plain_names};

fn distinct<'w>(rows: Vec<Plain<'w>>) -> Vec<Plain<'w>> {
    let mut seen = BTreeSet::new();
    rows.into_iter().filter(|row| seen.insert(row.record.id.clone())).collect()
}

/// More collections of the same ids: without looking further, duplicates would eat the places of others.
fn world() -> World {
    let metric = crate::metric::Metric::L2;
    World::with(&[("a", 700, metric, 4), ("b", 700, metric, 4), ("c", 700, metric, 4), ("d", 20, metric, 4)])
}

#[test]
fn the_nearest_of_each_id_stays_and_the_places_are_filled() {
    let world = world();
    let plain = distinct(world.nearest(&[1.0, 1.0, 0.0, 0.0], None, &|_| true));
    for k in [1, 10, 100, 5000] {
        let sql = format!(
            "SELECT id FROM * USING EMBEDDING (VECTOR [1, 1, 0, 0]) ON DUPLICATE ID KEEP NEAREST TOPK {k}"
        );
        let result = world.ask(&sql);
        assert_eq!(names(&result.rows), plain_names(&plain[..k.min(plain.len())]), "{k}");
    }
    let all = world.nearest(&[1.0, 1.0, 0.0, 0.0], None, &|_| true);
    assert_ne!(plain_names(&plain[..100]), plain_names(&all[..100]), "the ids are shared");
}

#[test]
fn without_a_query_the_first_of_each_id_stays() {
    let world = world();
    let plain = distinct(world.rows(&|_| true));
    let sql = "SELECT id FROM * ON DUPLICATE ID KEEP NEAREST";
    assert_eq!(
        names(&world.ask(&format!("{sql} LIMIT 900 OFFSET 300")).rows),
        plain_names(&plain[300..1200])
    );
    let mut ordered = world.rows(&|_| true);
    ordered.sort_by(|a, b| a.by_value(b, "weight", true, false).then_with(|| a.by_id(b)));
    let ordered = distinct(ordered);
    let result = world.ask(&format!("{sql} ORDER BY metadata.weight DESC LIMIT 50 OFFSET 20"));
    assert_eq!(names(&result.rows), plain_names(&ordered[20..70]));
    let count = world.ask("SELECT COUNT(*) AS n, COUNT(document) FROM * ON DUPLICATE ID KEEP NEAREST");
    assert_eq!(count.rows[0].cells[0], crate::schema::Value::Int(plain.len() as i64));
    let texts = plain.iter().filter(|row| row.record.document.is_some()).count();
    assert_eq!(count.rows[0].cells[1], crate::schema::Value::Int(texts as i64));
}

#[test]
fn pages_without_duplicates_are_the_whole_answer() {
    let world = world();
    for sql in [
        "SELECT id FROM * USING EMBEDDING (VECTOR [1, 1, 0, 0]) ON DUPLICATE ID KEEP NEAREST LIMIT 300",
        "SELECT id FROM * ON DUPLICATE ID KEEP NEAREST LIMIT 300",
        "SELECT id FROM * ON DUPLICATE ID KEEP NEAREST ORDER BY metadata.size LIMIT 300",
    ] {
        let all = world.ask(&sql.replace("LIMIT 300", "LIMIT 9999"));
        let (mut pages, mut after) = (Vec::new(), String::new());
        loop {
            let page = world.ask(&format!("{sql}{after}"));
            pages.extend(page.rows);
            let Some(cursor) = page.cursor else { break };
            after = format!(" AFTER '{cursor}'");
        }
        assert_eq!(names(&pages), names(&all.rows), "{sql}");
    }
}

#[test]
fn duplicates_take_no_wave_of_their_own() {
    let world = world();
    check_waves(
        &world,
        "SELECT id, document FROM * USING EMBEDDING (VECTOR [1, 1, 0, 0]) ON DUPLICATE ID KEEP NEAREST",
    );
    check_waves(&world, "SELECT COUNT(metadata.tags) FROM * ON DUPLICATE ID KEEP NEAREST");
}
