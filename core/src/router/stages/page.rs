//! Paging: which rows lie behind a cursor, and the cursor of the last row of a page.

use std::cmp::Ordering;

use crate::{
    error::Result,
    plan::Cursor,
    rank::order_rows,
    router::{hit::Hit, run::Run, target::Opened},
    schema::Value,
    snapshot::layout::malformed,
};

/// The first row of a collection that comes behind the cursor's row if they are equal in all but id and collection.
pub(in crate::router) fn first_behind(
    run: &Run<'_>,
    member: usize,
    opened: &Opened<'_>,
    after: &Cursor,
) -> Result<u64> {
    let ids = opened.id_table()?;
    let same_id_is_behind = run.name(member) > after.collection.as_str();
    let (mut low, mut high) = (0, ids.count());
    while low < high {
        let middle = low + (high - low) / 2;
        let id = ids.text(middle).ok_or_else(|| malformed("ids", 0, format!("there is no id {middle}")))?;
        let behind = match id.cmp(&after.id) {
            Ordering::Less => false,
            Ordering::Equal => same_id_is_behind,
            Ordering::Greater => true,
        };
        if behind { high = middle } else { low = middle + 1 }
    }
    Ok(low.into())
}

/// The first row of a collection that comes behind the cursor in the order of collections and ids; `None` if none does.
pub(super) fn first_listed(run: &Run<'_>, member: usize, opened: &Opened<'_>) -> Result<Option<u64>> {
    let Some(after) = run.plan.after.as_ref().filter(|_| run.shape.skips_paged(run.plan)) else {
        return Ok(Some(0));
    };
    Ok(match collection_order(run, member, after) {
        Ordering::Less => None,
        Ordering::Equal => Some(first_behind(run, member, opened, after)?),
        Ordering::Greater => Some(0),
    })
}

/// Where a collection stands against that of the cursor. One that has left the release since then is placed by name.
fn collection_order(run: &Run<'_>, member: usize, after: &Cursor) -> Ordering {
    match run.names.iter().position(|name| *name == after.collection) {
        Some(place) => member.cmp(&place),
        None => run.name(member).cmp(&after.collection),
    }
}

/// Whether a row, which has its id and its keys, comes behind the cursor in the order of the answer.
pub(super) fn is_behind(run: &Run<'_>, hit: &Hit, keys: &[Value], after: &Cursor) -> bool {
    let plan = run.plan;
    let name = run.name(hit.member);
    let by_id = || (hit.id.as_str(), name).cmp(&(&after.id, &after.collection));
    let order = match (plan.is_search(), plan.order.is_empty()) {
        (false, true) => collection_order(run, hit.member, after).then_with(|| hit.id.cmp(&after.id)),
        (false, false) => order_rows(&plan.order, keys, &after.keys).then_with(by_id),
        (true, _) => {
            let distance = after.keys.get(plan.order.len());
            let distance = distance.map_or(Ordering::Equal, |key| match key {
                Value::Float(distance) => f64::from(hit.distance).total_cmp(distance),
                _ => Ordering::Equal,
            });
            order_rows(&plan.order, keys, &after.keys).then(distance).then_with(by_id)
        }
    };
    order == Ordering::Greater
}

/// The cursor of a page that ends with this row.
pub(super) fn cursor(run: &Run<'_>, hit: &Hit, mut keys: Vec<Value>) -> String {
    if run.plan.is_search() {
        keys.push(Value::Float(hit.distance.into()));
    }
    let (id, collection) = (hit.id.clone(), run.name(hit.member).into());
    Cursor { keys, id, collection }.encode(run.plan.fingerprint())
}
