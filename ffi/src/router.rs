//! A program's own rule for which collections a statement asks.

use std::{
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};

use engine::{
    error::CatalogError,
    plan::Plan,
    routing::{Route, Router},
};
use safer_ffi::prelude::*;

use crate::text::{Chars, Text};

/// What C calls a router: a function of `context`, the names, their count, and a place for each to be marked.
pub(crate) type Callback = extern "C" fn(*mut std::ffi::c_void, *const *const Chars, usize, *mut bool) -> u32;

/// A callback with what the program wants back in it.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    callback: Callback,
    /// The address of the program's own object: what is behind it, and that threads may share it, is its business.
    context: usize,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rule")
    }
}

impl Rule {
    pub(crate) fn new(callback: Callback, context: *mut std::ffi::c_void) -> Self {
        Self { callback, context: context.expose_provenance() }
    }
}

/// The rule of one statement, which remembers how it was refused.
#[derive(Debug)]
pub(crate) struct RuleRouter {
    rule: Rule,
    refusal: AtomicU32,
}

impl RuleRouter {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, refusal: AtomicU32::new(0) }
    }

    /// What the callback returned when it refused the statement; 0 if it did not.
    pub(crate) fn refusal(&self) -> u32 {
        self.refusal.load(Ordering::Relaxed)
    }
}

impl Router for RuleRouter {
    fn route(&self, _plan: &Plan, collections: &[&str]) -> engine::Result<Route> {
        let texts: Vec<Text> = collections.iter().map(Text::new).collect();
        let names: Vec<*const Chars> = texts.iter().map(Text::as_ptr).collect();
        // Bytes, because C may leave any bits where Rust wants 0 or 1.
        let mut asked = vec![0_u8; names.len()];
        let context = std::ptr::with_exposed_provenance_mut(self.rule.context);
        let refusal = (self.rule.callback)(context, names.as_ptr(), names.len(), asked.as_mut_ptr().cast());
        if refusal != 0 {
            self.refusal.store(refusal, Ordering::Relaxed);
            // Replaced by the library's own error, which says the number.
            return Err(CatalogError::Stopped.into());
        }
        let chosen = collections.iter().zip(asked).filter(|(_, asked)| *asked != 0);
        Ok(Route::Only(chosen.map(|(name, _)| String::from(*name)).collect()))
    }
}
