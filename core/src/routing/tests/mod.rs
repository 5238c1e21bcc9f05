//! What a routing file leaves out, said by examples; that it is never too much, by `property`.

mod oracle;
mod property;

use std::collections::BTreeSet;

use super::*;
use crate::{
    error::{CatalogError, Error, ErrorKind},
    plan::Plan,
    query::tests::Random,
};

const FILE: &str = r#"{
    "discriminator": "kind",
    "model_to_collections": {
        "book": {"collections": ["books_a", "books_b", "notes"], "total": 7},
        "film": ["films_a", "films_b"],
        "game": {"collections": ["games"]},
        "note": ["notes"],
        "short": ["films_b"],
        "empty": [],
        "3": ["books_a"]
    },
    "collection_to_models": {
        "books_a": ["book", 3],
        "books_b": ["book"],
        "films_a": ["film"],
        "films_b": ["film", "short"],
        "games": ["game"],
        "nothing": []
    },
    "about": "other keys are nobody's business"
}"#;
/// `notes` and `attic` are not in `collection_to_models`, `attic` is nowhere.
const NAMES: [&str; 8] = ["attic", "books_a", "books_b", "films_a", "films_b", "games", "notes", "nothing"];

fn routed(condition: &str, fallback: bool) -> Result<Route> {
    let table = RoutingTable::parse(FILE).expect("a routing file");
    let plan = Plan::parse(&format!("SELECT id FROM * WHERE {condition}")).expect(condition);
    table.into_router(fallback).route(&plan, &NAMES)
}

/// The collections asked, with commas; `all` where nothing is left out on purpose.
fn asked(condition: &str, fallback: bool) -> String {
    match routed(condition, fallback).expect(condition) {
        Route::All => String::from("all"),
        route => {
            let asked: Vec<&str> =
                NAMES.into_iter().filter(|name| route.skip_reason(name).is_none()).collect();
            asked.join(", ")
        }
    }
}

#[test]
fn strict_routing_asks_only_what_the_file_allows() {
    for (condition, expected) in [
        ("metadata.kind = 'book'", "books_a, books_b, notes"),
        ("metadata.kind IN ('film', 'short')", "films_a, films_b"),
        // AND intersects, OR unites, wherever they stand.
        ("metadata.kind = 'book' AND metadata.kind = 'film'", ""),
        ("metadata.kind IN ('book', 'film') AND metadata.kind = 'film'", "films_a, films_b"),
        ("metadata.kind = 'game' OR metadata.kind = 'note'", "games, notes"),
        ("(metadata.kind = 'film' OR metadata.x < 20) AND metadata.kind = 'game'", "games"),
        (
            "(metadata.kind = 'film' OR metadata.x < 20) AND metadata.kind != 'game'",
            "books_a, books_b, films_a, films_b, notes",
        ),
        // Each of two tests leaves films_b a value, both together do not.
        ("metadata.kind != 'film' AND metadata.kind != 'short'", "books_a, books_b, games, notes"),
        ("metadata.kind != 'film'", "books_a, books_b, films_b, games, notes"),
        // The key "3" is a text too.
        ("metadata.kind NOT IN ('book', 'film')", "books_a, films_b, games, notes"),
        ("NOT (metadata.kind = 'film' OR metadata.kind = 'book')", "books_a, films_b, games, notes"),
        ("NOT (metadata.kind != 'film')", "films_a, films_b"),
        // Ranges and prefixes.
        ("metadata.kind < 'c'", "books_a, books_b, notes"),
        ("metadata.kind BETWEEN 'g' AND 'h'", "games"),
        ("metadata.kind NOT BETWEEN 'a' AND 'm'", "books_a, films_b, notes"),
        ("metadata.kind > 'note'", "films_b"),
        ("metadata.kind >= 'note'", "films_b, notes"),
        ("metadata.kind <= 'book'", "books_a, books_b, notes"),
        // Numbers as numbers, whatever the file writes.
        ("metadata.kind = 3", "books_a"),
        ("metadata.kind = 3.0", "books_a"),
        ("metadata.kind = '3'", "books_a"),
        ("metadata.kind != 3", ""),
        ("metadata.kind < 2.5", ""),
        ("metadata.kind BETWEEN 2.5 AND 3.5", "books_a"),
        // NULL.
        ("metadata.kind = NULL", ""),
        ("metadata.kind NOT IN ('book', NULL)", ""),
        ("metadata.kind IN ('game', NULL)", "games"),
        ("metadata.kind NOT BETWEEN NULL AND 'm'", "films_b, notes"),
        ("metadata.kind IS NOT NULL", "books_a, books_b, films_a, films_b, games, notes"),
        ("metadata.kind IS NOT NULL AND metadata.kind IS NULL", ""),
        // What nobody holds.
        ("metadata.kind = 'opera'", ""),
        ("metadata.kind IN ('opera', 'game')", "games"),
        ("metadata.kind = 'empty'", ""),
        ("metadata.kind = 'Book'", ""),
        ("metadata.kind = TRUE", ""),
    ] {
        assert_eq!(asked(condition, false), expected, "{condition}");
    }
}

#[test]
fn with_fallback_what_the_file_does_not_know_is_asked() {
    for (condition, expected) in [
        ("metadata.kind = 'book'", "books_a, books_b, notes"),
        ("metadata.kind = 'book' AND metadata.kind = 'film'", ""),
        // attic and notes may hold values that nobody named.
        ("metadata.kind != 'film'", "attic, books_a, books_b, films_b, games, notes"),
        ("metadata.kind != 'film' AND metadata.kind != 'short'", "attic, books_a, books_b, games, notes"),
        ("metadata.kind > 'note'", "attic, films_b, notes"),
        ("metadata.kind IS NOT NULL", "attic, books_a, books_b, films_a, films_b, games, notes"),
        ("metadata.kind IS NULL", "all"),
        ("metadata.kind = 'opera'", "all"),
        ("metadata.kind IN ('opera', 'game')", "all"),
        ("metadata.kind = 'opera' AND metadata.kind = 'game'", ""),
        ("metadata.kind NOT IN ('opera', 'film')", "attic, books_a, books_b, films_b, games, notes"),
        ("metadata.x < 10", "all"),
        ("metadata.kind = 'game' OR metadata.x < 10", "all"),
        ("id = 'x'", "all"),
    ] {
        assert_eq!(asked(condition, true), expected, "{condition}");
    }
}

#[test]
fn strict_routing_refuses_what_does_not_constrain_the_discriminator() {
    for condition in [
        "metadata.x < 10",
        "metadata.kind = 'game' OR metadata.x < 10",
        "metadata.kind IS NULL",
        "metadata.kind = 'game' OR metadata.kind IS NULL",
        "metadata.kind.x = 'game'",
        "id = 'game'",
    ] {
        let error = routed(condition, false).expect_err(condition);
        assert!(matches!(error, Error::Catalog(CatalogError::Unrouted { .. })), "{condition}: {error}");
        assert_eq!((error.code(), error.kind()), (2011, ErrorKind::Usage));
        assert!(error.to_string().contains("metadata.kind"), "{error}");
    }
    let table = RoutingTable::parse(FILE).expect("a routing file");
    let plan = Plan::parse("SELECT id FROM *").expect("a statement");
    assert!(table.clone().into_router(false).route(&plan, &NAMES).is_err());
    assert_eq!(table.into_router(true).route(&plan, &NAMES).expect("a route"), Route::All);
}

#[test]
fn every_skipped_collection_has_a_reason_of_its_own() {
    let route = routed("metadata.kind = 'game'", true).expect("a route");
    for (name, expected) in [
        ("books_b", "the routing table says metadata.kind is always 'book' here"),
        ("films_b", "the routing table gives it 2 values of metadata.kind, and none passes"),
        ("notes", "the routing table puts no value of metadata.kind here that passes"),
        ("nothing", "the routing table gives it no value of metadata.kind"),
    ] {
        assert_eq!(route.skip_reason(name), Some(expected));
    }
    assert_eq!(route.skip_reason("games"), None);
}

#[test]
fn times_are_found_however_they_are_written() {
    let file = r#"{"discriminator": ["meta", "day"], "model_to_collections": {"2024-05-01": ["may"], "2024-06-01": ["june"]},
        "collection_to_models": {"may": ["2024-05-01"], "june": ["2024-06-01"]}}"#;
    let router = RoutingTable::parse(file).expect("a routing file").into_router(false);
    for (condition, may, june) in [
        ("metadata.meta.day = '2024-05-01T02:00:00+02:00'", true, false),
        ("metadata.meta.day > '2024-05-01T00:00:00Z'", false, true),
        // As texts these differ, and the column's type is not known here.
        ("metadata.meta.day != '2024-05-01T00:00:00Z'", true, true),
        ("metadata.meta.day > '2024-05-02T00:00:00Z'", false, true),
        ("metadata.meta.day IN ('2024-06-01T00:00:00Z')", false, true),
    ] {
        let plan = Plan::parse(&format!("SELECT id FROM * WHERE {condition}")).expect(condition);
        let route = router.route(&plan, &["may", "june"]).expect(condition);
        let asked = (route.skip_reason("may").is_none(), route.skip_reason("june").is_none());
        assert_eq!(asked, (may, june), "{condition}");
    }
}

#[test]
fn booleans_route() {
    let file = r#"{"discriminator": "live", "model_to_collections": {"True": ["a"], "false": ["b"]},
        "collection_to_models": {"a": [true], "b": [false]}}"#;
    let router = RoutingTable::parse(file).expect("a routing file").into_router(false);
    for (condition, a, b) in [
        ("metadata.live = TRUE", true, false),
        ("metadata.live = FALSE", false, true),
        ("metadata.live != TRUE", false, true),
        ("metadata.live IN (TRUE, FALSE)", true, true),
    ] {
        let plan = Plan::parse(&format!("SELECT id FROM * WHERE {condition}")).expect(condition);
        let route = router.route(&plan, &["a", "b"]).expect(condition);
        assert_eq!(
            (route.skip_reason("a").is_none(), route.skip_reason("b").is_none()),
            (a, b),
            "{condition}"
        );
    }
}

#[test]
fn large_numbers_keep_their_exact_value() {
    let file = r#"{"discriminator": "n", "model_to_collections": {"9223372036854775807": ["most"]},
        "collection_to_models": {"float": [9223372036854775808.0, 1e300], "int": [9007199254740993], "zero": [-0.0, 2.0]}}"#;
    let router = RoutingTable::parse(file).expect("a routing file").into_router(false);
    for (condition, expected) in [
        ("metadata.n = 9223372036854775807", "most"),
        ("metadata.n = 9223372036854775808.0", "float"),
        ("metadata.n > 9223372036854775807", "float"),
        ("metadata.n = 9007199254740993", "int"),
        ("metadata.n = 9007199254740992.0", ""),
        ("metadata.n = 0", "zero"),
        ("metadata.n IN (2, 1e300)", "float, zero"),
    ] {
        let plan = Plan::parse(&format!("SELECT id FROM * WHERE {condition}")).expect(condition);
        let names = ["float", "int", "most", "zero"];
        let route = router.route(&plan, &names).expect(condition);
        let asked: Vec<&str> = names.into_iter().filter(|name| route.skip_reason(name).is_none()).collect();
        assert_eq!(asked.join(", "), expected, "{condition}");
    }
}

/// The table of the reference's router, each row.
#[test]
fn chromasql_routes_as_the_reference_does() {
    let table = RoutingTable::parse(FILE).expect("a routing file");
    let values = |values: &[&str]| values.iter().copied().map(String::from).collect::<BTreeSet<_>>();
    let names = |names: &[&str]| Some(names.iter().copied().map(String::from).collect::<Vec<_>>());
    // The discriminator is not constrained.
    assert_eq!(table.route_chromasql(None, true), Ok(None));
    let refused = table.route_chromasql(None, false).expect_err("strict");
    assert_eq!(refused, CatalogError::Unrouted { column: "metadata.kind".into() });
    for (asked, with_fallback, strict) in [
        // All values known: sorted union, each once.
        (values(&["short", "film"]), names(&["films_a", "films_b"]), names(&["films_a", "films_b"])),
        (
            values(&["note", "book"]),
            names(&["books_a", "books_b", "notes"]),
            names(&["books_a", "books_b", "notes"]),
        ),
        // Some values unknown.
        (values(&["opera", "game"]), names(&["games"]), names(&["games"])),
        // All values unknown, or mapped to nothing.
        (values(&["opera"]), None, names(&[])),
        (values(&["empty"]), None, names(&[])),
        // Type-strict and case-sensitive.
        (values(&["Book"]), None, names(&[])),
    ] {
        assert_eq!(table.route_chromasql(Some(&asked), true), Ok(with_fallback), "{asked:?}");
        assert_eq!(table.route_chromasql(Some(&asked), false), Ok(strict), "{asked:?}");
    }
}

/// A collection that is missing at run time is routed to all the same: what the executor makes of it is its matter.
#[test]
fn chromasql_routes_to_collections_that_are_not_there() {
    let file = r#"{"discriminator": "kind", "model_to_collections": {"half": ["games", "missing_one"]},
        "collection_to_models": {}}"#;
    let table = RoutingTable::parse(file).expect("a routing file");
    let values = BTreeSet::from([String::from("half")]);
    let expected = vec![String::from("games"), String::from("missing_one")];
    assert_eq!(table.route_chromasql(Some(&values), true), Ok(Some(expected)));
}

#[test]
fn odd_files_are_refused_with_their_place() {
    for (file, place) in [
        ("", "the text"),
        ("{", "the text"),
        ("[]", "the file"),
        (r#"{"discriminator": "k", "collection_to_models": {}}"#, "model_to_collections"),
        (r#"{"discriminator": "k", "model_to_collections": {}}"#, "collection_to_models"),
        (r#"{"model_to_collections": {}, "collection_to_models": {}}"#, "discriminator"),
        (r#"{"discriminator": 3, "model_to_collections": {}, "collection_to_models": {}}"#, "discriminator"),
        (r#"{"discriminator": "", "model_to_collections": {}, "collection_to_models": {}}"#, "discriminator"),
        (r#"{"discriminator": [], "model_to_collections": {}, "collection_to_models": {}}"#, "discriminator"),
        (
            r#"{"discriminator": ["a", 1], "model_to_collections": {}, "collection_to_models": {}}"#,
            "discriminator[1]",
        ),
        (
            r#"{"discriminator": "a..b", "model_to_collections": {}, "collection_to_models": {}}"#,
            "discriminator",
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": [], "collection_to_models": {}}"#,
            "model_to_collections",
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": null, "collection_to_models": {}}"#,
            "model_to_collections",
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": {"a.b": 7}, "collection_to_models": {}}"#,
            r#"model_to_collections["a.b"]"#,
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": {"a": {}}, "collection_to_models": {}}"#,
            r#"model_to_collections["a"].collections"#,
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": {"a": {"collections": "b"}}, "collection_to_models": {}}"#,
            r#"model_to_collections["a"].collections"#,
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": {"a": {"collections": ["b", 1]}}, "collection_to_models": {}}"#,
            r#"model_to_collections["a"].collections[1]"#,
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": {"a": [null]}, "collection_to_models": {}}"#,
            r#"model_to_collections["a"][0]"#,
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": {}, "collection_to_models": {"c": "a"}}"#,
            r#"collection_to_models["c"]"#,
        ),
        (
            r#"{"discriminator": "k", "model_to_collections": {}, "collection_to_models": {"c": ["a", null]}}"#,
            r#"collection_to_models["c"][1]"#,
        ),
    ] {
        let error = Error::from(RoutingTable::parse(file).expect_err(file));
        let Error::Catalog(CatalogError::BadRouting { place: found, .. }) = &error else { panic!("{error}") };
        assert_eq!(found, place, "{file}");
        assert_eq!((error.code(), error.kind()), (2010, ErrorKind::Usage));
        assert!(error.to_string().contains(place), "{error}");
    }
}

#[test]
fn no_file_makes_routing_panic() {
    let mut random = Random(9);
    let plan = Plan::parse("SELECT id FROM * WHERE metadata.kind != 'book' AND metadata.kind < 3")
        .expect("a statement");
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = FILE.as_bytes().to_vec();
        for _ in 0..1 + random.below(2) {
            let place = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[place] = b"{}[]\",:0e-n \\"[random.below(13)],
                1 => drop(bytes.remove(place)),
                _ => bytes.truncate(place.max(1)),
            }
        }
        if let Ok(table) = RoutingTable::parse(&String::from_utf8_lossy(&bytes)) {
            read += 1;
            let fallback = random.below(2) == 0;
            drop(table.into_router(fallback).route(&plan, &NAMES));
        }
    }
    assert!(read > 100, "only {read} were files");
}

#[test]
fn functions_are_routers() {
    let router: Box<dyn Router> = Box::new(RouterFn::new(|plan: &Plan, names: &[&str]| match plan.limit {
        Some(1) => Ok(Route::Only(names.iter().copied().take(1).map(String::from).collect())),
        Some(2) => Err(CatalogError::Unrouted { column: "x".into() }.into()),
        _ => Ok(Route::All),
    }));
    let route = |limit| {
        router.route(
            &Plan::parse(&format!("SELECT id FROM * LIMIT {limit}")).expect("a statement"),
            &["a", "b"],
        )
    };
    let only = route(1).expect("a route");
    assert_eq!((only.skip_reason("a"), only.skip_reason("b")), (None, Some("the router does not name it")));
    assert!(route(2).is_err());
    assert_eq!(route(3).expect("a route").skip_reason("b"), None);
    assert_eq!(format!("{router:?}"), "RouterFn");
}

/// A large list over a large table is not their product in comparisons.
#[test]
fn large_lists_and_tables_are_routed_at_once() {
    let models: Vec<String> = (0..10_000).map(|i| format!("\"v{i}\": [\"c{}\"]", i % 100)).collect();
    let file = format!(
        r#"{{"discriminator": "kind", "model_to_collections": {{{}}}, "collection_to_models": {{}}}}"#,
        models.join(",")
    );
    let router = RoutingTable::parse(&file).expect("a routing file").into_router(false);
    let values: Vec<String> = (0..20_000).map(|i| format!("'v{}'", i * 100)).collect();
    let plan = Plan::parse(&format!("SELECT id FROM * WHERE metadata.kind IN ({})", values.join(",")))
        .expect("a statement");
    let route = router.route(&plan, &["c0", "c1"]).expect("a route");
    assert_eq!((route.skip_reason("c0").is_none(), route.skip_reason("c1").is_none()), (true, false));
}
