//! Routing files of unknown origin: read or refused with a place, and never a collection skipped that the file itself
//! says holds what the statement asks for.

use std::str;

use portolan::{
    plan::Plan,
    routing::{Route, Router, RoutingTable},
};

/// The bytes are a routing file, a line feed of its own, and a statement.
pub fn routing(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (file, sql) = text.split_once('\n').unwrap_or((text, "SELECT id FROM *"));
    let table = match RoutingTable::parse(file) {
        Ok(table) => table,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let values = ["a", "b", ""].map(String::from).into();
    let named = table.route_chromasql(Some(&values), false);
    let asked = table.route_chromasql(Some(&values), true);
    assert!(asked == Ok(None) || asked == named, "a fallback changes nothing where values are known");
    if let Ok(plan) = Plan::parse(sql) {
        compare(table, &plan);
    }
}

/// With fallback no fewer collections are asked than without, and every refusal has a reason.
fn compare(table: RoutingTable, plan: &Plan) {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let open = table.clone().into_router(true).route(plan, &NAMES);
    assert!(open.is_ok(), "a fallback refuses nothing");
    let (Ok(open), Ok(strict)) = (open, table.into_router(false).route(plan, &NAMES)) else { return };
    for name in NAMES {
        assert!(open.skip_reason(name).is_none() || strict.skip_reason(name).is_some(), "{name}");
        assert!(open.skip_reason(name).is_none_or(|reason| !reason.is_empty()), "{name}");
    }
    assert_eq!(Route::All.skip_reason("a"), None);
}
