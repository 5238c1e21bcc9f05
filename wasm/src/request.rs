//! What a statement is asked with, as the package writes it: one JSON text, `[sql, params, strict, only, vectors]`.
//!
//! `params` are as [`Params::from_value`] takes them, `only` are the collections that the page's own rule chose, `vectors`
//! those of the texts that [`Preview`] names, in its order. All three may be null.

use std::{fmt, sync::Arc};

use portolan::{
    json,
    plan::Plan,
    query::{Param, Params},
    router::{Catalog, Fanout, HostText, Options, Preview},
    routing::{Route, Router},
    schema::Value,
};

use crate::{clock, failure::Failure};

/// A request that was read.
pub struct Request {
    /// The statement, checked.
    pub plan: Plan,
    strict: bool,
    only: Value,
    vectors: Value,
}

impl Request {
    /// Reads a request, and the statement in it.
    ///
    /// # Errors
    /// `QueryError` for the statement, and whatever is wrong with the parameters.
    pub fn parse(request: &str) -> Result<Self, Failure> {
        let unreadable = || Failure::misuse("the request is not [sql, params, strict, only, vectors]");
        let Ok(Value::List(parts)) = json::parse(request) else { return Err(unreadable()) };
        let parts: [Value; 5] = parts.try_into().map_err(|_| unreadable())?;
        let [Value::Text(sql), params, Value::Bool(strict), only, vectors] = parts else {
            return Err(unreadable());
        };
        let params = Params::from_value(params).map_err(|reason| Failure::misuse(&reason))?;
        Ok(Self { plan: Plan::parse_with(&sql, &params)?, strict, only, vectors })
    }

    /// Begins the statement.
    ///
    /// # Errors
    /// As [`Fanout::with`].
    pub fn begin(self, catalog: &Arc<Catalog>) -> Result<Fanout, Failure> {
        let mut options = Options { strict: self.strict, clock: Some(clock::micros), ..Options::default() };
        if let Value::List(vectors) = self.vectors {
            options.texts = embedded(Preview::new(catalog, &self.plan)?.texts, vectors)?;
        }
        if let Value::List(names) = self.only {
            options.router = Some(Arc::new(Only(names)));
        }
        Ok(Fanout::with(catalog.clone(), self.plan, options)?)
    }
}

/// The host's vectors, in the order of the texts that it was told.
fn embedded(texts: Vec<HostText>, vectors: Vec<Value>) -> Result<Vec<(HostText, Vec<f32>)>, Failure> {
    let mut ready = Vec::new();
    for (text, vector) in texts.into_iter().zip(vectors) {
        match Param::from_value(vector) {
            Ok(Param::Vector(vector)) => ready.push((text, vector)),
            _ => return Err(Failure::misuse("embed gave no vector of numbers that fit 32 bits")),
        }
    }
    Ok(ready)
}

/// The collections that the page chose.
struct Only(Vec<Value>);

/// Without the names: showing values would bring the standard library's floats into the module.
impl fmt::Debug for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Only")
    }
}

impl Router for Only {
    fn route(&self, _: &Plan, _: &[&str]) -> portolan::Result<Route> {
        let mut names = Vec::new();
        for name in &self.0 {
            if let Value::Text(name) = name {
                names.push(name.clone());
            }
        }
        Ok(Route::Only(names))
    }
}
