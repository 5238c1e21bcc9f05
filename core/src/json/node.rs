//! Walking a tree of [`Value`]s that somebody else wrote: the first wrong turn is kept, with the name of the place.
//!
//! What is read after a wrong turn is empty or 0, so that a reader asks once, at its end, whether there was one: an exit
//! at each step, which gives back what was read before, would be half of its code in a wasm module.

use std::cell::OnceCell;

use crate::schema::{Object, Value};

/// The first wrong turn of a walk.
#[derive(Debug, Default)]
pub struct Fault(OnceCell<String>);

impl Fault {
    /// What is wrong, if anything is. What was read is to be trusted only if nothing is.
    pub fn check(&self) -> Result<(), &str> {
        self.0.get().map_or(Ok(()), |fault| Err(fault))
    }
}

/// A value, and the way to it from the root.
pub struct Node<'v> {
    value: &'v Value,
    /// The key, or the place in a list, under `parent`.
    step: Step<'v>,
    parent: Option<&'v Node<'v>>,
    fault: &'v Fault,
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Key(&'v str),
    Item(usize),
}

impl<'v> Node<'v> {
    /// The root of a tree.
    pub fn root(value: &'v Value, fault: &'v Fault) -> Self {
        Self { value, step: Step::Key(""), parent: None, fault }
    }

    /// The value here.
    pub fn value(&self) -> &'v Value {
        self.value
    }

    /// What lies under a key; null if it is missing.
    pub fn get<'n>(&'n self, key: &'n str) -> Node<'n> {
        let value = self.entry(key);
        let child = self.child(value.unwrap_or(&Value::Null), Step::Key(key));
        if value.is_none() {
            child.fail("is missing");
        }
        child
    }

    /// What lies under a key that may be missing or null.
    pub fn get_optional<'n>(&'n self, key: &'n str) -> Option<Node<'n>> {
        let value = self.entry(key).filter(|value| **value != Value::Null);
        value.map(|value| self.child(value, Step::Key(key)))
    }

    /// The items of a list.
    pub fn items(&self) -> Items<'_> {
        let Value::List(items) = self.value else {
            self.wrong("a list");
            return Items { parent: self, items: &[], place: 0 };
        };
        Items { parent: self, items, place: 0 }
    }

    /// A text.
    pub fn text(&self) -> &'v str {
        match self.value {
            Value::Text(text) => text,
            _ => {
                self.wrong("a text");
                ""
            }
        }
    }

    /// A whole number, not negative.
    pub fn count(&self) -> u64 {
        let number = if let Value::Int(number) = self.value { u64::try_from(*number).ok() } else { None };
        number.unwrap_or_else(|| {
            self.wrong("a whole number that is not negative");
            0
        })
    }

    /// Notes that this is not what it has to be.
    #[inline(never)]
    pub fn wrong(&self, expected: &str) {
        self.fail(&format!("is not {expected}"));
    }

    fn fail(&self, what: &str) {
        self.fault.0.get_or_init(|| format!("{} {what}", self.path()));
    }

    fn entry(&self, key: &str) -> Option<&'v Value> {
        match self.value {
            Value::Object(entries) => Object::get(entries, key),
            _ => {
                self.wrong("an object");
                None
            }
        }
    }

    fn child<'n>(&'n self, value: &'n Value, step: Step<'n>) -> Node<'n> {
        Node { value, step, parent: Some(self), fault: self.fault }
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

/// The items of a list, in their order.
pub struct Items<'n> {
    parent: &'n Node<'n>,
    items: &'n [Value],
    place: usize,
}

impl<'n> Iterator for Items<'n> {
    type Item = Node<'n>;

    fn next(&mut self) -> Option<Node<'n>> {
        let item = self.items.get(self.place)?;
        self.place += 1;
        Some(self.parent.child(item, Step::Item(self.place - 1)))
    }
}
