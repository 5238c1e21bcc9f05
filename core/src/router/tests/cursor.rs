//! Pages: put together they are the whole answer, across ties too.

use super::world::{World, check_waves, names};
use crate::{
    Error,
    plan::Plan,
    router::{Fanout, Options, ResultSet},
};

/// All pages of a statement, of `size` rows each.
fn pages(world: &World, sql: &str, size: usize) -> Vec<ResultSet> {
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.ask(&format!("{sql} LIMIT {size}{after}"));
        let cursor = page.cursor.clone();
        assert!(page.rows.len() == size || cursor.is_none(), "{sql}: a short page with a cursor");
        pages.push(page);
        match cursor {
            Some(cursor) => after = format!(" AFTER '{cursor}'"),
            None => return pages,
        }
        assert!(pages.len() < 2000, "{sql} does not end");
    }
}

#[test]
fn pages_put_together_are_the_whole_answer() {
    let world = World::new();
    for sql in [
        "SELECT id FROM *",
        "SELECT id FROM den, barn, ark WHERE metadata.size > 0",
        "SELECT id FROM * ORDER BY metadata.size",
        "SELECT id FROM * ORDER BY metadata.kind DESC NULLS FIRST, metadata.flag",
        "SELECT id FROM * WHERE metadata.weight >= 0 ORDER BY metadata.weight - metadata.size DESC",
        "SELECT id FROM * ORDER BY document",
        "SELECT id FROM * ORDER BY metadata.tags, metadata.when DESC",
        "SELECT id FROM * ORDER BY id DESC",
        // Vectors of a few whole numbers have few different distances.
        "SELECT id FROM * USING EMBEDDING (VECTOR [0.25, 0, 0, 0])",
        "SELECT id FROM * USING EMBEDDING (VECTOR [0.25, 0, 0, 0]) WHERE metadata.kind = 'bee'",
        "SELECT id FROM * USING EMBEDDING (VECTOR [0.25, 0, 0, 0]) WITH SCORE THRESHOLD 6",
        "SELECT id FROM * USING EMBEDDING (VECTOR [0.25, 0, 0, 0]) TOPK 120 ORDER BY metadata.size DESC",
        "SELECT id FROM * USING EMBEDDING (VECTOR [0.25, 0, 0, 0]) SIMILARITY IP",
    ] {
        let whole = match sql.contains("TOPK") {
            true => world.ask(sql),
            false => world.ask(&format!("{sql} LIMIT 100000")),
        };
        for size in [1, 7, 100] {
            if size == 1 && whole.rows.len() > 200 {
                continue;
            }
            let pages = pages(&world, sql, size);
            let rows: Vec<_> = pages.into_iter().flat_map(|page| page.rows).collect();
            assert_eq!(names(&rows), names(&whole.rows), "{sql}, pages of {size}");
        }
        assert_eq!(whole.cursor, None, "{sql}: nothing was cut off");
    }
}

#[test]
fn topk_alone_cuts_too() {
    let world = World::new();
    let sql = "SELECT id FROM * USING EMBEDDING (VECTOR [0.25, 0, 0, 0]) TOPK 25";
    let first = world.ask(sql);
    let second = world.ask(&format!("{sql} AFTER '{}'", first.cursor.as_ref().unwrap()));
    let both = world.ask(&sql.replace("TOPK 25", "TOPK 50"));
    let rows: Vec<_> = first.rows.into_iter().chain(second.rows).collect();
    assert_eq!(names(&rows), names(&both.rows));
}

#[test]
fn no_cursor_where_paging_is_not_possible_or_nothing_is_left() {
    let world = World::new();
    for sql in [
        "SELECT id FROM * LIMIT 0",
        "SELECT id FROM * LIMIT 5 OFFSET 5",
        "SELECT id FROM cage LIMIT 7",
        "SELECT COUNT(*) FROM *",
        "SELECT metadata.kind, COUNT(*) FROM * GROUP BY metadata.kind LIMIT 1",
        "SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) RERANK BY MMR",
        "SELECT id FROM * USING EMBEDDING BATCH (VECTOR [1, 0, 0, 0], VECTOR [0, 1, 0, 0])",
        "SELECT id FROM cage USING EMBEDDING (VECTOR [1, 0, 0, 0]) TOPK 7",
        "SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) TOPK 30 ORDER BY id",
    ] {
        assert_eq!(world.ask(sql).cursor, None, "{sql}");
    }
    assert!(world.ask("SELECT id FROM cage LIMIT 6").cursor.is_some());
}

#[test]
fn the_cursor_of_another_statement_is_refused() {
    let world = World::new();
    let cursor = world.ask("SELECT id FROM * ORDER BY metadata.size LIMIT 3").cursor.unwrap();
    let other = Plan::parse(&format!("SELECT id FROM * ORDER BY metadata.kind LIMIT 3 AFTER '{cursor}'"));
    assert!(other.is_err());
    // Columns and LIMIT may differ.
    world.ask(&format!("SELECT id, document FROM * ORDER BY metadata.size LIMIT 9 AFTER '{cursor}'"));
}

/// The collection of the cursor's row may have left the release; its place in the order stays.
#[test]
fn a_cursor_outlives_its_collection() {
    let (before, after) = (World::new(), {
        let metric = crate::metric::Metric::L2;
        World::with(&[("ark", 130, metric, 4), ("barn", 900, metric, 4), ("den", 1, metric, 4)])
    });
    let cursor = before.ask("SELECT id FROM * LIMIT 1033").cursor.unwrap();
    let rest = after.ask(&format!("SELECT id FROM * LIMIT 10 AFTER '{cursor}'"));
    assert_eq!(rest.rows.len(), 1, "{rest:?}");
    assert_eq!(rest.rows[0].collection.as_deref(), Some("den"));
}

#[test]
fn paging_takes_no_wave_of_its_own() {
    let world = World::new();
    for sql in [
        "SELECT id, document FROM * USING EMBEDDING (VECTOR [0.25, 0, 0, 0]) LIMIT 5",
        "SELECT id FROM * ORDER BY metadata.size LIMIT 5",
        "SELECT id FROM * LIMIT 5",
    ] {
        let cursor = world.ask(sql).cursor.unwrap();
        check_waves(&world, &format!("{sql} AFTER '{cursor}'"));
    }
}

#[test]
fn paging_is_refused_where_distances_mean_different_things() {
    use crate::metric::Metric::{Cosine, L2};
    let one = World::with(&[("a", 30, L2, 4), ("b", 30, L2, 4)]);
    let two = World::with(&[("a", 30, L2, 4), ("b", 30, Cosine, 4)]);
    let sql = "SELECT id FROM * USING EMBEDDING (VECTOR [1, 0, 0, 0]) LIMIT 5";
    let cursor = one.ask(sql).cursor.unwrap();
    let plan = Plan::parse(&format!("{sql} AFTER '{cursor}'")).unwrap();
    let refused = Fanout::with(two.catalog(), plan, Options::default());
    assert!(matches!(&refused, Err(Error::Catalog(error)) if error.code() == 2008), "{refused:?}");
}
