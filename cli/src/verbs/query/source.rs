//! What is asked: a release folder, or collections of a store, which become one in memory.

use portolan::{
    local::LocalRelease,
    native::{
        release::StoreRelease,
        store::{Mode, Store},
    },
    plan::Plan,
    release::{INDEX_NAME, ReleaseIndex},
    router::ResultSet,
};

use super::{Limits, Place};
use crate::outcome::Failure;

/// An opened place.
pub enum Opened {
    Release(LocalRelease),
    Store(StoreRelease),
}

impl Opened {
    /// The names of the collections of a place, sorted.
    pub async fn names(place: &Place) -> Result<Vec<String>, Failure> {
        Ok(match (&place.release, &place.store) {
            (Some(folder), _) => {
                let release = LocalRelease::open(folder)?;
                release.catalog().index().collections.iter().map(|entry| entry.schema.collection.clone()).collect()
            }
            (_, Some(folder)) => Store::open(folder, Mode::Read).await?.collections(),
            _ => return Err(nothing_named()),
        })
    }
}

fn nothing_named() -> Failure {
    Failure::wrong_use("name a release with --release, or a store with --store")
}
