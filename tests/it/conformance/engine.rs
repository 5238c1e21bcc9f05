//! What the engine answers: natively over a release in a folder.

use portolan::{error::Error, local::LocalRelease, plan::Plan, query::Params, router::ResultSet};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{
    cases::{AFTER, Case},
    data::World,
    oracle::{Answer, Row},
};
use crate::doors::setting::Failure;

/// No case takes more pages than this.
const MOST_PAGES: usize = 1000;

/// The release, opened.
pub struct Engine {
    pub folder: TempDir,
    release: LocalRelease,
}

impl Engine {
    /// Writes the release and opens it.
    pub fn new(world: &World) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        world.write_release(folder.path())?;
        let release = LocalRelease::open(folder.path())?;
        Ok(Self { folder, release })
    }

    /// The answers to a case: one, or one for each page.
    pub fn answers(&self, case: &Case) -> Result<Vec<ResultSet>, Error> {
        let mut pages = vec![self.page(case, None)?];
        while case.pages && pages.len() < MOST_PAGES {
            let Some(cursor) = pages.last().and_then(|page| page.cursor.clone()) else { break };
            pages.push(self.page(case, Some(&cursor))?);
        }
        Ok(pages)
    }

    fn page(&self, case: &Case, cursor: Option<&str>) -> Result<ResultSet, Error> {
        let after = cursor.map_or(String::new(), |cursor| format!("AFTER '{cursor}'"));
        let params = Params::from_json(&case.params.to_string()).expect("the parameters of a case");
        self.release.run(Plan::parse_with(&case.sql.replace(AFTER, &after), &params)?)
    }
}

/// The answers in the oracle's form: pages one after another.
pub fn joined(pages: &[ResultSet]) -> Answer {
    let mut answer = Answer { columns: pages[0].columns.clone(), ..Answer::default() };
    for page in pages {
        answer.rows.extend(page.rows.iter().map(|row| Row {
            collection: row.collection.clone(),
            id: row.id.clone(),
            item: row.item.map(|item| item as usize),
            distance: row.distance.map(f64::from),
            score: row.score,
            cells: row.cells.iter().map(|cell| json_of(&cell.to_json())).collect(),
        }));
    }
    let sets = &pages[0].sets;
    if !sets.is_empty() {
        for (item, set) in sets.iter().enumerate() {
            let before: usize = sets[..item].iter().map(|set| set.rows).sum();
            assert_eq!((set.item as usize, set.first), (item, before), "sets stand one after another");
        }
        answer.sets = Some(sets.iter().map(|set| set.rows).collect());
    }
    answer
}

/// The answers as a door prints them.
pub fn printed(answers: &Result<Vec<ResultSet>, Error>) -> Json {
    match answers {
        Ok(pages) => json!({"pages": pages.iter().map(|page| json_of(&page.to_json())).collect::<Vec<_>>()}),
        Err(error) => json!({"error": {"code": error.code()}}),
    }
}

/// The engine's own JSON, through text.
fn json_of(json: &impl ToString) -> Json {
    serde_json::from_str(&json.to_string()).expect("JSON")
}

/// Of a printed answer, what must be the same behind every door. Bytes, waves and times may differ.
pub fn what_counts(printed: &Json) -> Json {
    let names = |reports: &Json| -> Json {
        reports.as_array().into_iter().flatten().map(|report| report["name"].clone()).collect()
    };
    let page = |page: &Json| {
        let collections = &page["collections"];
        json!({
            "columns": page["columns"],
            "rows": page["rows"],
            "row_ids": page["row_ids"],
            "sets": page["sets"],
            "notes": page["notes"],
            "cursor": page["cursor"],
            "asked": names(&collections["asked"]),
            "skipped": names(&collections["skipped"]),
        })
    };
    json!({
        "pages": printed["pages"].as_array().into_iter().flatten().map(page).collect::<Vec<_>>(),
        "error": printed["error"]["code"],
    })
}
