//! What SELECT and ORDER BY hold: fields, aggregates, numbers, and arithmetic with them.
//!
//! Operators wait on the heap (the shunting yard), so that no statement can exhaust the stack, and one value may
//! hold no more than [`MAX_NESTING`] of them, so that no tree is deeper.

use super::{
    MAX_NESTING,
    ast::{Aggregate, AggregateFunction, Arithmetic, Field, Item, Scalar, SelectItem},
    keywords,
    lexer::Kind,
    parser::{Parsed, Parser},
};
use crate::{
    error::{QueryError, QueryErrorKind, near_names},
    schema::Value,
};

/// The fields by their words; `metadata` alone is the whole object.
const FIELDS: [(&str, Field); 8] = [
    ("id", Field::Id),
    ("document", Field::Document),
    ("distance", Field::Distance),
    ("score", Field::Score),
    ("item", Field::Item),
    ("collection", Field::Collection),
    ("embedding", Field::Embedding),
    ("metadata", Field::Metadata(None)),
];

const FUNCTIONS: [AggregateFunction; 5] = [
    AggregateFunction::Count,
    AggregateFunction::Min,
    AggregateFunction::Max,
    AggregateFunction::Sum,
    AggregateFunction::Avg,
];

/// An operator that waits for its right side.
#[derive(Clone, Copy, PartialEq)]
enum Waiting {
    Open,
    Negate,
    Binary(Arithmetic),
}

impl Waiting {
    fn strength(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Binary(Arithmetic::Add | Arithmetic::Subtract) => 1,
            Self::Binary(Arithmetic::Multiply | Arithmetic::Divide) => 2,
            Self::Negate => 3,
        }
    }
}

/// A value that is being read.
#[derive(Default)]
struct Reading {
    operands: Vec<Scalar>,
    waiting: Vec<Waiting>,
    /// Operators and parentheses so far, done ones too.
    total: usize,
}

impl Reading {
    /// Applies the operators that bind at least as tightly as `strength`.
    fn reduce(&mut self, strength: u8) {
        while let Some(operator) = self.waiting.pop_if(|operator| operator.strength() >= strength) {
            let right = self.operands.pop();
            let done = match (operator, right) {
                (Waiting::Negate, Some(right)) => Scalar::Negate(Box::new(right)),
                (Waiting::Binary(operator), Some(right)) => match self.operands.pop() {
                    Some(left) => Scalar::Binary(Box::new(left), operator, Box::new(right)),
                    None => right,
                },
                _ => return,
            };
            self.operands.push(done);
        }
    }
}

impl Parser<'_> {
    /// One item after SELECT.
    pub(super) fn select_item(&mut self) -> Parsed<SelectItem> {
        let start = self.token.span;
        let item = match self.take_symbol("*")? {
            true => Item::All,
            false if self.at_word("FROM") => return Err(self.unexpected("a column")),
            false => Item::Scalar(self.scalar(false)?),
        };
        let alias = match self.take_word("AS")? {
            false => None,
            true if item == Item::All => return Err(self.unexpected("FROM").with_hint("* takes no AS")),
            true => Some(self.name("a name")?),
        };
        Ok(SelectItem { item, alias, span: start.to(self.last) })
    }

    /// Fields, aggregates and numbers with operators between; with `names`, also names of output columns.
    pub(super) fn scalar(&mut self, names: bool) -> Parsed<Scalar> {
        let mut reading = Reading::default();
        loop {
            let negated = reading.waiting.last() == Some(&Waiting::Negate);
            if self.at_symbol("(") || (self.at_symbol("-") && !negated) {
                let operator = if self.at_symbol("(") { Waiting::Open } else { Waiting::Negate };
                self.wait(&mut reading, operator)?;
                self.advance()?;
                continue;
            }
            let operand = self.operand(names)?;
            reading.operands.push(operand);
            if !self.operator(&mut reading)? {
                break;
            }
        }
        if reading.waiting.contains(&Waiting::Open) {
            return Err(self.unexpected(") or an operator"));
        }
        reading.operands.pop().ok_or_else(|| self.unexpected("a value"))
    }

    fn wait(&self, reading: &mut Reading, operator: Waiting) -> Parsed<()> {
        reading.total += 1;
        reading.waiting.push(operator);
        if reading.total <= MAX_NESTING {
            return Ok(());
        }
        let message = format!("more than {MAX_NESTING} operators and parentheses in one value");
        Err(self
            .error(QueryErrorKind::NestingTooDeep, message)
            .with_hint("select the parts and calculate with them in the program"))
    }

    /// Moves past closing parentheses and one operator; false if there is no operator.
    fn operator(&mut self, reading: &mut Reading) -> Parsed<bool> {
        while self.at_symbol(")") && reading.waiting.contains(&Waiting::Open) {
            reading.reduce(1);
            reading.waiting.pop();
            self.advance()?;
        }
        let operator = match (self.token.kind, self.token.text.as_bytes().first()) {
            (Kind::Symbol | Kind::Integer | Kind::Decimal, Some(b'+')) => Arithmetic::Add,
            (Kind::Symbol | Kind::Integer | Kind::Decimal, Some(b'-')) => Arithmetic::Subtract,
            (Kind::Symbol, Some(b'*')) => Arithmetic::Multiply,
            (Kind::Symbol, Some(b'/')) => Arithmetic::Divide,
            _ => {
                reading.reduce(1);
                return Ok(false);
            }
        };
        let operator = Waiting::Binary(operator);
        reading.reduce(operator.strength());
        self.wait(reading, operator)?;
        match self.token.kind {
            Kind::Symbol => drop(self.advance()?),
            _ => self.skip_sign(), // `distance -1`: the number's sign is the operator
        }
        Ok(true)
    }

    fn operand(&mut self, names: bool) -> Parsed<Scalar> {
        match self.token.kind {
            Kind::Integer | Kind::Decimal | Kind::Parameter => return self.constant().map(Scalar::Number),
            Kind::Double if names => return self.name("a name").map(Scalar::Alias),
            Kind::Single | Kind::Double => {
                return Err(self.unexpected("a column").with_hint("fields are written without quotes"));
            }
            Kind::Word => {}
            _ => return Err(self.unexpected("a column")),
        }
        if let Some(function) = self.function() {
            let name = self.name("a function")?;
            return match names && !self.at_symbol("(") {
                true => Ok(Scalar::Alias(name)),
                false => self.aggregate(function).map(Scalar::Aggregate),
            };
        }
        match is_field(self.token.text) {
            false if names => self.name("a name").map(Scalar::Alias),
            _ => self.field().map(Scalar::Field),
        }
    }

    /// The number under the cursor, or a parameter's.
    fn constant(&mut self) -> Parsed<Value> {
        let at = self.token;
        match self.literal()?.value {
            number @ (Value::Int(_) | Value::Float(_)) => Ok(number),
            other => Err(self.mistyped(at, &other, "a number")),
        }
    }

    fn function(&self) -> Option<AggregateFunction> {
        FUNCTIONS.into_iter().find(|function| self.at_word(function.name()))
    }

    /// What follows a function's name.
    fn aggregate(&mut self, function: AggregateFunction) -> Parsed<Aggregate> {
        self.expect_symbol("(")?;
        let of = match function == AggregateFunction::Count && self.take_symbol("*")? {
            true => None,
            false if self.at_symbol("*") => {
                return Err(self.unexpected("a field").with_hint("only COUNT takes *"));
            }
            false => Some(self.field()?),
        };
        match self.take_symbol(")")? {
            true => Ok(Aggregate { function, of }),
            false => Err(self
                .unexpected(")")
                .with_hint("aggregates take one field; calculate with the result: SUM(metadata.a) * 2")),
        }
    }

    /// A field by its first word, with the path if it is `metadata`.
    pub(super) fn field(&mut self) -> Parsed<Field> {
        if self.token.kind != Kind::Word {
            return Err(self.unexpected("a field"));
        }
        let Some((_, field)) = FIELDS.iter().find(|(word, _)| self.at_word(word)) else {
            return Err(self.unknown_field());
        };
        self.advance()?;
        if *field != Field::Metadata(None) {
            return Ok(field.clone());
        }
        let mut path = String::new();
        while self.path_key(&mut path)? {}
        Ok(Field::Metadata((!path.is_empty()).then_some(path)))
    }

    /// One more key of a path, `.name`, `."name"` or `['name']`, appended with a point between.
    fn path_key(&mut self, path: &mut String) -> Parsed<bool> {
        let key = if self.take_symbol(".")? {
            self.name("a metadata key")?.text
        } else if self.take_symbol("[")? {
            if !matches!(self.token.kind, Kind::Single | Kind::Double) {
                return Err(self.unexpected("a key in quotes"));
            }
            let key = self.quoted_name()?;
            self.expect_symbol("]")?;
            key
        } else {
            return Ok(false);
        };
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&key);
        Ok(true)
    }

    fn unknown_field(&self) -> QueryError {
        let word = self.token.text;
        if self.at_word("DISTINCT") {
            return self.not_supported("DISTINCT", "write GROUP BY with the same fields");
        }
        if self.function().is_some() {
            return self
                .error(QueryErrorKind::AggregateNotAllowed, format!("{word} is an aggregate, not a field"))
                .with_hint("aggregates stand in SELECT, and in ORDER BY after GROUP BY");
        }
        let hint = match near_names(word, FIELDS.map(|(word, _)| word)).first() {
            Some(near) if word.len() <= 40 => format!("did you mean {near}, or metadata.{word}?"),
            _ => format!("metadata fields are written metadata.{}", keywords::clip(word)),
        };
        self.error(QueryErrorKind::UnknownField, format!("there is no field {}", keywords::clip(word)))
            .with_expected("id, document, distance, score, item, collection, embedding or metadata.key")
            .with_hint(hint)
    }
}

/// Whether a bare `word` is a field wherever a value may stand.
pub(super) fn is_field(word: &str) -> bool {
    FIELDS.iter().any(|(field, _)| field.eq_ignore_ascii_case(word))
}
