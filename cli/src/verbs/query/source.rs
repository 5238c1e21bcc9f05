//! What is asked: a release folder, or collections of a store, which become one in memory.

use portolan::{
    local::{LocalOptions, LocalRelease},
    native::{
        release::StoreRelease,
        store::{Mode, Store},
    },
    plan::Plan,
    release::ReleaseIndex,
    router::ResultSet,
};

use super::Place;
use crate::outcome::Failure;

/// An opened place.
pub enum Opened {
    Release(LocalRelease),
    Store(StoreRelease),
}

impl Opened {
    /// Opens a place for one plan.
    ///
    /// `partial`: of a release with missing or cut files, what there is.
    pub async fn for_plan(place: &Place, plan: &Plan, partial: bool) -> Result<Self, Failure> {
        Ok(match named(place, partial)? {
            Named::Release(release) => Self::Release(release),
            Named::Store(folder) => {
                let store = Store::open(folder, Mode::Read).await?;
                Self::Store(StoreRelease::load(&store, plan, None).await?)
            }
        })
    }

    /// Opens a place for statements about the collections that `choose` picks of all, which are sorted.
    pub async fn choosing(
        place: &Place,
        choose: impl FnOnce(&[String]) -> Vec<String>,
    ) -> Result<(Self, Vec<String>), Failure> {
        match named(place, false)? {
            Named::Release(release) => {
                let entries = &release.catalog().index().collections;
                let names = entries.iter().map(|entry| entry.schema.collection.clone()).collect();
                Ok((Self::Release(release), names))
            }
            Named::Store(folder) => {
                let store = Store::open(folder, Mode::Read).await?;
                let names = store.collections();
                let mut chosen: Vec<String> =
                    choose(&names).into_iter().filter(|name| names.contains(name)).collect();
                chosen.sort_unstable();
                chosen.dedup();
                Ok((Self::Store(StoreRelease::load_named(&store, &chosen, None).await?), names))
            }
        }
    }

    /// What is opened.
    pub fn index(&self) -> &ReleaseIndex {
        match self {
            Self::Release(release) => release.catalog().index(),
            Self::Store(release) => release.catalog().index(),
        }
    }

    /// Answers a plan.
    pub fn run(&self, plan: Plan, options: &LocalOptions) -> portolan::Result<ResultSet> {
        match self {
            Self::Release(release) => release.run_with(plan, options),
            Self::Store(release) => release.run_with(plan, options),
        }
    }
}

/// What the command line names.
enum Named<'a> {
    Release(LocalRelease),
    Store(&'a std::path::Path),
}

fn named(place: &Place, partial: bool) -> Result<Named<'_>, Failure> {
    match (&place.release, &place.store) {
        (Some(folder), _) if partial => Ok(Named::Release(LocalRelease::open_partial(folder)?)),
        (Some(folder), _) => Ok(Named::Release(LocalRelease::open(folder)?)),
        (_, Some(folder)) => Ok(Named::Store(folder)),
        _ => Err(Failure::wrong_use("name a release with --release, or a store with --store")),
    }
}
