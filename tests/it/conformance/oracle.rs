//! The brute-force oracle: a question as a JSON object, not as SQL, and its answer by looking at every record.
//!
//! `from`, `except` (names, with `*` at the end for all that begin so), `where` (see `condition`), `near` (a vector) or
//! `batch` (several), `topk`, `limit`, `offset`, `similarity`, `threshold`, `duplicates` (`"nearest"`), `mmr`
//! (`{"lambda", "candidates"}`), `fuse` (k), `group` (fields), `top`, `order` (`{"by", "desc", "nulls"}`), `select`
//! (fields, `"*"`, or `{"as", "of"}`). Expressions: a number, a field, `["+" | "-" | "*" | "/", a, b]`, `["neg", a]`,
//! `["count", "*"]`, `["count" | "min" | "max" | "sum" | "avg", field]`.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::{
    condition,
    data::{Collection, World},
    expression::{Scope, columns, evaluate, field},
    rank::{Doubt, Hit, Ranking, all_rows, first_of_each_id},
    value::{Datum, order_with_nulls},
};

/// What the engine should answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
    /// For a BATCH without FUSE: the number of rows of each item.
    pub sets: Option<Vec<usize>>,
}

/// One row of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// `None` for a row that stands for a group.
    pub collection: Option<String>,
    pub id: Option<String>,
    pub item: Option<usize>,
    pub distance: Option<f64>,
    pub score: Option<f64>,
    pub cells: Vec<Json>,
}

/// A question and where it is asked.
pub struct Oracle<'w> {
    world: &'w World,
    ask: &'w Json,
}

/// A row that is going to be shown: a record, a group, or a record of a group.
struct Shown<'w> {
    hit: Option<Hit<'w>>,
    group: Vec<Hit<'w>>,
}

impl<'w> Oracle<'w> {
    pub fn new(world: &'w World, ask: &'w Json) -> Self {
        Self { world, ask }
    }

    /// The answer.
    pub fn answer(&self) -> Result<Answer, Doubt> {
        let probes = self.probes();
        let batch = self.ask["batch"].is_array() && self.ask["fuse"].is_null();
        let columns = columns(&self.ask["select"], !probes.is_empty(), batch);
        let matching = self.matching();
        let mut answer =
            Answer { columns: columns.iter().map(|(name, _)| name.clone()).collect(), ..Answer::default() };
        let mut sets = Vec::new();
        for rows in self.row_sets(matching, &probes, batch)? {
            let shown = self.shown(rows, &columns)?;
            sets.push(shown.len());
            answer.rows.extend(shown.iter().map(|shown| self.row(shown, &columns)));
        }
        if batch {
            let mut first = 0;
            for (item, count) in sets.iter().enumerate() {
                answer.rows[first..first + count].iter_mut().for_each(|row| row.item = Some(item));
                first += count;
            }
            answer.sets = Some(sets);
        }
        Ok(answer)
    }

    /// The collections, in the order in which they are asked.
    fn from(&self) -> Vec<&'w Collection> {
        let texts = |key: &str| -> Vec<&str> {
            self.ask[key].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect()
        };
        let fits = |pattern: &str, name: &str| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == pattern,
        };
        let mut asked: Vec<&'w Collection> = Vec::new();
        for pattern in texts("from") {
            for collection in &self.world.collections {
                let excepted = texts("except").iter().any(|pattern| fits(pattern, &collection.name));
                let known = asked.iter().any(|known| known.name == collection.name);
                if fits(pattern, &collection.name) && !excepted && !known {
                    asked.push(collection);
                }
            }
        }
        assert!(!asked.is_empty(), "nothing is asked: {}", self.ask);
        asked
    }

    fn matching(&self) -> Vec<Hit<'w>> {
        let mut rows = all_rows(&self.from());
        if !self.ask["where"].is_null() {
            rows.retain(|hit| condition::truth(&self.ask["where"], &|name| field(hit, name)) == Some(true));
        }
        rows
    }

    fn probes(&self) -> Vec<Vec<f64>> {
        let vector =
            |json: &Json| json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<_>>();
        match (&self.ask["near"], &self.ask["batch"]) {
            (Json::Null, Json::Array(items)) => items.iter().map(vector).collect(),
            (Json::Null, _) => Vec::new(),
            (one, _) => vec![vector(one)],
        }
    }

    fn number(&self, key: &str) -> Option<usize> {
        self.ask[key].as_u64().map(|number| number as usize)
    }

    fn ranking(&self) -> Ranking {
        let topk = self.number("topk").unwrap_or(10);
        let mmr = &self.ask["mmr"];
        let topk =
            self.number("limit").map_or(topk, |limit| topk.max(limit + self.number("offset").unwrap_or(0)));
        Ranking {
            topk,
            similarity: self.ask["similarity"].as_str().map(String::from),
            threshold: self.ask["threshold"].as_f64(),
            keep_nearest: self.ask["duplicates"] == "nearest",
            mmr: mmr["lambda"].as_f64().map(|l| (l, mmr["candidates"].as_u64().unwrap_or(0) as usize)),
            rrf_k: self.ask["fuse"].as_f64().unwrap_or(60.0),
        }
    }

    /// The ranked rows: one set, or one for each item of a batch.
    fn row_sets(
        &self,
        matching: Vec<Hit<'w>>,
        probes: &[Vec<f64>],
        batch: bool,
    ) -> Result<Vec<Vec<Hit<'w>>>, Doubt> {
        if probes.is_empty() {
            return Ok(vec![matching]);
        }
        let ranking = self.ranking();
        let of_item = |(item, probe): (usize, &Vec<f64>)| {
            let lists = ranking.lists(&self.from(), &matching, probe)?;
            let mut rows = match lists.as_slice() {
                [one] => one.clone(),
                several => ranking.fuse(several)?,
            };
            rows.iter_mut().for_each(|hit| hit.item = batch.then_some(item));
            Ok(rows)
        };
        let sets: Vec<Vec<Hit<'w>>> = probes.iter().enumerate().map(of_item).collect::<Result<_, Doubt>>()?;
        Ok(if self.ask["fuse"].is_null() { sets } else { vec![ranking.fuse(&sets)?] })
    }

    /// Groups, order, and the cut.
    fn shown(&self, mut rows: Vec<Hit<'w>>, columns: &[(String, Json)]) -> Result<Vec<Shown<'w>>, Doubt> {
        let aggregated = columns.iter().any(|(_, value)| Scope::needs_group(value));
        let filter_keeps_nearest = self.ask["duplicates"] == "nearest" && self.probes().is_empty();
        if filter_keeps_nearest && (aggregated || self.ask["group"].is_array()) {
            // Groups are made of the rows that survive.
            rows = first_of_each_id(rows);
        }
        let mut shown = if self.ask["group"].is_array() {
            self.groups(rows)
        } else if aggregated {
            vec![Shown { hit: None, group: rows }]
        } else {
            rows.into_iter().map(|hit| Shown { hit: Some(hit), group: Vec::new() }).collect()
        };
        self.sort(&mut shown);
        if filter_keeps_nearest {
            let kept = first_of_each_id(shown.iter().filter_map(|shown| shown.hit).collect());
            let is_kept = |hit: &Hit<'_>| kept.iter().any(|kept| std::ptr::eq(kept.record, hit.record));
            shown.retain(|shown| shown.hit.as_ref().is_none_or(is_kept));
        }
        shown.drain(..self.number("offset").unwrap_or(0).min(shown.len()));
        shown.truncate(self.number("limit").unwrap_or(usize::MAX));
        Ok(shown)
    }

    fn groups(&self, rows: Vec<Hit<'w>>) -> Vec<Shown<'w>> {
        let keys = self.ask["group"].as_array().unwrap();
        let key = |hit: &Hit<'_>| -> Vec<Datum> {
            keys.iter().map(|name| field(hit, name.as_str().unwrap())).collect()
        };
        let compare = |a: &[Datum], b: &[Datum]| -> Ordering {
            let orders = a.iter().zip(b).map(|(a, b)| order_with_nulls(a, b, false, false));
            orders.fold(Ordering::Equal, Ordering::then)
        };
        let mut groups: Vec<(Vec<Datum>, Vec<Hit<'w>>)> = Vec::new();
        for hit in rows {
            let own = key(&hit);
            match groups.iter_mut().find(|(key, _)| compare(key, &own).is_eq()) {
                Some((_, members)) => members.push(hit),
                None => groups.push((own, vec![hit])),
            }
        }
        if self.probes().is_empty() {
            groups.sort_by(|(a, _), (b, _)| compare(a, b));
        }
        let Some(top) = self.number("top") else {
            return groups.into_iter().map(|(_, group)| Shown { hit: None, group }).collect();
        };
        let best = |group: Vec<Hit<'w>>| -> Vec<Shown<'w>> {
            group.iter().take(top).map(|hit| Shown { hit: Some(*hit), group: group.clone() }).collect()
        };
        groups.into_iter().flat_map(|(_, group)| best(group)).collect()
    }

    fn sort(&self, shown: &mut [Shown<'w>]) {
        let Some(keys) = self.ask["order"].as_array() else { return };
        shown.sort_by(|a, b| {
            let by_keys = keys.iter().map(|key| {
                let (a, b) = (evaluate(&key["by"], &a.scope()), evaluate(&key["by"], &b.scope()));
                order_with_nulls(&a, &b, key["desc"] == true, key["nulls"] == "first")
            });
            let order = by_keys.fold(Ordering::Equal, Ordering::then);
            order.then_with(|| match (&a.hit, &b.hit) {
                (Some(a), Some(b)) => a.by_distance(b),
                // Groups stay in their own order.
                _ => Ordering::Equal,
            })
        });
    }

    fn row(&self, shown: &Shown<'w>, columns: &[(String, Json)]) -> Row {
        let cells = columns.iter().map(|(_, value)| evaluate(value, &shown.scope()).to_json()).collect();
        let hit = shown.hit.as_ref();
        Row {
            collection: hit.map(|hit| hit.collection.name.clone()),
            id: hit.map(|hit| hit.record.id.clone()),
            item: hit.and_then(|hit| hit.item),
            distance: hit.and_then(|hit| hit.distance),
            score: hit.and_then(|hit| hit.score),
            cells,
        }
    }
}

impl<'w> Shown<'w> {
    fn scope(&self) -> Scope<'_, 'w> {
        // The keys of a group are the same in all of its rows.
        Scope { hit: self.hit.as_ref().or(self.group.first()), group: &self.group }
    }
}

/// Worked out by hand from the seven records of `my-notes`.
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cells(ask: Json) -> Json {
        let world = World::load();
        let answer = Oracle::new(&world, &ask).answer().unwrap();
        answer.rows.iter().map(|row| json!(row.cells)).collect()
    }

    #[test]
    fn conditions_keep_what_is_true_in_the_order_of_ids() {
        let flagged =
            |condition: Json| cells(json!({"from": ["my-notes"], "select": ["id"], "where": condition}));
        let is_true = json!(["=", "metadata.flag", true]);
        assert_eq!(flagged(is_true.clone()), json!([["dup-01"], ["say \"hi\""]]));
        assert_eq!(flagged(json!(["not", is_true])), json!([["a%b"], ["Ünïcode"]]));
        let null = flagged(json!(["null", "metadata.flag"]));
        assert_eq!(null, json!([["a_b"], ["back\\slash"], ["it's"]]));
    }

    #[test]
    fn order_puts_nulls_last_and_cuts_afterwards() {
        let ask = |order: Json| json!({"from": ["my-notes"], "select": ["id"], "order": [order], "limit": 3, "offset": 1});
        let ascending = cells(ask(json!({"by": "metadata.num"})));
        assert_eq!(ascending, json!([["dup-01"], ["a%b"], ["a_b"]]));
        let nulls_first = cells(ask(json!({"by": "metadata.num", "desc": true, "nulls": "first"})));
        assert_eq!(nulls_first, json!([["it's"], ["Ünïcode"], ["a_b"]]));
    }

    #[test]
    fn groups_go_by_key_and_aggregates_skip_nulls() {
        let select = json!(["metadata.flag", {"as": "n", "of": ["count", "*"]}, {"as": "s", "of": ["sum", "metadata.x.y"]}]);
        let groups = cells(json!({"from": ["my-notes"], "select": select, "group": ["metadata.flag"]}));
        assert_eq!(groups, json!([[false, 2, -5], [true, 2, 1], [null, 3, null]]));
        let top = json!({"from": ["my-notes"], "select": ["id"], "group": ["metadata.flag"], "top": 1});
        assert_eq!(cells(top), json!([["a%b"], ["dup-01"], ["a_b"]]));
    }

    #[test]
    fn aggregates_of_nothing_are_one_row() {
        let select = json!([{"as": "n", "of": ["count", "*"]}, {"as": "m", "of": ["max", "id"]}]);
        let nothing = json!(["=", "id", "nowhere"]);
        let answer = cells(json!({"from": ["my-notes", "dots"], "select": select, "where": nothing}));
        assert_eq!(answer, json!([[0, null]]));
    }

    #[test]
    fn a_batch_is_one_set_after_another() {
        let world = World::load();
        let unit = |at: usize| (0..8).map(|i| f64::from(u8::from(i == at))).collect::<Vec<_>>();
        let ask = json!({"from": ["my-notes", "shelf.rare"], "select": ["item"], "batch": [unit(0), unit(1)], "topk": 3});
        let answer = Oracle::new(&world, &ask).answer().unwrap();
        assert_eq!(answer.sets, Some(vec![3, 3]));
        let items: Vec<_> = answer.rows.iter().map(|row| row.item.unwrap()).collect();
        assert_eq!(items, [0, 0, 0, 1, 1, 1]);
    }
}
