//! Answers as plain JavaScript values.
//!
//! They are built directly, not sent as JSON text: writing numbers as text would add a tenth to the module.

use portolan::router::FileRange;
use serde_json::Value as Json;
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

/// A value of JSON as JavaScript would parse it.
pub fn from_json(json: &Json) -> JsValue {
    match json {
        Json::Null => JsValue::NULL,
        Json::Bool(value) => JsValue::from_bool(*value),
        Json::Number(number) => JsValue::from_f64(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => JsValue::from_str(text),
        Json::Array(items) => list(items.iter().map(from_json)),
        Json::Object(entries) => object(entries.iter().map(|(key, value)| (key.as_str(), from_json(value)))),
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
