//! Which record is which: numbers for all of them, the truth in these numbers, and recall.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use portolan::{
    native::vectors::read_integers,
    plan::Plan,
    router::{Fanout, NearRow, ResultRow},
    schema::Value,
};
use serde_json::Value as Json;

use super::{
    engine::{Answer, Engine, Setting, Statements},
    files::Opened,
    questions::{Questions, lines},
};
use crate::outcome::Failure;

/// Two records of one id in different collections, of which --ids cannot mean one.
const TWICE: u32 = u32::MAX;

/// The records that can be found, numbered by collection and id.
pub struct Records {
    /// By collection, then by id.
    numbers: HashMap<String, HashMap<String, u32>>,
    /// By their `_position`, where that was asked for.
    positions: BTreeMap<i64, u32>,
    /// The first numbers of the collections, in the order of FROM: their records are numbered in the order of their rows.
    starts: Vec<u32>,
}

impl Records {
    /// Numbers all records of the collections that `from` names.
    pub fn of(opened: &Opened, from: &str, by_position: bool) -> Result<Self, Failure> {
        let column = if by_position { ", metadata._position" } else { "" };
        let sql = format!("SELECT id{column} FROM {from}");
        let plan = Plan::parse(&sql).map_err(|error| Failure::statement(error, &sql))?;
        let found = Fanout::new(opened.catalog.clone(), plan)?.run(&opened.files)?;
        if by_position && found.asked() > 1 {
            return Err(Failure::wrong_use(
                "--truth counts records, and _position counts those of one collection; say with --ids which records it means",
            ));
        }
        let (mut numbers, mut positions) = (HashMap::<_, HashMap<_, _>>::new(), BTreeMap::new());
        let (mut starts, mut last) = (Vec::new(), None);
        for (number, row) in (0..).zip(found.rows) {
            if let Some(Value::Int(position)) = row.cells.get(1) {
                positions.insert(*position, number);
            }
            let (collection, id) = key(row)?;
            if last.as_ref() != Some(&collection) {
                starts.push(number);
                last = Some(collection.clone());
            }
            numbers.entry(collection).or_default().insert(id, number);
        }
        Ok(Self { numbers, positions, starts })
    }

    /// The numbers of the records that were found.
    pub fn numbers(&self, answers: &[Answer]) -> Result<Vec<Vec<u32>>, Failure> {
        let of = |answer: &Answer| match answer {
            Answer::Rows(result) => result.rows.iter().map(|row| self.number(row)).collect(),
            Answer::Near(rows) => rows.iter().map(|row| self.place(row)).collect(),
        };
        answers.iter().map(of).collect()
    }

    fn place(&self, near: &NearRow) -> Result<u32, Failure> {
        let number = self.starts.get(near.collection).map(|start| start + near.row as u32);
        number.ok_or_else(|| Failure::wrong_use("an answer has a row that stands for no record"))
    }

    fn number(&self, row: &ResultRow) -> Result<u32, Failure> {
        let number = || self.numbers.get(row.collection.as_deref()?)?.get(row.id.as_deref()?);
        number().copied().ok_or_else(|| Failure::wrong_use("an answer has a row that stands for no record"))
    }

    /// By id alone; [`TWICE`] where several collections have it.
    fn by_id(&self) -> HashMap<&str, u32> {
        let mut all = HashMap::new();
        for (id, number) in self.numbers.values().flatten() {
            all.entry(id.as_str()).and_modify(|held| *held = TWICE).or_insert(*number);
        }
        all
    }
}

fn key(row: ResultRow) -> Result<(String, String), Failure> {
    row.collection.zip(row.id).ok_or_else(|| Failure::wrong_use("--from names something without records"))
}

/// The nearest records of each question.
pub struct Truth(Vec<Vec<u32>>);

impl Truth {
    /// By an exact search on all processors.
    pub fn exact(
        records: &Records,
        statements: &Statements<'_>,
        questions: &Questions,
        done: &(dyn Fn() + Sync),
    ) -> Result<Self, Failure> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let answers = super::speed::spread(threads, questions.len(), &|number| {
            let answer = statements.ask(questions, number, Setting::Exact);
            done();
            answer
        })?;
        Ok(Self(records.numbers(&answers)?))
    }

    /// From a file of the numbers of records: of those on the lines of `ids`, or of positions.
    pub fn read(path: &Path, ids: Option<&Path>, records: &Records, k: usize) -> Result<Self, Failure> {
        let rows = read_integers(path).map_err(portolan::Error::from)?;
        let named = ids.map(|ids| named(ids, records)).transpose()?;
        let number = |&number: &i64| match &named {
            Some(named) => usize::try_from(number).ok().and_then(|place| named.get(place)).copied().flatten(),
            None => records.positions.get(&number).copied(),
        };
        let row = |row: &Vec<i64>| {
            // Fewer than the others may match; the rest is filled with numbers below 0.
            row.iter().filter(|number| **number >= 0).take(k).map(|n| number(n).ok_or(*n)).collect()
        };
        let truth: Result<Vec<_>, i64> = rows.iter().map(row).collect();
        match truth {
            Ok(truth) if rows.iter().all(|row| row.len() >= k) => Ok(Self(truth)),
            Ok(_) => Err(Failure::wrong_use(format!(
                "{}: it knows fewer than {k} nearest records",
                path.display()
            ))),
            Err(missing) => Err(Failure::wrong_use(format!(
                "{}: record {missing} is not among those that are asked, or its id is in several collections; \
                 --ids says which records the numbers mean",
                path.display()
            ))),
        }
    }

    /// For how many questions it is known.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The share of the true nearest records that was found, over all questions.
    pub fn recall(&self, found: &[Vec<u32>]) -> f64 {
        let hits =
            |(truth, found): (&Vec<u32>, &Vec<u32>)| truth.iter().filter(|t| found.contains(t)).count();
        let wanted: usize = self.0.iter().take(found.len()).map(Vec::len).sum();
        match wanted {
            0 => 1.0,
            _ => self.0.iter().zip(found).map(hits).sum::<usize>() as f64 / wanted as f64,
        }
    }
}

/// The record on each line of a file of ids, or of JSON lines with ids; none where it is not asked.
fn named(path: &Path, records: &Records) -> Result<Vec<Option<u32>>, Failure> {
    let by_id = records.by_id();
    let number = |line: String| {
        let json = if line.starts_with('{') { serde_json::from_str::<Json>(&line).ok() } else { None };
        let id = json.as_ref().map_or(line.trim(), |json| json["id"].as_str().unwrap_or_default());
        by_id.get(id).copied().filter(|number| *number != TWICE)
    };
    Ok(lines(path)?.into_iter().map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_counts_what_is_there_to_be_found() {
        let truth = Truth(vec![vec![1, 2], vec![3], vec![]]);
        assert_eq!(truth.recall(&[vec![2, 9], vec![3, 4], vec![]]), 2.0 / 3.0);
        assert_eq!(truth.recall(&[vec![1, 2]]), 1.0);
        assert_eq!(truth.recall(&[]), 1.0);
    }
}
