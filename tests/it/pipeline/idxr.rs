//! Taking over from idxr.

use std::fs;

use serde_json::{Value as Json, json};

use super::place::{BOOKS, Shop, numbers};
use crate::tool::{all_text, code, json, portolan, run};

/// A root as idxr leaves it: three live partitions, one stale, one with a deleted model, moved from where it was written.
fn root(shop: &Shop) {
    let held = |partition: &str, extra: Json| {
        let mut held =
            json!({"path": format!("/was/here/{partition}/book.csv"), "rows": 2, "schema_version": 3});
        held.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({"book": held})
    };
    let mut partitions = Vec::new();
    for (number, (extra, flags)) in [
        (json!({}), json!({})),
        (json!({}), json!({"stale": true, "stale_reason": "schema-change"})),
        (json!({}), json!({})),
        (json!({"deleted": true}), json!({})),
        (json!({}), json!({})),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("partition_{number:05}");
        let folder = shop.path("root").join(&name);
        fs::create_dir_all(&folder).unwrap();
        let rows = format!("id,title,year,shelf\na{number},A title,1,s\nb{number},B title,2,s\n");
        fs::write(folder.join("book.csv"), rows).unwrap();
        let mut partition = json!({"name": name, "models": held(&name, extra), "run_id": "x"});
        partition.as_object_mut().unwrap().extend(flags.as_object().unwrap().clone());
        partitions.push(partition);
    }
    // The second live partition lost a row when it was resumed, the third was never begun.
    for (number, count) in [(0, 2), (2, 1)] {
        let folder = shop.path("states").join(format!("partition_{number:05}"));
        fs::create_dir_all(&folder).unwrap();
        let state =
            json!({"book": {"complete": true, "collection_count": count, "row_index": 2, "started": true}});
        fs::write(folder.join("books_resume_state.json"), state.to_string()).unwrap();
    }
    let manifest = json!({
        "version": 1, "partitions": partitions, "runs": [{"id": "x"}],
        "model_schemas": {"book": {"signature": "s", "version": 3}},
        "drops": [{"config": {"models": {"book": {"partitions": ["partition_00003"]}}},
            "performed_at": "2025-11-02T10:00:00", "performed_by": "ann"}],
    });
    fs::write(shop.path("root/manifest.json"), manifest.to_string()).unwrap();
}

#[test]
fn b8_what_idxr_prepared_carries_over_and_lost_rows_are_named() {
    let shop = Shop::new(BOOKS);
    root(&shop);
    let take = || {
        let mut command = portolan();
        command
            .args(["import-idxr", "--json"])
            .arg(shop.path("root"))
            .arg("--states")
            .arg(shop.path("states"));
        command.arg("--store").arg(shop.path("store")).arg("--models").arg(shop.path("portolan.toml"));
        run(&mut command)
    };
    let output = take();
    assert_eq!(code(&output), 1, "{}", all_text(&output));
    let report = json(&output);
    assert_eq!(numbers(&report, &["records", "emitted", "partitions", "drops"]), [6, 6, 3, 1], "{report}");
    assert_eq!(report["left_behind"], json!(["partition_00001/book", "partition_00003/book"]));
    assert_eq!(report["collections"], json!({"book": ["books"]}));
    let doubts = report["doubts"].as_array().unwrap();
    assert_eq!(doubts.len(), 2, "{report}");
    assert_eq!(
        (&doubts[0]["partition"], &doubts[0]["indexed"], &doubts[0]["complete"]),
        (&json!("partition_00002"), &json!(1), &json!(true))
    );
    assert_eq!((&doubts[1]["indexed"], &doubts[1]["complete"]), (&json!(null), &json!(false)));
    assert_eq!(shop.manifest()["model_schemas"]["book"]["version"], 3);
    assert_eq!(shop.manifest()["drops"][0]["by"], "ann");
    shop.done(&["apply"]);
    shop.done(&["embed"]);
    let ids: Vec<String> = shop.rows("books").into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["a0", "a2", "a4", "b0", "b2", "b4"]);
    let again = json(&take());
    assert_eq!(numbers(&again, &["emitted", "duplicates", "drops"]), [0, 6, 0], "{again}");
    // The source that idxr has read is known.
    let source = shop.write("source.csv", "id,title,year,shelf\na0,A title,1,s\nc,New,3,s\n");
    assert_eq!(numbers(&shop.prepare(&source, &[]), &["emitted", "duplicates"]), [1, 1]);
}
