//! The wall between Rust's panics and C: nothing unwinds past it.
//!
//! A panic is a bug of ours. It becomes the error 6003 where a function can fail, and the neutral answer where it
//! cannot. That the handles may be used afterwards rests on the engine: a query keeps no state that it could leave
//! half-changed.

use std::{
    any::Any,
    panic::{catch_unwind, AssertUnwindSafe},
};

use crate::{
    code::Code,
    error::{ErrorObject, Fault},
    Place,
};

/// Runs the body of a function that can fail: 0, or the error's number with the error in its place.
pub(crate) fn guard(error: Place<'_, ErrorObject>, work: impl FnOnce() -> Result<(), Fault>) -> u32 {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => Code::Ok as u32,
        Ok(Err(fault)) => fault.report(error),
        Err(payload) => Fault::new(Code::Panic, describe(payload)).report(error),
    }
}

/// Runs the body of a function that cannot fail: its answer, or the neutral one.
pub(crate) fn or_default<T: Default>(work: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        describe(payload);
        T::default()
    })
}

/// The panic's message. A payload that is no text is leaked: dropping it might panic again.
fn describe(payload: Box<dyn Any + Send>) -> String {
    let message = match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(message) => String::from(*message),
            Err(payload) => {
                std::mem::forget(payload);
                String::from("unknown reason")
            }
        },
    };
    format!("internal error, please report it: {message}")
}

#[cfg(test)]
mod tests {
    use safer_ffi::prelude::*;

    use super::*;

    #[test]
    fn panics_become_errors_or_neutral_answers() {
        let mut place = None;
        let code = guard(Some(place.manually_drop_mut().as_out()), || panic!("boom {}", 7));
        assert_eq!(code, 6003);
        let message = crate::portolan_error_message(place.as_deref());
        assert_eq!(crate::text::read(message), "internal error, please report it: boom 7");
        assert_eq!(guard(None, || std::panic::panic_any(7_u8)), 6003);
        assert_eq!(or_default::<usize>(|| panic!("boom")), 0);
    }
}
