//! One cell of a result, as C sees it.

use engine::schema::Value;
use safer_ffi::prelude::*;

use crate::text::{Chars, Text};

/// The type of a value.
#[derive_ReprC(rename = "portolan_type")]
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Missing or unknown.
    Null = 0,
    /// True or false, in `boolean`.
    Bool = 1,
    /// An integer, in `integer`, and in `number` as near as a double comes.
    Int = 2,
    /// A finite number, in `number`.
    Float = 3,
    /// Text, in `text`.
    Text = 4,
    /// A time, in `integer` as microseconds since 1970-01-01T00:00:00Z and in `text` as ISO 8601.
    Time = 5,
    /// A list, in `text` as JSON.
    List = 6,
    /// A nested object, in `text` as JSON.
    Object = 7,
}

/// One cell of a result. Fields that the type does not name are zero; `text` is always there.
#[derive_ReprC(rename = "portolan_value")]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ValueView {
    /// Which of the fields holds the value.
    pub r#type: ValueType,
    /// The value of a boolean.
    pub boolean: bool,
    /// The value of an integer or a time.
    pub integer: i64,
    /// The value of a number; an integer or a float.
    pub number: f64,
    /// The value as text: a text as it is, a time as ISO 8601, all else as JSON. NUL after the last byte. A view: it
    /// lives as long as the result.
    pub text: *const Chars,
    /// The length of `text` in bytes, for texts that contain NULs.
    pub text_bytes: usize,
}

impl ValueView {
    /// What C sees of a value whose text is `text`.
    pub(crate) fn new(value: &Value, text: &Text) -> Self {
        let (r#type, boolean, integer, number) = match value {
            Value::Null => (ValueType::Null, false, 0, 0.0),
            Value::Bool(v) => (ValueType::Bool, *v, 0, 0.0),
            Value::Int(v) => (ValueType::Int, false, *v, *v as f64),
            Value::Float(v) => (ValueType::Float, false, 0, *v),
            Value::Text(_) => (ValueType::Text, false, 0, 0.0),
            Value::Time(v) => (ValueType::Time, false, *v, 0.0),
            Value::List(_) => (ValueType::List, false, 0, 0.0),
            Value::Object(_) => (ValueType::Object, false, 0, 0.0),
        };
        Self { r#type, boolean, integer, number, text: text.as_ptr(), text_bytes: text.len() }
    }
}

/// A value as text.
pub(crate) fn to_text(value: &Value) -> Text {
    match (value, value.to_json()) {
        (Value::Text(text), _) => Text::new(text),
        (_, serde_json::Value::String(text)) => Text::new(text),
        (_, json) => Text::new(json.to_string()),
    }
}
