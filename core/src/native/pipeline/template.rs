//! Text made from fields: `"{words}: {definition}"`.
//!
//! Braces are written `{{` and `}}`. Lists are joined by `", "`, numbers and times written plainly, missing fields
//! are empty. There is no logic in templates.

use std::fmt::Write;

use crate::schema::Value;
use crate::time::format_time;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(String),
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// A sentence that says which brace is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.peek() == Some(&c) => {
                    chars.next();
                    literal.push(c);
                }
                '{' => {
                    let name: String = chars.by_ref().take_while(|&c| c != '}').collect();
                    let rest: usize = chars.clone().count();
                    if name.is_empty() || (rest == 0 && !text.ends_with('}')) {
                        return Err(format!("the template {text:?} has \"{{\" without a field and \"}}\""));
                    }
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                    parts.push(Part::Field(name.trim().to_owned()));
                }
                '}' => {
                    return Err(format!("the template {text:?} has \"}}\" without \"{{\"; write \"}}}}\""));
                }
                other => literal.push(other),
            }
        }
        parts.push(Part::Literal(literal));
        Ok(Self { parts })
    }

    /// The fields in order, each on its own line; missing ones leave no line.
    pub fn lines(fields: &[String]) -> Self {
        let mut parts = Vec::new();
        for field in fields {
            if !parts.is_empty() {
                parts.push(Part::Literal("\n".into()));
            }
            parts.push(Part::Field(field.clone()));
        }
        Self { parts }
    }

    /// The template as text, in one way for all ways of writing it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(&literal.replace('{', "{{").replace('}', "}}")),
                Part::Field(name) => text.extend(["{", name, "}"]),
            }
        }
        text
    }

    /// The fields it names.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text for one record, or `None` when all its fields are empty. `value` finds a field by its path.
    pub fn render<'v>(&self, value: impl Fn(&str) -> &'v Value) -> Option<String> {
        let mut text = String::new();
        let mut any = false;
        let mut pending = "";
        for part in &self.parts {
            match part {
                // Between fields that stand on lines of their own, an empty one leaves no empty line.
                Part::Literal(literal) if literal == "\n" => pending = if any { "\n" } else { "" },
                Part::Literal(literal) => text.push_str(literal),
                Part::Field(name) => {
                    let value = value(name);
                    if !is_empty(value) {
                        any = true;
                        text.push_str(std::mem::take(&mut pending));
                        push(&mut text, value);
                    }
                }
            }
        }
        any.then_some(text)
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.iter().all(is_empty),
        _ => false,
    }
}

fn push(text: &mut String, value: &Value) {
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Bool(value) => write!(text, "{value}"),
        Value::Int(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value}"),
        Value::Time(micros) => write!(text, "{}", format_time(*micros)),
        Value::Text(value) => write!(text, "{value}"),
        Value::Null | Value::Object(_) => Ok(()),
        Value::List(items) => {
            for (at, item) in items.iter().filter(|item| !is_empty(item)).enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                push(text, item);
            }
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str) -> &'static Value {
        static WORDS: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
            Value::List(vec![Value::Text("cat".into()), Value::Null, Value::Text("true cat".into())])
        });
        static TEXT: Value = Value::Int(7);
        match name {
            "words" => &WORDS,
            "n" => &TEXT,
            _ => &Value::Null,
        }
    }

    #[test]
    fn lists_are_joined_and_missing_fields_are_empty() {
        let template = Template::parse("{{{words}}}: {n}{gone}").unwrap();
        assert_eq!(template.render(record).unwrap(), "{cat, true cat}: 7");
        assert_eq!(Template::parse("just {gone}").unwrap().render(record), None);
    }

    #[test]
    fn lines_of_missing_fields_are_left_out() {
        let fields = ["gone", "words", "gone", "n", "gone"].map(String::from);
        assert_eq!(Template::lines(&fields).render(record).unwrap(), "cat, true cat\n7");
    }

    #[test]
    fn wrong_braces_are_explained() {
        for text in ["{", "}", "{}", "a {b", "{a} }"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        assert!(Template::parse("{a}").is_ok());
    }
}
