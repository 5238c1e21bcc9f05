//! What answers the questions: whole statements, and searches that read no records.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use portolan::{
    plan::Plan,
    router::{Fanout, Host, NearRow, Options, Path, Prepared, ResultSet},
};

use super::{files::Opened, questions::Questions};
use crate::outcome::Failure;

/// How thoroughly is searched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// RECALL: this share of the true nearest rows is enough.
    Recall(f64),
    /// Every row is compared.
    Exact,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "exact" {
            return Ok(Self::Exact);
        }
        match text.parse::<f64>() {
            Ok(recall) if recall > 0.0 && recall < 1.0 => Ok(Self::Recall(recall)),
            _ => Err("write shares between 0 and 1, such as 0.95, or exact".into()),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // 0.9 as 0.90, which reads better in a column; longer ones as they are.
            Self::Recall(recall) => write!(f, "{:0<4}", recall.to_string()),
            Self::Exact => f.write_str("exact"),
        }
    }
}

/// What an engine found: made while the clock runs, read afterwards.
pub enum Answer {
    /// A statement's rows.
    Rows(ResultSet),
    /// Rows by their places.
    Near(Vec<NearRow>),
}

/// Answers questions.
pub trait Engine: Sync {
    /// What it is called in reports.
    fn name(&self) -> &'static str;

    /// Answers one question. This is what is timed.
    fn ask(&self, questions: &Questions, number: usize, setting: Setting) -> Result<Answer, Failure>;
}

/// Whole statements: from text to rows, on the caller's thread.
pub struct Statements<'o> {
    opened: &'o Opened,
    select: String,
    from: String,
    filter: Option<String>,
    k: u32,
    way: Path,
}

impl<'o> Statements<'o> {
    pub fn new(
        opened: &'o Opened,
        (select, from, filter): (&str, &str, Option<&str>),
        k: u32,
        way: Path,
    ) -> Self {
        Self { opened, select: select.into(), from: from.into(), filter: filter.map(str::to_owned), k, way }
    }

    fn options(&self) -> Options {
        Options { path: self.way, ..Options::default() }
    }

    /// The plan of one question.
    pub fn plan(&self, questions: &Questions, number: usize, setting: Setting) -> Result<Plan, Failure> {
        let sql = self.sql(questions.probe(), setting);
        Plan::parse_with(&sql, &questions.params(number)).map_err(|error| Failure::statement(error, &sql))
    }

    /// The rows of one question.
    pub fn rows(&self, questions: &Questions, number: usize, setting: Setting) -> Result<ResultSet, Failure> {
        let plan = self.plan(questions, number, setting)?;
        let fanout = Fanout::with(self.opened.catalog.clone(), plan, self.options())?;
        Ok(fanout.run_with(&self.opened.files, &Host::ALONE)?)
    }

    fn sql(&self, probe: &str, setting: Setting) -> String {
        let Self { select, from, k, .. } = self;
        let filter = self.filter.as_ref().map_or_else(String::new, |filter| format!(" WHERE {filter}"));
        let recall = match setting {
            Setting::Recall(recall) => recall,
            Setting::Exact => 1.0,
        };
        format!("SELECT {select} FROM {from} USING EMBEDDING ({probe}){filter} TOPK {k} RECALL {recall:?}")
    }
}

impl Engine for Statements<'_> {
    fn name(&self) -> &'static str {
        "statement"
    }

    fn ask(&self, questions: &Questions, number: usize, setting: Setting) -> Result<Answer, Failure> {
        self.rows(questions, number, setting).map(Answer::Rows)
    }
}

/// Searches alone, as other libraries are asked: from a vector to the places of rows and their distances. The statement
/// is bound once, and its WHERE evaluated once.
pub struct Searches<'s> {
    statements: &'s Statements<'s>,
    k: usize,
    /// Bound statements that no thread uses now.
    idle: Mutex<Vec<(Setting, Prepared)>>,
}

impl<'s> Searches<'s> {
    pub fn new(statements: &'s Statements<'s>, k: u32) -> Self {
        Self { statements, k: k as usize, idle: Mutex::new(Vec::new()) }
    }

    fn take(&self, questions: &Questions, number: usize, setting: Setting) -> Result<Prepared, Failure> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = idle.iter().position(|(of, _)| *of == setting) {
            return Ok(idle.swap_remove(place).1);
        }
        drop(idle);
        let plan = self.statements.plan(questions, number, setting)?;
        let prepared =
            Prepared::new(self.statements.opened.catalog.clone(), plan, self.statements.options())?;
        prepared.ok_or_else(|| Failure::wrong_use("the collections that are asked do not share one space"))
    }
}

impl Engine for Searches<'_> {
    fn name(&self) -> &'static str {
        "search"
    }

    fn ask(&self, questions: &Questions, number: usize, setting: Setting) -> Result<Answer, Failure> {
        let Some(vector) = questions.vector(number) else {
            return Err(Failure::wrong_use("searches without statements take --queries"));
        };
        let mut prepared = self.take(questions, number, setting)?;
        let found = prepared.nearest(vector, &self.statements.opened.files, &Host::ALONE)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((setting, prepared));
        let mut near = found.unwrap_or_default();
        near.truncate(self.k);
        Ok(Answer::Near(near))
    }
}
