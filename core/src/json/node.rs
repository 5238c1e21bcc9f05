//! Walking a tree of [`Value`]s that somebody else wrote: every wrong turn is an error that names the place.

use crate::schema::{Object, Value};

/// A value, and the way to it from the root.
pub struct Node<'v> {
    value: &'v Value,
    /// The key, or the place in a list, under `parent`.
    step: Step<'v>,
    parent: Option<&'v Node<'v>>,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Item(usize),
}

impl<'v> Node<'v> {
    /// The root of a tree.
    pub fn root(value: &'v Value) -> Self {
        Self { value, step: Step::Key(""), parent: None }
    }

    /// The value here.
    pub fn value(&self) -> &'v Value {
        self.value
    }

    /// What lies under a key.
    pub fn get<'n>(&'n self, key: &'n str) -> Result<Node<'n>, String> {
        let value = self.entries()?.get(key);
        self.child(value.unwrap_or(&Value::Null), Step::Key(key)).present(value)
    }

    /// What lies under a key that may be missing or null.
    pub fn get_optional<'n>(&'n self, key: &'n str) -> Result<Option<Node<'n>>, String> {
        let value = self.entries()?.get(key).filter(|value| **value != Value::Null);
        Ok(value.map(|value| self.child(value, Step::Key(key))))
    }

    /// The items of a list.
    pub fn items<'n>(&'n self) -> Result<impl Iterator<Item = Node<'n>>, String> {
        let Value::List(items) = self.value else { return Err(self.wrong("a list")) };
        Ok(items.iter().enumerate().map(|(place, item)| self.child(item, Step::Item(place))))
    }

    /// A text.
    pub fn text(&self) -> Result<&'v str, String> {
        match self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong("a text")),
        }
    }

    /// A whole number, not negative.
    pub fn count(&self) -> Result<u64, String> {
        let number = if let Value::Int(number) = self.value { u64::try_from(*number).ok() } else { None };
        number.ok_or_else(|| self.wrong("a whole number that is not negative"))
    }

    /// The error that this is not what it has to be.
    pub fn wrong(&self, expected: &str) -> String {
        format!("{} is not {expected}", self.path())
    }

    fn entries(&self) -> Result<&'v Object, String> {
        match self.value {
            Value::Object(entries) => Ok(entries),
            _ => Err(self.wrong("an object")),
        }
    }

    fn child<'n>(&'n self, value: &'n Value, step: Step<'n>) -> Node<'n> {
        Node { value, step, parent: Some(self) }
    }

    fn present(self, value: Option<&Value>) -> Result<Self, String> {
        if value.is_some() { Ok(self) } else { Err(format!("{} is missing", self.path())) }
    }

    /// `collections[3].head.offset`
    fn path(&self) -> String {
        let Some(parent) = self.parent else { return String::from("the whole") };
        let before = if parent.parent.is_some() { parent.path() } else { String::new() };
        match self.step {
            Step::Key(key) if before.is_empty() => key.into(),
            Step::Key(key) => format!("{before}.{key}"),
            Step::Item(place) => format!("{before}[{place}]"),
        }
    }
}
