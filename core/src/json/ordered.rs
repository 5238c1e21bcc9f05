//! A tree whose objects keep the order of their entries, as answers for programs are built.
//!
//! For what the pure core builds itself, such as EXPLAIN: `serde_json` would be a twentieth of the compressed wasm module.
//! What is read is a [`Value`](crate::schema::Value).

use crate::gather::Gather as _;
use serde_json::Value as Json;

use super::Tree;

/// A tree of JSON's values.
#[derive(Debug, Clone, PartialEq)]
pub enum Ordered {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// How many.
    Count(u64),
    /// A finite number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Ordered>),
    /// An object: its entries, in order.
    Object(Vec<(&'static str, Ordered)>),
}

impl Ordered {
    /// A list with an item for each of `items`.
    pub fn list<T>(items: &[T], item: impl Fn(&T) -> Self) -> Self {
        let mut items = items.iter();
        Self::all(&mut || items.next().map(&item))
    }

    /// Apart from [`list`](Self::list), so that it is compiled once.
    fn all(next: &mut dyn FnMut() -> Option<Self>) -> Self {
        Self::List(std::iter::from_fn(next).gather())
    }

    /// Enters a value into an object, in the place of the one that stands under the key.
    pub fn put(&mut self, key: &'static str, value: Self) {
        let Self::Object(entries) = self else { return };
        match entries.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => entries.push((key, value)),
        }
    }

    /// The tree as JSON.
    pub fn to_json(&self) -> Json {
        self.to_tree()
    }

    /// The same as [`to_json`](Self::to_json) in another form.
    pub fn to_tree<T: Tree>(&self) -> T {
        match self {
            Self::Null => T::null(),
            Self::Bool(value) => T::bool(*value),
            Self::Count(value) => T::count(*value),
            Self::Float(value) => T::float(*value),
            Self::Text(text) => T::text(text),
            Self::List(items) => T::list(items.iter().map(Self::to_tree).gather()),
            Self::Object(entries) => {
                T::object(entries.iter().map(|(key, value)| (*key, value.to_tree())).gather())
            }
        }
    }
}

impl From<&str> for Ordered {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Ordered {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Ordered {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Ordered {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Ordered {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl<T: Into<Ordered>> From<Option<T>> for Ordered {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_order_and_are_replaced_in_place() {
        let mut tree =
            Ordered::Object(vec![("b", 1.into()), ("a", Ordered::list(&[0.5], |value| (*value).into()))]);
        tree.put("c", Some("text").into());
        tree.put("b", None::<u64>.into());
        tree.put("d", Ordered::Bool(true));
        assert_eq!(tree.to_json().to_string(), r#"{"b":null,"a":[0.5],"c":"text","d":true}"#);
    }
}
