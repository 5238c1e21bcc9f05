//! Bind parameters: the values that `?` and `:name` of a statement stand for.

use engine::{
    query::{Param, Params},
    schema::Value,
};
use safer_ffi::prelude::*;

use crate::{
    array,
    error::{ErrorObject, Fault},
    panic::{guard, or_default},
    text::argument,
    Place,
};

/// The values of a statement's `?` and `:name`. Collect them with `portolan_params_bind_...`, use them for as many
/// statements as you like, free them with `portolan_params_free`.
///
/// A bound value needs no quoting and can never become syntax. Every `bind` copies what it is given, and takes a `name`:
/// that of `:name`, without the colon, or NULL for the next `?`. Of values of one name the last counts. Whether a value
/// fits its place is known when the statement is asked.
#[derive_ReprC(rename = "portolan_params")]
#[repr(opaque)]
#[derive(Debug)]
pub struct Bound {
    /// The values so far.
    pub(crate) params: Params,
}

impl Bound {
    fn boxed(params: Params) -> repr_c::Box<Self> {
        Box::new(Self { params }).into()
    }
}

/// An empty set of parameters; NULL only if the library panicked. Free it with `portolan_params_free`.
#[ffi_export]
pub fn portolan_params_new() -> Option<repr_c::Box<Bound>> {
    or_default(|| Some(Bound::boxed(Params::none())))
}

/// All parameters of a statement, written as JSON: an array for `?`, an object for `:name`.
///
/// A value is null, a boolean, a number (an integer if it has neither point nor exponent), a text, or an array of these
/// for IN, CONTAINS and VECTOR. `{"time": "2024-05-01T12:00:00Z"}` is a time, `{"int": "9007199254740993"}` an integer that
/// a program keeps as text, `{"vector": [0.5, 1]}` a query vector.
///
/// @param json   the text, in UTF-8
/// @param out    receives the parameters on success; free them with `portolan_params_free`
/// @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
/// @return       0, or the error's number
#[ffi_export]
pub fn portolan_params_from_json(
    json: Option<char_p::Ref<'_>>,
    out: Place<'_, Bound>,
    error: Place<'_, ErrorObject>,
) -> u32 {
    guard(error, || {
        let json = argument("json", json)?;
        let out = out.ok_or_else(|| Fault::null("out"))?;
        let params = Params::from_json(json).map_err(|reason| Fault::argument("json", reason))?;
        out.write(Some(Bound::boxed(params)));
        Ok(())
    })
}

/// Binds null.
///
/// @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
#[ffi_export]
pub fn portolan_params_bind_null(params: Option<&mut Bound>, name: Option<char_p::Ref<'_>>) -> u32 {
    bind(params, name, || Ok(Value::Null.into()))
}

/// Binds a boolean.
///
/// @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
#[ffi_export]
pub fn portolan_params_bind_bool(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    value: bool,
) -> u32 {
    bind(params, name, || Ok(Value::Bool(value).into()))
}

/// Binds an integer.
///
/// @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
#[ffi_export]
pub fn portolan_params_bind_int(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    value: i64,
) -> u32 {
    bind(params, name, || Ok(Value::Int(value).into()))
}

/// Binds a number. NaN and infinity are refused when the statement is asked.
///
/// @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
#[ffi_export]
pub fn portolan_params_bind_float(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    value: f64,
) -> u32 {
    bind(params, name, || Ok(Value::Float(value).into()))
}

/// Binds a text in UTF-8, up to its NUL. One that itself holds a NUL is bound as JSON.
///
/// @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
#[ffi_export]
pub fn portolan_params_bind_text(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    value: Option<char_p::Ref<'_>>,
) -> u32 {
    bind(params, name, || Ok(Value::Text(argument("value", value)?.into()).into()))
}

/// Binds a time, in microseconds since 1970-01-01T00:00:00Z.
///
/// @return  0, `PORTOLAN_CODE_NULL_ARGUMENT` or `PORTOLAN_CODE_NOT_UTF8`
#[ffi_export]
pub fn portolan_params_bind_time(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    microseconds: i64,
) -> u32 {
    bind(params, name, || Ok(Value::Time(microseconds).into()))
}

/// Binds a query vector of `length` numbers, for VECTOR. NaN, infinity and a length of 0 are refused when the statement
/// is asked.
///
/// @return  0, `PORTOLAN_CODE_NULL_ARGUMENT`, `PORTOLAN_CODE_NOT_UTF8` or `PORTOLAN_CODE_BAD_ARGUMENT`
#[ffi_export]
pub fn portolan_params_bind_vector(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    numbers: *const f32,
    length: usize,
) -> u32 {
    bind(params, name, || Ok(Param::Vector(array::copy("numbers", numbers, length)?)))
}

/// Binds a value that is written as JSON, as in `portolan_params_from_json`: a list such as `["a", "b"]`, or any other.
///
/// @param json   one value, in UTF-8
/// @param error  receives the reason on failure, unless NULL; free it with `portolan_error_free`
/// @return       0, or the error's number
#[ffi_export]
pub fn portolan_params_bind_json(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    json: Option<char_p::Ref<'_>>,
    error: Place<'_, ErrorObject>,
) -> u32 {
    guard(error, || {
        add(params, name, || {
            Param::from_json(argument("json", json)?).map_err(|reason| Fault::argument("json", reason))
        })
    })
}

/// Frees parameters. NULL is fine.
#[ffi_export]
pub fn portolan_params_free(params: Option<repr_c::Box<Bound>>) {
    or_default(|| drop(params));
}

fn bind(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    value: impl FnOnce() -> Result<Param, Fault>,
) -> u32 {
    guard(None, || add(params, name, value))
}

/// Nothing is bound unless all arguments are right.
fn add(
    params: Option<&mut Bound>,
    name: Option<char_p::Ref<'_>>,
    value: impl FnOnce() -> Result<Param, Fault>,
) -> Result<(), Fault> {
    let Bound { params } = params.ok_or_else(|| Fault::null("params"))?;
    let name = name.map(|name| argument("name", Some(name))).transpose()?;
    let value = value()?;
    match name {
        Some(name) => params.insert(name, value),
        None => params.positional.push(value),
    }
    Ok(())
}
