//! Bind parameters: where they may stand, what they may be, and what happens when they do not fit.

use super::*;

fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(values.into_iter().collect())
}

fn text(value: &str) -> Value {
    Value::Text(String::from(value))
}

fn condition(condition: &str, params: &Params) -> String {
    let sql = format!("SELECT id FROM t WHERE {condition}");
    parse_with(&sql, params)
        .unwrap_or_else(|error| panic!("{}", error.snippet(&sql)))
        .filter
        .unwrap()
        .to_string()
}

#[test]
fn values_take_the_place_of_parameters() {
    let params = Params::none()
        .push(Value::Int(1))
        .push(text("it's -- no syntax"))
        .push(list([Value::Int(2), Value::Null, Value::Float(0.5)]))
        .push(Value::Time(1_714_564_800_000_000))
        .set("low", Value::Bool(false))
        .set("tags", list([text("a"), text("b")]));
    assert_eq!(
        condition(
            "metadata.a = ? AND id != ? AND metadata.b NOT IN ? AND metadata.t > ? OR metadata.c BETWEEN :low AND 9 \
             OR metadata.d IN ('x', :tags, NULL) OR metadata.e CONTAINS ALL :tags OR metadata.e CONTAINS ANY (:tags)",
            &params
        ),
        "(metadata.a = 1 AND id != 'it''s -- no syntax' AND metadata.b NOT IN (2, NULL, 0.5) \
         AND metadata.t > '2024-05-01T12:00:00Z') OR metadata.c BETWEEN FALSE AND 9 \
         OR metadata.d IN ('x', 'a', 'b', NULL) OR metadata.e CONTAINS ALL ('a', 'b') OR metadata.e CONTAINS ANY ('a', 'b')"
    );
}

#[test]
fn every_number_text_and_vector_may_be_a_parameter() {
    let params = Params::none()
        .push(text("a bird"))
        .push(text("m"))
        .push(Param::Vector(vec![1.0, 2.0]))
        .push(list([Value::Int(3), Value::Float(0.5)]))
        .push(Value::Float(7.0))
        .set("n", Value::Int(5))
        .set("x", Value::Float(0.25))
        .set("cursor", text("abc"));
    let statement = parse_with(
        "SELECT id, distance * :x FROM t USING EMBEDDING BATCH (TEXT ? MODEL ?, VECTOR ?, VECTOR ?, VECTOR [?, 8]) \
         TOPK :n LIMIT :n OFFSET :n CANDIDATES :n RECALL :x WITH SCORE THRESHOLD :n RERANK BY MMR (:x, :n) \
         FUSE BY RRF (:x) GROUP BY id TOP :n ORDER BY metadata.a + :n AFTER :cursor",
        &params,
    )
    .unwrap();
    let vector = |position: usize| match &statement.embedding[position] {
        Embedding::Vector(vector) => vector.components.clone(),
        Embedding::Text(query) => panic!("{query:?}"),
    };
    assert!(matches!(&statement.embedding[0], Embedding::Text(query) if query.text.text == "a bird"));
    assert_eq!([vector(1), vector(2), vector(3)], [[1.0, 2.0], [3.0, 0.5], [7.0, 8.0]]);
    assert_eq!(statement.topk.map(|count| count.value), Some(5));
    assert_eq!(statement.threshold.map(|number| number.value), Some(5.0));
    assert_eq!(statement.rerank.and_then(|mmr| mmr.candidates).map(|count| count.value), Some(5));
    assert_eq!(statement.after.unwrap().text, "abc");
    assert_eq!(statement.order[0].key.to_string(), "metadata.a + 5");
}

#[test]
fn parameters_that_do_not_fit_are_typed_errors_with_a_place() {
    use QueryErrorKind::*;
    let none = Params::none;
    for (sql, params, expected, column) in [
        ("SELECT id FROM t WHERE id = ?", none(), MissingParameter, 29),
        ("SELECT id FROM t WHERE id IN (?, ?)", none().push(text("a")), MissingParameter, 34),
        ("SELECT id FROM t LIMIT :n", none().set("m", Value::Int(1)), MissingParameter, 24),
        ("SELECT id FROM t LIMIT ?", none().push(Value::Int(1)).push(Value::Int(2)), UnusedParameter, 25),
        (
            "SELECT id FROM t LIMIT :n",
            none().set("n", Value::Int(1)).set("m", Value::Int(1)),
            UnusedParameter,
            26,
        ),
        ("SELECT id FROM t LIMIT ?", none().push(text("1")), ParameterType, 24),
        ("SELECT id FROM t LIMIT ?", none().push(Value::Float(1.0)), ParameterType, 24),
        ("SELECT id FROM t WHERE id = ?", none().push(list([text("a")])), ParameterType, 29),
        ("SELECT id FROM t WHERE id = ?", none().push(Param::Vector(vec![1.0])), ParameterType, 29),
        ("SELECT id FROM t WHERE metadata.a = ?", none().push(Value::Float(f64::NAN)), ParameterType, 37),
        ("SELECT id FROM t WHERE id IN ?", none().push(text("a")), ParameterType, 30),
        ("SELECT id FROM t WHERE id IN ?", none().push(list([])), ParameterType, 30),
        ("SELECT id FROM t WHERE id IN (?)", none().push(list([list([])])), ParameterType, 31),
        (
            "SELECT id FROM t WHERE id IN (?)",
            none().push(Value::Object(Default::default())),
            ParameterType,
            31,
        ),
        ("SELECT id + ? FROM t", none().push(text("1")), ParameterType, 13),
        ("SELECT id FROM t USING EMBEDDING (TEXT ?)", none().push(Value::Int(1)), ParameterType, 40),
        ("SELECT id FROM t USING EMBEDDING (VECTOR ?)", none().push(Param::Vector(vec![])), EmptyVector, 42),
        (
            "SELECT id FROM t USING EMBEDDING (VECTOR ?)",
            none().push(Param::Vector(vec![f32::INFINITY])),
            ParameterType,
            42,
        ),
        ("SELECT id FROM t USING EMBEDDING (VECTOR ?)", none().push(list([text("1")])), ParameterType, 42),
        (
            "SELECT id FROM t USING EMBEDDING (VECTOR [?])",
            none().push(Value::Float(1e39)),
            NumberOutOfRange,
            43,
        ),
    ] {
        let error = parse_with(sql, &params).expect_err(sql);
        assert_inside(sql, &error);
        assert_eq!((error.kind(), error.column()), (expected, column), "{sql}: {error}");
        assert!(!error.hint().is_empty(), "{error}");
    }
}

#[test]
fn one_parameter_cannot_be_copied_without_end() {
    let params = Params::none().set("v", Param::Vector(vec![1.0; 50_000]));
    let batch = |items: usize| {
        format!("SELECT id FROM t USING EMBEDDING BATCH ({}VECTOR :v)", "VECTOR :v, ".repeat(items - 1))
    };
    assert!(parse_with(&batch(100), &params).is_ok());
    let error = parse_with(&batch(1000), &params).expect_err("200 MB");
    assert_eq!(error.kind(), QueryErrorKind::StatementTooLong);
    let many = Params::none().set("l", list(vec![Value::Int(1); MAX_LIST_ITEMS]));
    let error = parse_with("SELECT id FROM t WHERE metadata.a IN (:l, 1)", &many).expect_err("one too many");
    assert_eq!(error.kind(), QueryErrorKind::ListTooLong);
}
