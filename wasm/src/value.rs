//! Answers as plain JavaScript values.
//!
//! They are built directly, not sent as JSON text: writing numbers as text would add a tenth to the module.

use portolan::{
    json::Tree,
    router::{FileRange, HostText, Preview},
};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Array;

    #[wasm_bindgen(constructor)]
    fn new() -> Array;

    #[wasm_bindgen(method)]
    fn push(this: &Array, value: &JsValue);

    /// Unlike assignment, this takes any key for what it is, `__proto__` too.
    #[wasm_bindgen(js_namespace = Object, js_name = fromEntries)]
    fn object_from(entries: &Array) -> JsValue;
}

/// A value of JavaScript, as an answer holds it.
pub struct Plain(pub JsValue);

impl Tree for Plain {
    fn null() -> Self {
        Self(JsValue::NULL)
    }

    fn bool(value: bool) -> Self {
        Self(JsValue::from_bool(value))
    }

    fn int(value: i64) -> Self {
        Self(JsValue::from_f64(value as f64))
    }

    fn float(value: f64) -> Self {
        Self(JsValue::from_f64(value))
    }

    fn text(value: &str) -> Self {
        Self(JsValue::from_str(value))
    }

    fn list(items: Vec<Self>) -> Self {
        Self(list(items.into_iter().map(|item| item.0)))
    }

    fn object(entries: Vec<(&str, Self)>) -> Self {
        Self(object(entries.into_iter().map(|(key, value)| (key, value.0))))
    }
}

/// `{needs: [[file, start, end], ...]}`
pub fn from_needs(ranges: &[FileRange]) -> JsValue {
    let need = |need: &FileRange| {
        let numbers = [need.file as f64, need.range.start as f64, need.range.end as f64];
        list(numbers.into_iter().map(JsValue::from_f64))
    };
    object([("needs", list(ranges.iter().map(need)))])
}

/// `{collections: [name], texts: [{text, model, dimension}]}`
pub fn from_preview(Preview { collections, texts }: &Preview) -> JsValue {
    let text = |text: &HostText| {
        let model = text.model.as_ref().map_or(JsValue::NULL, |model| JsValue::from_str(model));
        let dimension = JsValue::from_f64(text.dimension.into());
        object([("text", JsValue::from_str(&text.text)), ("model", model), ("dimension", dimension)])
    };
    let names = collections.iter().map(|name| JsValue::from_str(name));
    object([("collections", list(names)), ("texts", list(texts.iter().map(text)))])
}

/// An object with these entries.
pub fn object<'k>(entries: impl IntoIterator<Item = (&'k str, JsValue)>) -> JsValue {
    let pairs = Array::new();
    for (key, value) in entries {
        let pair = Array::new();
        pair.push(&JsValue::from_str(key));
        pair.push(&value);
        pairs.push(&pair);
    }
    object_from(&pairs)
}

/// An array with these items.
pub fn list(items: impl IntoIterator<Item = JsValue>) -> JsValue {
    let array = Array::new();
    for item in items {
        array.push(&item);
    }
    array.into()
}
