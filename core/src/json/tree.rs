//! Answers as trees, in whatever form the one who asked can take.

use serde_json::Value as Json;

/// Something that trees of JSON's six kinds of values can be built as: JSON itself, or values of a host language.
pub trait Tree: Sized {
    /// Nothing.
    fn null() -> Self;
    /// True or false.
    fn bool(value: bool) -> Self;
    /// A whole number.
    fn int(value: i64) -> Self;
    /// A finite number.
    fn float(value: f64) -> Self;
    /// A text.
    fn text(value: &str) -> Self;
    /// A list.
    fn list(items: Vec<Self>) -> Self;
    /// An object that keeps the order of its entries.
    fn object(entries: Vec<(&str, Self)>) -> Self;

    /// How many.
    fn count(value: u64) -> Self {
        Self::int(value.cast_signed())
    }
}

impl Tree for Json {
    fn null() -> Self {
        Json::Null
    }

    fn bool(value: bool) -> Self {
        Json::Bool(value)
    }

    fn int(value: i64) -> Self {
        Json::from(value)
    }

    fn float(value: f64) -> Self {
        Json::from(value)
    }

    fn text(value: &str) -> Self {
        Json::from(value)
    }

    fn list(items: Vec<Self>) -> Self {
        Json::Array(items)
    }

    fn object(entries: Vec<(&str, Self)>) -> Self {
        Json::Object(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}
