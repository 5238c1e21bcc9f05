//! Constants, and the bind parameters that stand for them.

use super::{
    MAX_BOUND_BYTES, MAX_LIST_ITEMS,
    ast::{Count, Literal, Name, Number, VectorQuery},
    keywords::clip,
    lexer::{Kind, Token},
    params::Param,
    parser::{Parsed, Parser},
    strings,
};
use crate::{
    error::{QueryError, QueryErrorKind, Span},
    gather::Gather as _,
    number::{parse_f32, parse_f64},
    order::sort_unique,
    schema::Value,
    time::format_time,
};

const CONSTANT: &str = "a text, a number, TRUE, FALSE or NULL";
const LIST: &str = "a list";

impl<'a> Parser<'a> {
    // Parameters.

    /// The value of the parameter under the cursor, which is moved past; `None` if there is no parameter.
    fn parameter(&mut self) -> Parsed<Option<(&'a Param, Token<'a>)>> {
        if self.token.kind != Kind::Parameter {
            return Ok(None);
        }
        let given = self.params;
        let param = match self.token.text.strip_prefix(':') {
            Some(name) => {
                self.named.push(name);
                given.named.get(name)
            }
            None => {
                self.positional += 1;
                given.positional.get(self.positional - 1)
            }
        };
        let Some(param) = param else { return Err(self.missing_parameter()) };
        self.bound_bytes = self.bound_bytes.saturating_add(weight(param));
        if self.bound_bytes > MAX_BOUND_BYTES {
            let message = format!("the parameters put more than {MAX_BOUND_BYTES} bytes into the statement");
            return Err(self
                .error(QueryErrorKind::StatementTooLong, message)
                .with_hint("send long value lists in several statements"));
        }
        Ok(Some((param, self.advance()?)))
    }

    fn missing_parameter(&self) -> QueryError {
        let (message, hint) = match self.token.text {
            "?" => (
                format!("there is no value for the {}. ?", self.positional),
                "give one value for each ?, in the order of the statement",
            ),
            name => (
                format!("there is no value for {}", clip(name)),
                "give a value of that name, without the colon",
            ),
        };
        self.error(QueryErrorKind::MissingParameter, message).with_hint(hint)
    }

    /// The first value that no parameter took.
    pub(super) fn check_unused(&mut self) -> Parsed<()> {
        let given = self.params;
        sort_unique(&mut self.named);
        let unused = match given.positional.len() > self.positional {
            true => format!("{} values were given for {} ?", given.positional.len(), self.positional),
            false if given.named.len() <= self.named.len() => return Ok(()),
            false => {
                match given
                    .named
                    .iter()
                    .map(|(name, _)| name)
                    .find(|name| self.named.binary_search(&name.as_str()).is_err())
                {
                    Some(name) => format!("the statement has no :{}", clip(name)),
                    None => return Ok(()),
                }
            }
        };
        Err(self
            .error(QueryErrorKind::UnusedParameter, unused)
            .with_hint("leave the value out, or use it in the statement"))
    }

    /// The value of the parameter at `at` cannot stand there.
    pub(super) fn mistyped(&self, at: Token<'_>, value: &Value, expected: &str) -> QueryError {
        let what = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Float(number) if !number.is_finite() => "not finite",
            Value::Float(_) => "a number with a fraction",
            Value::Text(_) => "a text",
            Value::Time(_) => "a time",
            Value::List(values) if values.is_empty() => "an empty list",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        };
        let hint = match value {
            Value::List(values) if values.is_empty() => "leave the test out where there are no values",
            Value::List(_) => "lists may stand after IN, CONTAINS ANY, CONTAINS ALL and VECTOR",
            _ if expected == LIST => "write a single value in parentheses: (?)",
            _ => "",
        };
        mistyped(at, what, expected, hint)
    }

    // Constants.

    /// A constant.
    pub(super) fn literal(&mut self) -> Parsed<Literal> {
        if let Some((param, at)) = self.parameter()? {
            return Ok(Literal { value: self.plain(param, at)?, span: at.span });
        }
        let span = self.token.span;
        let value = match self.token.kind {
            Kind::Integer => return Ok(Literal { value: Value::Int(self.integer()?), span }),
            Kind::Decimal => Value::Float(self.float()?),
            Kind::Single | Kind::Double => Value::Text(strings::decode(self.token)?),
            Kind::Word if self.at_word("TRUE") => Value::Bool(true),
            Kind::Word if self.at_word("FALSE") => Value::Bool(false),
            Kind::Word if self.at_word("NULL") => Value::Null,
            _ => return Err(self.no_literal()),
        };
        self.advance()?;
        Ok(Literal { value, span })
    }

    /// What a parameter stands for as a single constant. Times are written like in a statement: as ISO 8601 texts.
    fn plain(&self, param: &Param, at: Token<'_>) -> Parsed<Value> {
        match param {
            Param::Vector(_) => Err(mistyped(at, "a vector", CONSTANT, "vectors stand after VECTOR")),
            Param::Value(value) => plain(value).ok_or_else(|| self.mistyped(at, value, CONSTANT)),
        }
    }

    /// `(a, b)`, with lists of parameters in their places; or one such parameter without parentheses.
    pub(super) fn literals(&mut self) -> Parsed<Vec<Literal>> {
        let mut values = Vec::new();
        let alone = self.token.kind == Kind::Parameter;
        if !alone {
            self.expect_symbol("(")?;
        }
        loop {
            self.literal_or_list(&mut values, alone)?;
            if values.len() > MAX_LIST_ITEMS {
                return Err(self.list_too_long(MAX_LIST_ITEMS, "values"));
            }
            if alone || !self.take_symbol(",")? {
                break;
            }
        }
        if !alone {
            self.expect_symbol(")")?;
        }
        Ok(values)
    }

    fn literal_or_list(&mut self, values: &mut Vec<Literal>, only_list: bool) -> Parsed<()> {
        let Some((param, at)) = self.parameter()? else {
            values.push(self.literal()?);
            return Ok(());
        };
        match param {
            Param::Value(Value::List(members)) if !members.is_empty() => {
                for member in members {
                    let value = plain(member).ok_or_else(|| self.mistyped(at, member, CONSTANT))?;
                    values.push(Literal { value, span: at.span });
                }
                Ok(())
            }
            Param::Value(other) if only_list || matches!(other, Value::List(_)) => {
                Err(self.mistyped(at, other, LIST))
            }
            _ => {
                values.push(Literal { value: self.plain(param, at)?, span: at.span });
                Ok(())
            }
        }
    }

    fn no_literal(&self) -> QueryError {
        let word = self.token.text;
        let error = self.unexpected(CONSTANT);
        match self.token.kind {
            Kind::Word if matches!(word.to_ascii_uppercase().as_str(), "TIMESTAMP" | "DATE") => {
                error.with_hint("write dates and times as plain texts: '2024-05-01T12:00:00Z'")
            }
            Kind::Word
                if ["metadata", "id", "document"].iter().any(|root| word.eq_ignore_ascii_case(root)) =>
            {
                error.with_hint("a field can only be compared with a constant")
            }
            Kind::Word => error.with_hint(format!("texts take single quotes: '{}'", clip(word))),
            _ => error,
        }
    }

    /// A string in either kind of quotes.
    pub(super) fn text(&mut self, expected: &str) -> Parsed<Name> {
        let span = self.token.span;
        if let Some((param, at)) = self.parameter()? {
            return match param {
                Param::Value(Value::Text(text)) => Ok(Name { text: text.clone(), span }),
                Param::Value(other) => Err(self.mistyped(at, other, "a text")),
                Param::Vector(_) => Err(mistyped(at, "a vector", "a text", "write VECTOR instead of TEXT")),
            };
        }
        match self.token.kind {
            Kind::Single | Kind::Double => {
                let name = Name { text: strings::decode(self.token)?, span };
                self.advance()?;
                Ok(name)
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    // Numbers.

    /// A whole number with an optional sign.
    pub(super) fn count(&mut self) -> Parsed<Count> {
        let span = self.token.span;
        if let Some((param, at)) = self.parameter()? {
            return match param {
                Param::Value(Value::Int(value)) => Ok(Count { value: *value, span }),
                Param::Value(other) => Err(self.mistyped(at, other, "a whole number")),
                Param::Vector(_) => Err(mistyped(at, "a vector", "a whole number", "")),
            };
        }
        match self.token.kind {
            Kind::Integer => Ok(Count { value: self.integer()?, span }),
            Kind::Decimal => {
                Err(self.unexpected("a whole number").with_hint("leave out the point and the exponent"))
            }
            _ => Err(self.unexpected("a whole number")),
        }
    }

    /// A finite number.
    pub(super) fn number(&mut self) -> Parsed<Number> {
        let span = self.token.span;
        if let Some((param, at)) = self.parameter()? {
            let value = match param {
                Param::Value(value) => {
                    as_number(value).ok_or_else(|| self.mistyped(at, value, "a number"))?
                }
                Param::Vector(_) => return Err(mistyped(at, "a vector", "a number", "")),
            };
            return Ok(Number { value, span });
        }
        match self.token.kind {
            Kind::Integer | Kind::Decimal => {
                let value = self.float()?;
                self.advance()?;
                Ok(Number { value, span })
            }
            _ => Err(self.unexpected("a number")),
        }
    }

    /// The integer under the cursor.
    fn integer(&mut self) -> Parsed<i64> {
        match self.token.text.parse() {
            Ok(value) => {
                self.advance()?;
                Ok(value)
            }
            Err(_) => Err(self
                .error(QueryErrorKind::NumberOutOfRange, "the number does not fit a 64-bit integer")
                .with_hint("integers lie between -9223372036854775808 and 9223372036854775807")),
        }
    }

    /// The number under the cursor, which stays there.
    fn float(&self) -> Parsed<f64> {
        match parse_f64(self.token.text) {
            Some(value) if value.is_finite() => Ok(value),
            _ => Err(self
                .error(QueryErrorKind::NumberOutOfRange, "the number does not fit 64-bit floating point")
                .with_hint("numbers lie between -1.7e308 and 1.7e308")),
        }
    }

    // Vectors.

    /// `[1, 2.5]`, or a parameter.
    pub(super) fn vector(&mut self) -> Parsed<VectorQuery> {
        let start = self.token.span;
        if let Some((param, at)) = self.parameter()? {
            return Ok(VectorQuery { components: self.bound_vector(param, at)?, span: start });
        }
        self.expect_symbol("[")?;
        if self.at_symbol("]") {
            return Err(self.empty_vector(self.token.span));
        }
        let components = self.list("vector components", Self::component)?;
        self.expect_symbol("]")?;
        Ok(VectorQuery { components, span: start.to(self.last) })
    }

    fn bound_vector(&self, param: &Param, at: Token<'_>) -> Parsed<Vec<f32>> {
        const NUMBERS: &str = "a vector of finite numbers";
        let components: Vec<f32> = match param {
            Param::Vector(components) => components.clone(),
            // A value that is no number becomes one that is not finite, and is refused as such.
            Param::Value(Value::List(values)) => {
                values.iter().map(|value| as_number(value).map_or(f32::NAN, |number| number as f32)).gather()
            }
            Param::Value(other) => return Err(self.mistyped(at, other, NUMBERS)),
        };
        match components.len() {
            0 => Err(self.empty_vector(at.span)),
            1..=MAX_LIST_ITEMS if components.iter().all(|component| component.is_finite()) => Ok(components),
            1..=MAX_LIST_ITEMS => Err(mistyped(at, "not a number in one of its components", NUMBERS, "")),
            _ => Err(self.list_too_long(MAX_LIST_ITEMS, "vector components")),
        }
    }

    fn empty_vector(&self, span: Span) -> QueryError {
        QueryError::new(QueryErrorKind::EmptyVector, span, "the vector has no numbers")
            .with_hint("write as many numbers as the collection has dimensions")
    }

    fn component(&mut self) -> Parsed<f32> {
        let at = self.token;
        let component = match at.kind {
            Kind::Integer | Kind::Decimal => {
                self.advance()?;
                parse_f32(at.text).unwrap_or(f32::NAN)
            }
            _ => self.number()?.value as f32,
        };
        match component.is_finite() {
            true => Ok(component),
            false => Err(QueryError::new(
                QueryErrorKind::NumberOutOfRange,
                at.span,
                "the number does not fit 32-bit floating point",
            )
            .with_text(at.text)
            .with_hint("components lie between -3.4e38 and 3.4e38")),
        }
    }
}

fn mistyped(at: Token<'_>, what: &str, expected: &str, hint: &str) -> QueryError {
    let message = format!("the value of {} is {what}", clip(at.text));
    QueryError::new(QueryErrorKind::ParameterType, at.span, message)
        .with_text(at.text)
        .with_expected(expected)
        .with_hint(if hint.is_empty() { "give a value of that type" } else { hint })
}

fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Time(micros) => Some(Value::Text(format_time(*micros))),
        Value::Float(number) if !number.is_finite() => None,
        Value::List(_) | Value::Object(_) => None,
        plain => Some(plain.clone()),
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) if number.is_finite() => Some(*number),
        _ => None,
    }
}

/// How many bytes a parameter puts into the tree, about. Objects cannot stand anywhere, and weigh nothing.
fn weight(param: &Param) -> usize {
    match param {
        Param::Vector(components) => size_of_val(components.as_slice()),
        Param::Value(Value::List(values)) => values.iter().map(value_weight).sum(),
        Param::Value(value) => value_weight(value),
    }
}

fn value_weight(value: &Value) -> usize {
    size_of::<Literal>() + if let Value::Text(text) = value { text.len() } else { 0 }
}
