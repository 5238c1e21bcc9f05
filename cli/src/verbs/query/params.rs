//! `--param`: values for the statement's parameters.

use portolan::query::{Params, is_plain_name};
use serde_json::{Map, Value as Json};

use crate::outcome::Failure;

/// The parameters as written: `NAME=VALUE` or `VALUE`.
pub fn parse(written: &[String]) -> Result<Params, Failure> {
    let (mut positional, mut named) = (Vec::new(), Map::new());
    for param in written {
        match param.split_once('=').filter(|(name, _)| is_plain_name(name)) {
            Some((name, value)) => drop(named.insert(name.into(), value_of(value))),
            None => positional.push(value_of(param)),
        }
    }
    let read = |json: Json| {
        Params::from_json(&json.to_string())
            .map_err(|reason| Failure::wrong_use(format!("--param: {reason}")))
    };
    let mut params = read(Json::Object(named))?;
    params.positional = read(Json::Array(positional))?.positional;
    Ok(params)
}

/// JSON if it reads as JSON, else text.
fn value_of(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|_| Json::from(text))
}
