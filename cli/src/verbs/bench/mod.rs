//! `portolan bench`: how fast a release or a file answers, at what recall, and how many bytes it costs over ranges.

mod engine;
mod files;
mod questions;
mod ranges;
mod records;
mod report;
mod speed;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use portolan::{local::Advice, router::Path as Way};

use self::{
    engine::{Engine, Searches, Setting, Statements},
    files::Opened,
    questions::Questions,
    records::{Records, Truth},
};
use crate::{
    outcome::{Failure, Outcome},
    progress,
};

/// Measure a release, or one file, with questions of your own: recall, speed and bytes for each setting.
///
/// Settings are shares of the true nearest rows, as in RECALL, or exact. The truth is an exact search of the same files,
/// or --truth: an npy file of integers, a row for each question, the numbers of its nearest records with the nearest
/// first. Number n is the record on line n, from 0, of --ids: a file of ids, one a line, or of the JSON lines that were
/// imported, plain or .gz. Without --ids the numbers are the _position that an import gave, which needs a release of one
/// collection. With --filter the truth must be that of the records that match.
///
/// Each question is one statement, from its text to the rows, on one thread; --threads asks several at once. A setting is
/// measured up to --repeat times and its best pass counts, so that another program's work is not measured.
///
/// With --ranges nothing is timed. Files are read by ranges, as a browser reads them: `cold` is the first question of a
/// visitor, release.json included, `later` the next one. The answers are compared with those from whole files.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portolan bench release --queries questions.npy
  portolan bench release --queries q.npy --truth t.npy --ids docs.jsonl.gz --k 10 --json
  portolan bench noun.animal-1f0c5d2a9b3e4f60.portolan --queries q.npy --settings 0.95,exact --threads 2
  portolan bench release --queries q.npy --filter \"metadata.senses > 3\" --queries-limit 500
  portolan bench release --texts questions.jsonl.gz --ranges --select 'id, document'

With --json, a line for each setting: {\"setting\", \"engine\", \"recall\", \"queries_per_second\", \"bytes_per_vector\", \"p50_us\",
\"p99_us\", ...}.")]
pub struct Bench {
    /// A release folder, or a .portolan file.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The questions as vectors: npy, Arrow IPC or Parquet.
    #[arg(long, value_name = "FILE", required_unless_present = "texts")]
    queries: Option<PathBuf>,
    /// The questions as texts, one a line, or JSON lines with a "text"; plain or .gz. The release must carry its embedder.
    #[arg(long, value_name = "FILE", conflicts_with = "queries")]
    texts: Option<PathBuf>,
    /// The true nearest records of each question. Default: an exact search.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Which records the numbers of --truth mean.
    #[arg(long, value_name = "FILE", requires = "truth")]
    ids: Option<PathBuf>,
    /// How many nearest rows are asked for.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    k: u32,
    /// What is measured.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0.90,0.95,0.99,exact")]
    settings: Vec<Setting>,
    /// Only the first N questions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    queries_limit: Option<u32>,
    /// Which collections are asked, as after FROM.
    #[arg(long, value_name = "PATTERNS", default_value = "*")]
    from: String,
    /// A condition, as after WHERE.
    #[arg(long, value_name = "CONDITION")]
    filter: Option<String>,
    /// The columns of the answers, as after SELECT.
    #[arg(long, value_name = "COLUMNS", default_value = "id")]
    select: String,
    /// How many questions are asked at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// How often a setting is measured, as long as that takes less than ten seconds.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// What the operating system is told of the files: search brings what every search reads and leaves the rest to be
    /// paged in row by row, for files larger than memory; all brings everything.
    #[arg(long, value_name = "WHAT", default_value = "normal")]
    advise: Told,
    /// How files that have a graph are searched: as is predicted to cost least, by clusters, or by the graph.
    #[arg(long = "path", value_enum, default_value = "planned")]
    path_kind: Searched,
    /// Count waves, ranges and bytes instead of time.
    #[arg(long)]
    ranges: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Told {
    Normal,
    Search,
    All,
}

impl From<Told> for Advice {
    fn from(told: Told) -> Self {
        match told {
            Told::Normal => Self::Normal,
            Told::Search => Self::Search,
            Told::All => Self::All,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Searched {
    Planned,
    Clusters,
    Graph,
}

impl Bench {
    /// Over ranges no graph is walked: then whole files must not be either, or their rows could not be compared.
    fn way(&self) -> Way {
        match self.path_kind {
            _ if self.ranges => Way::Clusters,
            Searched::Planned => Way::Planned,
            Searched::Clusters => Way::Clusters,
            Searched::Graph => Way::Graph,
        }
    }

    pub fn run(self, json: bool) -> Result<Outcome, Failure> {
        let opened = Opened::open(&self.path, self.advise.into())?;
        let mut questions = self.questions()?;
        let statements =
            Statements::new(&opened, (&self.select, &self.from, self.filter.as_deref()), self.k, self.way());
        let records = Records::of(&opened, &self.from, self.truth.is_some() && self.ids.is_none())?;
        let truth = self.truth(&records, &statements, &mut questions, json)?;
        let mut report = report::Report::new(json, &opened, self.k);
        if self.ranges {
            let settings = &self.settings;
            return ranges::measure(
                (&opened, &statements),
                (&records, &truth),
                &questions,
                settings,
                &mut report,
            );
        }
        let searches = Searches::new(&statements, self.k);
        let mut engines: Vec<&dyn Engine> = vec![&statements];
        if self.queries.is_some() {
            engines.insert(0, &searches);
        }
        let bar = progress::bar((engines.len() * self.settings.len()) as u64, "settings", json);
        for engine in engines {
            for setting in &self.settings {
                bar.set_message(format!("{} {setting}", engine.name()));
                let pace = speed::Pace { threads: self.threads.into(), repeat: self.repeat.into() };
                let measured = speed::measure(engine, *setting, &questions, pace)?;
                let recall = truth.recall(&records.numbers(&measured.answers)?);
                bar.suspend(|| report.speed(engine.name(), *setting, recall, &measured, pace.threads));
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        report.finish();
        Ok(Outcome::Done)
    }

    fn questions(&self) -> Result<Questions, Failure> {
        let mut questions = match (&self.queries, &self.texts) {
            (Some(path), _) => Questions::vectors(path)?,
            (None, Some(path)) => Questions::texts(path)?,
            (None, None) => return Err(Failure::wrong_use("name the questions with --queries or --texts")),
        };
        questions.truncate(self.queries_limit.map_or(usize::MAX, |limit| limit as usize));
        match questions.is_empty() {
            true => Err(Failure::wrong_use("there is no question in the file")),
            false => Ok(questions),
        }
    }

    /// From a file, which may be about fewer questions, or by an exact search.
    fn truth(
        &self,
        records: &Records,
        statements: &Statements<'_>,
        questions: &mut Questions,
        json: bool,
    ) -> Result<Truth, Failure> {
        let Some(path) = &self.truth else {
            let bar = progress::bar(questions.len() as u64, "exact answers", json);
            let truth = Truth::exact(records, statements, questions, &|| bar.inc(1))?;
            bar.finish_and_clear();
            return Ok(truth);
        };
        let truth = Truth::read(path, self.ids.as_deref(), records, self.k as usize)?;
        questions.truncate(truth.len());
        Ok(truth)
    }
}
