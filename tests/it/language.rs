//! What `portolan plan` prints, and that it agrees with the reference dialect on every case that was recorded.

use serde_json::Value as Json;

use crate::tool::{all_text, code, json, portolan, run};

const CASES: &str = include_str!("../conformance/language_plan.jsonl");

/// The command's answer to a statement, and its exit code.
fn plan(options: &[&str], sql: &str) -> (Json, i32) {
    let output = run(portolan().arg("plan").args(options).arg("--json").arg(sql));
    (json(&output), code(&output))
}

/// The command prints `plan` only. `extra`, which the reference's plan dictionary leaves out (the alias, the vectors, TOPK as
/// written), is compared with the plan itself in `core/src/compat/chromasql/tests.rs`, over the same file.
#[test]
fn chromasql_statements_are_planned_or_refused_as_the_reference_does() {
    let cases: Vec<Json> = CASES.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(cases.len(), 144);
    for case in cases {
        let sql = case["sql"].as_str().expect("a statement");
        let (answer, exit) = plan(&["--compat", "chromasql"], sql);
        if case["expect"] == "ok" {
            assert_eq!(exit, 0, "{sql}: {answer}");
            // As text, so that the order of the keys and the kinds of the numbers count too.
            assert_eq!(answer["ok"].to_string(), case["plan"].to_string(), "{sql}");
        } else {
            let error = &answer["error"];
            let stage = format!("{}_error", error["stage"].as_str().unwrap_or_default());
            assert_eq!((exit, stage.as_str()), (2, case["expect"].as_str().expect("a stage")), "{sql}");
            assert_eq!(error["code"], case["error"], "{sql}: {answer}");
            let keys: Vec<&String> = error.as_object().expect("an object").keys().collect();
            assert_eq!(keys, ["stage", "code", "message", "line", "column", "hint"]);
        }
    }
}

#[test]
fn a_statement_is_planned_in_the_native_dialect_unless_told_otherwise() {
    let native = "SELECT id FROM a, b WHERE NOT metadata.x IS NULL -- both\nLIMIT 3";
    let (answer, exit) = plan(&[], native);
    assert_eq!((exit, &answer["ok"]["from"], &answer["ok"]["limit"]), (0, &["a", "b"][..].into(), &3.into()));
    let (answer, exit) = plan(&["--compat", "chromasql"], native);
    assert_eq!((exit, &answer["error"]["code"]), (2, &"syntax".into()));
    let (answer, exit) = plan(&[], "SELECT id FROM t TOPK 3");
    assert_eq!((exit, &answer["error"]["code"]), (2, &1101.into()));
    let error = &answer["error"];
    let place = (&error["line"], &error["column"], &error["name"], &error["text"]);
    assert_eq!(place, (&1.into(), &23.into(), &"topk_needs_embedding".into(), &"3".into()));
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("LIMIT")), "{error}");
}

#[test]
fn people_see_the_plan_or_the_place_of_the_mistake() {
    for options in [&[][..], &["--compat", "chromasql"]] {
        let shown = run(portolan().arg("plan").args(options).arg("SELECT id FROM films LIMIT 3"));
        assert!(code(&shown) == 0 && all_text(&shown).contains("films"), "{}", all_text(&shown));
        let wrong = run(portolan().arg("plan").args(options).arg("SELECT id FROM films LIMIT x"));
        assert!(code(&wrong) == 2 && wrong.stdout.is_empty(), "{}", all_text(&wrong));
        assert!(all_text(&wrong).contains("^"), "{}", all_text(&wrong));
    }
    assert_eq!(code(&run(portolan().args(["plan", "--compat", "mongo", "SELECT id FROM t"]))), 2);
}
