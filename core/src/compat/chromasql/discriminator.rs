//! The values of one metadata field that a statement asks for, as the reference's router reads them out of WHERE.
//!
//! Exact, mistakes included: AND unites although it should intersect, and only texts count. The native dialect routes by
//! [`routing`](crate::routing) instead.

use std::collections::BTreeSet;

use super::ast::{Field, Junction, Literal, Predicate, Statement, Test, TestKind, Value};
use crate::query::CompareOp;

/// The texts that `=` and IN ask of the field at the dotted path `field_path`, without `metadata.`; `None` if the
/// statement does not constrain it. Only WHERE counts.
pub fn extract_metadata_values(statement: &Statement, field_path: &str) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    collect(statement.filter.as_ref()?, field_path, &mut found);
    (!found.is_empty()).then_some(found)
}

/// Adds the values of a condition; says whether there are any. An OR with a part that has none adds nothing.
fn collect(predicate: &Predicate, path: &str, found: &mut BTreeSet<String>) -> bool {
    match predicate {
        Predicate::Test(test) => collect_test(test, path, found),
        Predicate::Group { junction: Junction::And, parts } => {
            parts.iter().fold(false, |any, part| collect(part, path, found) | any)
        }
        Predicate::Group { junction: Junction::Or, parts } => {
            let mut united = BTreeSet::new();
            let all = parts.iter().all(|part| collect(part, path, &mut united));
            if all {
                found.append(&mut united);
            }
            all
        }
    }
}

fn collect_test(test: &Test, path: &str, found: &mut BTreeSet<String>) -> bool {
    let values = match &test.kind {
        _ if !matches!(&test.field.field, Field::Metadata(keys) if keys.join(".") == path) => &[],
        TestKind::Compare { op: CompareOp::Eq, value } => std::slice::from_ref(value),
        TestKind::In { values, negated: false } => values.as_slice(),
        _ => &[],
    };
    let text = |literal: &Literal| match &literal.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let texts: Vec<String> = values.iter().filter_map(text).collect();
    let any = !texts.is_empty();
    found.extend(texts);
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compat::chromasql::parse;

    fn extracted(condition: &str) -> Option<Vec<String>> {
        let statement = parse(&format!("SELECT id FROM t WHERE {condition}")).expect(condition);
        extract_metadata_values(&statement, "model").map(|values| values.into_iter().collect())
    }

    /// The reference's own answers, and what follows from its rules.
    #[test]
    fn values_are_those_that_the_reference_reads() {
        for (condition, expected) in [
            ("metadata.model = 'A'", Some(vec!["A"])),
            ("metadata.model = 5", None),
            ("metadata.model = TRUE", None),
            ("metadata.model = NULL", None),
            ("metadata.model IN (5)", None),
            ("metadata.model IN ('A', 5)", Some(vec!["A"])),
            ("metadata.model = 'A' OR metadata.model = 5", None),
            ("metadata.model != 'A'", None),
            ("metadata.model NOT IN ('A')", None),
            ("metadata.model BETWEEN 'A' AND 'B'", None),
            ("metadata.model LIKE '%A%'", None),
            ("metadata.model = 'A' AND metadata.model = 'B'", Some(vec!["A", "B"])),
            ("metadata.model IN ('A','B') AND metadata.model != 'B'", Some(vec!["A", "B"])),
            ("(metadata.model='A' OR metadata.x=1) AND metadata.model='B'", Some(vec!["B"])),
            ("(metadata.model='A' OR metadata.x=1) AND metadata.y=2", None),
            ("metadata.model='A' OR (metadata.x=1 AND (metadata.model='B' OR metadata.y=1))", None),
            ("id='x' OR metadata.model='A'", None),
            ("document CONTAINS 'x' AND metadata.model='A'", Some(vec!["A"])),
            ("metadata.model = ''", Some(vec![""])),
            // Nesting depth is free, and the path is compared whole, letter case included.
            (
                "metadata.model='A' OR (metadata.x=1 AND (metadata.model='B' OR metadata.model='C'))",
                Some(vec!["A", "B", "C"]),
            ),
            ("metadata.Model = 'A'", None),
            ("metadata.model.name = 'A'", None),
            ("metadata.meta.model = 'A'", None),
            ("metadata.model > 'A'", None),
        ] {
            let expected = expected.map(|values| values.into_iter().map(String::from).collect::<Vec<_>>());
            assert_eq!(extracted(condition), expected, "{condition}");
        }
    }

    #[test]
    fn only_where_counts() {
        let statement = parse("SELECT id FROM t WHERE_DOCUMENT CONTAINS 'model'").expect("a statement");
        assert_eq!(extract_metadata_values(&statement, "model"), None);
    }

    #[test]
    fn nested_paths_are_dotted() {
        let statement = parse("SELECT id FROM t WHERE metadata.meta.kind = 'A'").expect("a statement");
        assert!(extract_metadata_values(&statement, "meta.kind").is_some());
        assert!(extract_metadata_values(&statement, "kind").is_none());
    }
}
