//! Options: what a caller may choose about a statement beside its text.

use std::{sync::Arc, time::Duration};

use engine::{
    local::{LocalOptions, LocalRelease},
    plan::Plan,
    router::ResultSet,
    routing::RoutingTable,
};
use safer_ffi::prelude::*;

use crate::{
    code::Code,
    error::{ErrorObject, Fault},
    panic::{guard, or_default},
    router::{Callback, Rule, RuleRouter},
    text::argument,
    Place,
};

/// How statements are run. Set it up with `portolan_options_set_...`, use it for as many statements as you like, free it
/// with `portolan_options_free`.
#[derive_ReprC(rename = "portolan_options")]
#[repr(opaque)]
#[derive(Debug, Default)]
pub struct Settings {
    local: LocalOptions,
    rule: Option<Rule>,
}

impl Settings {
    /// Runs a plan as these settings say.
    pub(crate) fn run(&self, release: &LocalRelease, plan: Plan) -> Result<ResultSet, Fault> {
        let Some(rule) = self.rule else { return Ok(release.run_with(plan, &self.local)?) };
        let router = Arc::new(RuleRouter::new(rule));
        let mut options = self.local.clone();
        options.options.router = Some(router.clone());
        release.run_with(plan, &options).map_err(|error| match router.refusal() {
            0 => error.into(),
            number => Fault::new(Code::RouterRefused, format!("the router refused the statement: {number}")),
        })
    }
}

/// Options with nothing set: strict, no timeout, as many threads as there are processors, no router. NULL only if the
/// library panicked. Free them with `portolan_options_free`.
#[ffi_export]
pub fn portolan_options_new() -> Option<repr_c::Box<Settings>> {
    or_default(|| Some(Box::new(Settings::default()).into()))
}

/// Whether one collection that cannot be searched fails the statement; otherwise it is reported as failed, and the rows of
/// the others are the answer. If none can be searched the statement fails all the same. At first: true.
///
/// @return  0 or `PORTOLAN_CODE_NULL_ARGUMENT`
#[ffi_export]
pub fn portolan_options_set_strict(options: Option<&mut Settings>, strict: bool) -> u32 {
    set(options, |settings| settings.local.options.strict = strict)
}

/// The longest a statement may take, in milliseconds from the call on; then it fails with `PORTOLAN_CODE_TIMED_OUT`. 0 is no
/// limit, as at first.
///
/// @return  0 or `PORTOLAN_CODE_NULL_ARGUMENT`
#[ffi_export]
pub fn portolan_options_set_timeout_ms(options: Option<&mut Settings>, milliseconds: u64) -> u32 {
    let timeout = (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
    set(options, |settings| settings.local.timeout = timeout)
}

/// The most threads that one statement is searched with, the caller's included. The answer does not depend on it, and small
/// statements take one whatever is said here. 0 is as many as there are processors, as at first.
///
/// @return  0 or `PORTOLAN_CODE_NULL_ARGUMENT`
#[ffi_export]
pub fn portolan_options_set_threads(options: Option<&mut Settings>, threads: usize) -> u32 {
    set(options, |settings| {
        settings.local.threads = if threads > 0 { threads } else { LocalOptions::default().threads };
    })
}

/// Has a routing file say which collections a statement needs: docs/routing.md says what is in it. Takes the place of a
/// router that was set before.
///
/// @param json      the text of the file, in UTF-8; NULL for no routing
/// @param fallback  whether a statement that does not say which collections it needs asks all of them; otherwise it fails
///                  with `PORTOLAN_CODE_UNROUTED`
/// @param error     receives the reason on failure, unless NULL; free it with `portolan_error_free`
/// @return          0, or the error's number
#[ffi_export]
pub fn portolan_options_set_routing(
    options: Option<&mut Settings>,
    json: Option<char_p::Ref<'_>>,
    fallback: bool,
    error: Place<'_, ErrorObject>,
) -> u32 {
    guard(error, || {
        let settings = options.ok_or_else(|| Fault::null("options"))?;
        let json = json.map(|json| argument("json", Some(json))).transpose()?;
        let table = json.map(RoutingTable::parse).transpose().map_err(engine::Error::from)?;
        settings.local.options.router = table.map(|table| Arc::new(table.into_router(fallback)) as _);
        settings.rule = None;
        Ok(())
    })
}

/// Has a function of yours say which collections a statement asks. Takes the place of routing that was set before.
///
/// The function is called once for each statement, on the thread that asks, with `context`, the names of the collections
/// that FROM stands for, their count, and as many places, all false: it sets those to true that are to be asked. A
/// collection may be left out only if it holds no matching record, for its rows will be missing. The names live as long as
/// the call. The function returns 0, or any other number, which fails the statement with `PORTOLAN_CODE_ROUTER_REFUSED`. It
/// must not unwind or jump out of the call; it may ask the same release. If threads share the options, it is called from all
/// of them, with the same `context`.
///
/// @param callback  the function; NULL for none
/// @param context   passed to the function as it is, and never looked at
/// @return          0 or `PORTOLAN_CODE_NULL_ARGUMENT`
#[ffi_export]
pub fn portolan_options_set_router(
    options: Option<&mut Settings>,
    callback: Option<Callback>,
    context: *mut std::ffi::c_void,
) -> u32 {
    set(options, |settings| {
        settings.local.options.router = None;
        settings.rule = callback.map(|callback| Rule::new(callback, context));
    })
}

/// Frees options. NULL is fine.
#[ffi_export]
pub fn portolan_options_free(options: Option<repr_c::Box<Settings>>) {
    or_default(|| drop(options));
}

fn set(options: Option<&mut Settings>, change: impl FnOnce(&mut Settings)) -> u32 {
    guard(None, || {
        change(options.ok_or_else(|| Fault::null("options"))?);
        Ok(())
    })
}
