//! WHERE and WHERE_DOCUMENT as the reference's store wants them: a condition on metadata, one on documents, and ids.

use std::collections::HashSet;

use super::{
    CompatError, CompatErrorKind as Kind, ExactJson,
    ast::{Field, Junction, Literal, Predicate, Test, TestKind, Value},
};
use crate::query::{CompareOp, Name};

/// The three kinds of condition that a statement becomes.
#[derive(Debug, Default)]
pub(super) struct Filters {
    pub metadata: Option<ExactJson>,
    pub documents: Option<ExactJson>,
    /// `Some` of nothing: the conditions on ids contradict each other.
    pub ids: Option<Vec<String>>,
}

/// What a test becomes: one condition or, for BETWEEN, two.
type Leaf = fn(&Test, &mut Vec<ExactJson>) -> Result<(), CompatError>;

impl Filters {
    /// Translates both clauses, left to right, and stops at the first thing that the reference refuses.
    pub fn translate(filter: Option<&Predicate>, documents: Option<&Predicate>) -> Result<Self, CompatError> {
        let (mut metadata, mut texts, mut ids) = (Vec::new(), Vec::new(), None);
        for term in filter.map_or(&[][..], |filter| filter.parts(Junction::And)) {
            match only_root(term)? {
                Root::Metadata => conjuncts(term, metadata_leaf, &mut metadata)?,
                Root::Document => conjuncts(term, document_leaf, &mut texts)?,
                Root::Id => {
                    let found = id_list(term)?;
                    ids = Some(match ids {
                        None => found,
                        Some(ids) => intersection(ids, found),
                    });
                }
            }
        }
        if let Some(documents) = documents {
            conjuncts(documents, document_leaf, &mut texts)?;
        }
        Ok(Self { metadata: all_of(metadata), documents: all_of(texts), ids })
    }
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Metadata,
    Document,
    Id,
}

fn root(test: &Test) -> Root {
    match test.field.field {
        Field::Id => Root::Id,
        Field::Document => Root::Document,
        _ => Root::Metadata,
    }
}

/// What all tests of `term` are about.
fn only_root(term: &Predicate) -> Result<Root, CompatError> {
    let mut first = None;
    term.each_test(&mut |test| {
        let own = root(test);
        if own == *first.get_or_insert(own) {
            return Ok(());
        }
        let message = "metadata, document and id cannot be mixed under OR";
        let hint = "join the different kinds with AND, or ask twice";
        Err(CompatError::new(Kind::MixedRootsNotAnd, test.span, message, hint))
    })?;
    Ok(first.unwrap_or(Root::Metadata))
}

/// Adds what must all hold for `predicate` to hold. Nested ANDs and the two sides of a BETWEEN become one list.
fn conjuncts(predicate: &Predicate, leaf: Leaf, out: &mut Vec<ExactJson>) -> Result<(), CompatError> {
    match predicate {
        Predicate::Test(test) => leaf(test, out),
        Predicate::Group { junction: Junction::And, parts } => {
            parts.iter().try_for_each(|part| conjuncts(part, leaf, out))
        }
        Predicate::Group { junction: Junction::Or, parts } => {
            let mut alternatives = Vec::with_capacity(parts.len());
            for part in parts {
                let mut inner = Vec::new();
                conjuncts(part, leaf, &mut inner)?;
                alternatives.extend(all_of(inner));
            }
            out.push(ExactJson::entry("$or", ExactJson::List(alternatives)));
            Ok(())
        }
    }
}

fn all_of(mut conditions: Vec<ExactJson>) -> Option<ExactJson> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(ExactJson::entry("$and", ExactJson::List(conditions))),
    }
}

// Metadata.

fn metadata_leaf(test: &Test, out: &mut Vec<ExactJson>) -> Result<(), CompatError> {
    let mut add = |operator: &str, operand: ExactJson| {
        let path: &[String] = if let Field::Metadata(path) = &test.field.field { path } else { &[] };
        let innermost = ExactJson::entry(operator, operand);
        out.push(path.iter().rev().fold(innermost, |inner, key| ExactJson::entry(key, inner)));
    };
    match &test.kind {
        TestKind::Compare { op, value } => add(operator(*op), ExactJson::from(&value.value)),
        TestKind::In { values, negated } => {
            let values = values.iter().map(|literal| ExactJson::from(&literal.value)).collect();
            add(if *negated { "$nin" } else { "$in" }, ExactJson::List(values));
        }
        TestKind::Between { low, high } => {
            add("$gte", ExactJson::from(&low.value));
            add("$lte", ExactJson::from(&high.value));
        }
        TestKind::Contains { .. } => return Err(text_test(test, Kind::ContainsOnMetadata, "CONTAINS")),
        TestKind::Like { .. } => return Err(text_test(test, Kind::LikeOnMetadata, "LIKE")),
        TestKind::Regex { .. } => return Err(text_test(test, Kind::RegexInWhere, "REGEX")),
    }
    Ok(())
}

fn operator(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Eq => "$eq",
        CompareOp::Ne => "$ne",
        CompareOp::Lt => "$lt",
        CompareOp::Le => "$lte",
        CompareOp::Gt => "$gt",
        CompareOp::Ge => "$gte",
    }
}

fn text_test(test: &Test, kind: Kind, word: &str) -> CompatError {
    let message = format!("{word} tests documents only, not metadata");
    CompatError::new(kind, test.span, message, "compare metadata with =, !=, <, IN or BETWEEN")
}

// Documents.

fn document_leaf(test: &Test, out: &mut Vec<ExactJson>) -> Result<(), CompatError> {
    let (negated, plain, opposite, operand) = match &test.kind {
        TestKind::Contains { value, negated } => {
            (negated, "$contains", "$not_contains", (&value.value).into())
        }
        TestKind::Like { pattern, negated } => {
            (negated, "$contains", "$not_contains", ExactJson::Text(like_text(pattern)?))
        }
        TestKind::Regex { pattern, negated } => {
            (negated, "$regex", "$not_regex", ExactJson::Text(pattern.text.clone()))
        }
        TestKind::Compare { .. } | TestKind::In { .. } | TestKind::Between { .. } => {
            let message = "a document can be searched, not compared";
            let hint = "write document CONTAINS '...' or document LIKE '%...%'";
            return Err(CompatError::new(Kind::DocumentPredicateKind, test.span, message, hint));
        }
    };
    out.push(ExactJson::entry(if *negated { opposite } else { plain }, operand));
    Ok(())
}

/// The text between the two `%` of a pattern.
fn like_text(pattern: &Name) -> Result<String, CompatError> {
    let inner = pattern.text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
    let message = match (inner, pattern.text.matches('%').count()) {
        (Some(inner), 2) => return Ok(String::from(inner)),
        (_, 3..) => "the pattern has more than two %",
        (_, 2) => "the two % of the pattern are not at its ends",
        _ => "the pattern does not begin and end with %",
    };
    let hint = "write LIKE '%text%'; for anything else use WHERE_DOCUMENT REGEX '...'";
    Err(CompatError::new(Kind::LikePattern, pattern.span, message, hint))
}

// Ids.

/// The ids that `predicate` lets through, each once, in the order of first mention.
fn id_list(predicate: &Predicate) -> Result<Vec<String>, CompatError> {
    match predicate {
        Predicate::Test(test) => id_leaf(test),
        Predicate::Group { junction: Junction::Or, parts } => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(id_list(part)?);
            }
            Ok(distinct(all))
        }
        Predicate::Group { junction: Junction::And, parts } => {
            let lists = parts.iter().map(id_list).collect::<Result<Vec<_>, _>>()?;
            Ok(lists.into_iter().reduce(intersection).unwrap_or_default())
        }
    }
}

fn id_leaf(test: &Test) -> Result<Vec<String>, CompatError> {
    let refuse = |kind, message: &str| {
        Err(CompatError::new(kind, test.span, message, "write id = '...' or id IN ('...', '...')"))
    };
    match &test.kind {
        TestKind::Compare { op: CompareOp::Eq, value } => match text(value) {
            Some(id) => Ok(vec![id]),
            None => refuse(Kind::IdValueType, "an id is a string"),
        },
        TestKind::Compare { .. } => refuse(Kind::IdOperator, "an id can only be compared with ="),
        TestKind::In { negated: true, .. } => refuse(Kind::IdNotIn, "ids cannot be excluded"),
        TestKind::In { values, .. } => match values.iter().map(text).collect::<Option<Vec<_>>>() {
            Some(ids) => Ok(distinct(ids)),
            None => refuse(Kind::IdInType, "a list of ids holds strings only"),
        },
        _ => refuse(Kind::IdPredicateKind, "an id has neither ranges nor patterns"),
    }
}

fn text(literal: &Literal) -> Option<String> {
    if let Value::Text(text) = &literal.value { Some(text.clone()) } else { None }
}

fn distinct(ids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

fn intersection(first: Vec<String>, other: Vec<String>) -> Vec<String> {
    let other: HashSet<String> = other.into_iter().collect();
    first.into_iter().filter(|id| other.contains(id)).collect()
}
