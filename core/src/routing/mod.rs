//! Routing told from outside: which collections a statement has to ask, by a routing file or by the host's own rule.
//!
//! Release statistics already leave out what they rule out, with no help. A [`Router`] is for what they cannot know: a
//! file that says which values of one field live where ([`RoutingTable`]), or a rule of the application
//! ([`RouterFn`]). It only ever leaves collections out of those that FROM names, and every one that is left out comes
//! with a reason. Nothing here reads a file or a collection.

mod passing;
mod read;
mod table;

#[cfg(test)]
mod tests;

use std::fmt::{self, Debug, Formatter};

use crate::{error::Result, gather::Gather as _, order::sort_by, plan::Plan};

pub use table::{RoutingTable, TableRouter};

/// Decides which of the collections that FROM names are asked.
pub trait Router: Debug + Send + Sync {
    /// Which of `collections`, the names that FROM stands for, can hold a row that passes. A collection may be left out
    /// only if it holds none: its rows would be missing from the answer.
    ///
    /// # Errors
    /// Whatever the router refuses; the statement fails with it.
    fn route(&self, plan: &Plan, collections: &[&str]) -> Result<Route>;
}

/// What a router says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// All collections are asked.
    All,
    /// Only these are asked. Names that FROM does not stand for are ignored.
    Only(Vec<String>),
    /// All but these are asked: the name, and why not. A name stands once.
    Except(Vec<(String, String)>),
}

impl Route {
    /// Why a collection is left out; `None` if it is asked.
    pub fn skip_reason(&self, collection: &str) -> Option<&str> {
        self.skip_reasons(&[collection]).pop().flatten()
    }

    /// The same of many collections, in O((n + m) log n) for n names of the route.
    pub(crate) fn skip_reasons<'r>(&'r self, collections: &[&str]) -> Vec<Option<&'r str>> {
        let mut named: Vec<(&str, &str)> = match self {
            Self::All => Vec::new(),
            Self::Only(names) => names.iter().map(|name| (name.as_str(), "")).gather(),
            Self::Except(skipped) => skipped.iter().map(|(name, why)| (name.as_str(), why.as_str())).gather(),
        };
        sort_by(&mut named, |a, b| a.0.cmp(b.0));
        let reason = |collection: &&str| {
            let place = named.binary_search_by(|(name, _)| (*name).cmp(collection)).ok();
            match (self, place.and_then(|place| named.get(place))) {
                (Self::Only(_), None) => Some("the router does not name it"),
                (Self::Except(_), Some((_, why))) => Some(*why),
                _ => None,
            }
        };
        collections.iter().map(reason).gather()
    }
}

/// A function as a [`Router`].
pub struct RouterFn<F>(F);

impl<F: Fn(&Plan, &[&str]) -> Result<Route> + Send + Sync> RouterFn<F> {
    /// A router that calls `route` with the plan and the names that FROM stands for.
    pub fn new(route: F) -> Self {
        Self(route)
    }
}

impl<F: Fn(&Plan, &[&str]) -> Result<Route> + Send + Sync> Router for RouterFn<F> {
    fn route(&self, plan: &Plan, collections: &[&str]) -> Result<Route> {
        (self.0)(plan, collections)
    }
}

impl<F> Debug for RouterFn<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("RouterFn")
    }
}
