//! Draws random questions about a world: every clause with every other that the language lets stand beside it.
//!
//! What two programs may round differently is not drawn: order by sums of huge numbers, quotients of rounded distances.

use serde_json::{Value as Json, json};

use super::{
    conditions::Tests,
    data::{Collection, World},
    question::{Clause, Question},
    random::{Dice, field_sql, name, vector},
};

/// Draws questions about a world.
pub struct Questions<'w> {
    pub world: &'w World,
    pub dice: Dice,
}

/// What has been decided of a question while it is drawn.
struct Draft<'w> {
    asked: Vec<&'w Collection>,
    /// Paths of metadata that an asked collection has.
    paths: Vec<String>,
    search: bool,
    batch: bool,
    fused: bool,
    /// Cosines are compared, which no two programs round alike.
    rounded: bool,
    /// Several spaces.
    mixed: bool,
    scored: bool,
    grouped: bool,
    top: bool,
    keys: Vec<String>,
    /// Output columns: alias and what it stands for.
    aliases: Vec<(String, Json)>,
    values: Vec<Json>,
}

impl<'w> Questions<'w> {
    /// A question.
    pub fn draw(&mut self) -> Question {
        let (from, from_ask, asked) = self.from();
        let mut draft = Draft {
            paths: paths(&asked),
            asked,
            search: self.dice.one_in(2),
            batch: false,
            fused: false,
            rounded: false,
            mixed: false,
            scored: false,
            grouped: self.dice.one_in(3),
            top: false,
            keys: Vec::new(),
            aliases: Vec::new(),
            values: Vec::new(),
        };
        let mut clauses = Vec::new();
        if draft.search {
            self.search(&mut draft, &mut clauses);
        }
        if draft.grouped {
            self.group(&mut draft, &mut clauses);
        }
        let items = self.select(&mut draft);
        if !self.dice.one_in(3) {
            self.order(&draft, &mut clauses);
        }
        self.cuts(&mut draft, &mut clauses);
        let mut tests = Tests::new(&mut self.dice, &draft.asked, &draft.paths, &mut draft.values);
        let filter = (!tests.dice.one_in(3)).then(|| tests.condition(3));
        let document = tests.dice.one_in(8).then(|| tests.document(2));
        for at in (1..clauses.len()).rev() {
            clauses.swap(at, self.dice.below(at + 1));
        }
        let named = self.dice.one_in(2);
        Question { items, from, from_ask, filter, document, clauses, values: draft.values, named }
    }

    /// FROM: names and patterns, and the collections that they mean.
    fn from(&mut self) -> (String, Vec<(&'static str, Json)>, Vec<&'w Collection>) {
        let all = &self.world.collections;
        let mut names: Vec<String> = (0..self.dice.below(3) + 1)
            .map(|_| {
                let one = &self.dice.pick(all).name;
                match self.dice.below(8) {
                    0 => "*".into(),
                    1 => one.chars().take(1 + self.dice.below(3)).chain(['*']).collect(),
                    _ => one.clone(),
                }
            })
            .collect();
        if self.dice.one_in(4) {
            names = vec!["*".into()];
        }
        let mut except = Vec::new();
        if self.dice.one_in(5) && all.len() > 1 {
            except.push(self.dice.pick(all).name.clone());
        }
        let fits = |pattern: &String, collection: &Collection| match pattern.strip_suffix('*') {
            Some(prefix) => collection.name.starts_with(prefix),
            None => collection.name == *pattern,
        };
        let is_asked = |collection: &&Collection| {
            names.iter().any(|pattern| fits(pattern, collection))
                && !except.iter().any(|pattern| fits(pattern, collection))
        };
        let mut asked: Vec<&Collection> = all.iter().filter(is_asked).collect();
        if asked.is_empty() {
            (names, except) = (vec!["*".into()], Vec::new());
            asked = all.iter().collect();
        }
        let sql = |names: &[String]| names.iter().map(|name| pattern(name)).collect::<Vec<_>>().join(", ");
        let mut text = sql(&names);
        let mut ask = vec![("from", json!(names))];
        if !except.is_empty() {
            text += &format!(" EXCEPT {}", sql(&except));
            ask.push(("except", json!(except)));
        }
        (text, ask, asked)
    }

    /// USING EMBEDDING and all that needs it.
    fn search(&mut self, draft: &mut Draft<'w>, clauses: &mut Vec<Clause>) {
        let mut metrics: Vec<&str> = draft.asked.iter().map(|one| one.metric.as_str()).collect();
        // Cosines of small whole numbers are equal for many directions, but not in single precision.
        if !metrics.contains(&"cosine") && self.dice.one_in(4) {
            let metric = *self.dice.pick(&["l2", "ip"]);
            metrics = vec![metric];
            put(clauses, format!("SIMILARITY {}", metric.to_uppercase()), "similarity", json!(metric));
        }
        metrics.sort_unstable();
        metrics.dedup();
        draft.mixed = metrics.len() > 1;
        draft.rounded = metrics.contains(&"cosine");
        draft.batch = self.dice.one_in(3);
        self.probes(draft, clauses, metrics[0]);
        let topk = [1, 2, 5, 20, 100, 5000][self.dice.below(6)];
        if !self.dice.one_in(4) {
            let number = self.parameter(draft, json!(topk), topk.to_string());
            put(clauses, format!("TOPK {number}"), "topk", json!(topk));
        }
        draft.fused = draft.batch && self.dice.one_in(2);
        if draft.fused {
            let k = *self.dice.pick(&[60.0, 1.0, 0.5]);
            let written = self.parameter(draft, json!(k), format!("{k}"));
            let sql = if k == 60.0 { String::new() } else { format!("({written})") };
            put(clauses, format!("FUSE BY RRF {sql}"), "fuse", json!(k));
        } else if !draft.mixed && self.dice.one_in(4) {
            self.mmr(draft, clauses);
        }
        if !draft.mixed && self.dice.one_in(5) {
            let threshold = if draft.rounded {
                self.dice.below(40) as f64 / 20.0
            } else {
                self.dice.below(60) as f64 - 9.5
            };
            let number = self.parameter(draft, json!(threshold), format!("{threshold:?}"));
            put(clauses, format!("WITH SCORE THRESHOLD {number}"), "threshold", json!(threshold));
        }
        if self.dice.one_in(9) {
            put(clauses, "RECALL 0.9".into(), "", Json::Null);
        }
        if self.dice.one_in(9) {
            put(clauses, "CANDIDATES 7".into(), "", Json::Null);
        }
    }

    fn probes(&mut self, draft: &mut Draft<'w>, clauses: &mut Vec<Clause>, metric: &str) {
        let count = if draft.batch { 1 + self.dice.below(3) } else { 1 };
        let vectors: Vec<Vec<f64>> = (0..count).map(|_| vector(&mut self.dice, metric)).collect();
        let mut written = Vec::new();
        for vector in &vectors {
            let text = json!(vector).to_string();
            let param = if self.dice.one_in(2) { json!({"vector": vector}) } else { json!(vector) };
            written.push(format!("VECTOR {}", self.parameter(draft, param, text)));
        }
        let batch = if draft.batch { "BATCH " } else { "" };
        let sql = format!("USING EMBEDDING {batch}({})", written.join(", "));
        let ask = if draft.batch { json!(vectors) } else { json!(vectors[0]) };
        put(clauses, sql, if draft.batch { "batch" } else { "near" }, ask);
    }

    fn mmr(&mut self, draft: &mut Draft<'w>, clauses: &mut Vec<Clause>) {
        draft.scored = true;
        let lambda = *self.dice.pick(&[0.0, 0.25, 0.5, 0.75, 1.0]);
        let candidates = [1, 5, 30, 200][self.dice.below(4)];
        let (sql, ask) = match self.dice.below(4) {
            0 => (String::new(), json!({"lambda": 0.5})),
            1 => (format!("({lambda})"), json!({"lambda": lambda})),
            2 => (format!("({lambda}, {candidates})"), json!({"lambda": lambda, "candidates": candidates})),
            _ => (
                format!("(candidates = {candidates}, lambda = {lambda})"),
                json!({"lambda": lambda, "candidates": candidates}),
            ),
        };
        put(clauses, format!("RERANK BY MMR {sql}"), "mmr", ask);
    }

    fn group(&mut self, draft: &mut Draft<'w>, clauses: &mut Vec<Clause>) {
        if self.dice.one_in(5) {
            return;
        }
        for _ in 0..self.dice.below(3) + 1 {
            let key = self.any_field(draft);
            let unsure = key == "score" && (draft.rounded || draft.fused);
            if !unsure && !["metadata", "embedding"].contains(&key.as_str()) && !draft.keys.contains(&key) {
                draft.keys.push(key);
            }
        }
        if draft.keys.is_empty() {
            draft.keys.push("collection".into());
        }
        let keys: Vec<String> = draft.keys.iter().map(|key| field_sql(&mut self.dice, key)).collect();
        let mut sql = format!("GROUP BY {}", keys.join(", "));
        draft.top = self.dice.one_in(3);
        if draft.top {
            let top = 1 + self.dice.below(3);
            let number = self.parameter(draft, json!(top), top.to_string());
            sql += &format!(" TOP {number}");
            put(clauses, String::new(), "top", json!(top));
        }
        put(clauses, sql, "group", json!(draft.keys));
    }

    fn select(&mut self, draft: &mut Draft<'w>) -> Vec<(String, Json)> {
        let (mut items, mut named) = (Vec::new(), Vec::new());
        let single = draft.grouped && !draft.top;
        if !single && self.dice.one_in(4) {
            items.push(("*".into(), json!("*")));
            named = ["collection", "item", "id", "distance", "document", "metadata"].map(String::from).into();
        }
        for number in 0..self.dice.below(4) + usize::from(items.is_empty()) {
            let value = self.scalar(draft, 2, draft.grouped);
            let bare = value.as_str().map(String::from);
            let sql = self.scalar_sql(&value);
            match bare {
                Some(field) if !named.contains(&field) && !self.dice.one_in(4) => {
                    named.push(field);
                    items.push((sql, value));
                }
                _ => {
                    let alias = format!("c{number}");
                    items.push((format!("{sql} AS {alias}"), json!({"as": alias, "of": value})));
                    draft.aliases.push((alias, value));
                }
            }
        }
        if draft.grouped && draft.keys.is_empty() {
            // Without GROUP BY it is the aggregate that makes one group.
            items.push(("COUNT(*) AS rows".into(), json!({"as": "rows", "of": ["count", "*"]})));
        }
        items
    }

    fn order(&mut self, draft: &Draft<'w>, clauses: &mut Vec<Clause>) {
        let (mut written, mut ask) = (Vec::new(), Vec::new());
        for _ in 0..self.dice.below(3) + 1 {
            let (mut sql, value) = match draft.aliases.is_empty() || self.dice.one_in(2) {
                true => {
                    let value = self.scalar(draft, 1, draft.grouped);
                    (self.scalar_sql(&value), value)
                }
                false => {
                    let (alias, value) = self.dice.pick(&draft.aliases).clone();
                    (alias, value)
                }
            };
            if !orderable(&value, draft) {
                continue;
            }
            let (desc, nulls) = (self.dice.one_in(2), self.dice.below(4));
            sql += if desc { " DESC" } else { "" };
            sql += ["", "", " NULLS FIRST", " NULLS LAST"][nulls];
            written.push(sql);
            ask.push(json!({"by": value, "desc": desc, "nulls": if nulls == 2 { "first" } else { "last" }}));
        }
        if !written.is_empty() {
            put(clauses, format!("ORDER BY {}", written.join(", ")), "order", json!(ask));
        }
    }

    fn cuts(&mut self, draft: &mut Draft<'w>, clauses: &mut Vec<Clause>) {
        if self.dice.one_in(2) {
            let limit = [0, 1, 2, 3, 10, 60, 4000][self.dice.below(7)];
            let number = self.parameter(draft, json!(limit), limit.to_string());
            put(clauses, format!("LIMIT {number}"), "limit", json!(limit));
        }
        if self.dice.one_in(5) {
            let offset = [0, 1, 3, 20, 500][self.dice.below(5)];
            let number = self.parameter(draft, json!(offset), offset.to_string());
            put(clauses, format!("OFFSET {number}"), "offset", json!(offset));
        }
        if self.dice.one_in(5) {
            put(clauses, "ON DUPLICATE ID KEEP NEAREST".into(), "duplicates", json!("nearest"));
        }
    }

    /// A field that rows of the statement have.
    fn any_field(&mut self, draft: &Draft<'w>) -> String {
        let mut fields = vec!["id", "document", "collection"];
        fields.extend(draft.search.then_some("distance"));
        fields.extend((draft.scored || draft.fused).then_some("score"));
        fields.extend((draft.batch && !draft.fused).then_some("item"));
        match self.dice.below(3) {
            0 => (*self.dice.pick(&fields)).into(),
            _ if draft.paths.is_empty() => "id".into(),
            _ if draft.paths.iter().any(|path| path.starts_with("deep.")) && self.dice.one_in(12) => {
                "metadata.deep".into()
            }
            _ => format!("metadata.{}", self.dice.pick(&draft.paths)),
        }
    }

    /// A value of SELECT or ORDER BY, as the oracle reads it.
    fn scalar(&mut self, draft: &Draft<'w>, depth: usize, aggregates: bool) -> Json {
        if depth > 0 && self.dice.one_in(4) {
            let of = |questions: &mut Self| questions.number(draft, depth - 1, aggregates);
            return match self.dice.below(5) {
                0 => json!(["neg", of(self)]),
                at => {
                    let operator = ["+", "-", "*", "/"][at - 1];
                    let (left, right) = (of(self), of(self));
                    let text = format!("{left} {right}");
                    let unsure = draft.rounded
                        && "/*".contains(operator)
                        && (text.contains("distance") || text.contains("score"));
                    json!([
                        operator,
                        if unsure { json!(2) } else { left },
                        if unsure { json!(2) } else { right }
                    ])
                }
            };
        }
        if aggregates && (draft.keys.is_empty() || self.dice.one_in(2)) {
            return self.aggregate(draft);
        }
        if draft.grouped && !draft.top {
            return json!(self.dice.pick(&draft.keys));
        }
        match self.dice.below(12) {
            0 => json!("metadata"),
            1 => json!("embedding"),
            _ => json!(self.any_field(draft)),
        }
    }

    /// What can be calculated with.
    fn number(&mut self, draft: &Draft<'w>, depth: usize, aggregates: bool) -> Json {
        if self.dice.one_in(4) {
            return [json!(2), json!(0), json!(0.5), json!(-3)][self.dice.below(4)].clone();
        }
        let value = self.scalar(draft, depth, aggregates);
        let name = value.as_str().or_else(|| {
            value[1].as_str().filter(|_| ["min", "max"].contains(&value[0].as_str().unwrap_or_default()))
        });
        match name {
            Some("id" | "document" | "collection" | "metadata" | "embedding") => json!(1),
            _ => value,
        }
    }

    fn aggregate(&mut self, draft: &Draft<'w>) -> Json {
        let function = *self.dice.pick(&["count", "count", "min", "max", "sum", "avg"]);
        let field = self.any_field(draft);
        let numbers =
            field.starts_with("metadata.") || ["distance", "score", "item"].contains(&field.as_str());
        match function {
            "count" if self.dice.one_in(2) => json!(["count", "*"]),
            "sum" | "avg" if !numbers => json!(["count", field]),
            _ => json!([function, field]),
        }
    }

    fn scalar_sql(&mut self, value: &Json) -> String {
        match value {
            Json::String(field) => field_sql(&mut self.dice, field),
            Json::Array(parts) => match (parts[0].as_str().unwrap(), &parts[1..]) {
                ("neg", [inner]) => format!("- ({})", self.scalar_sql(inner)),
                (operator, [left, right]) => {
                    let (left, right) = (self.scalar_sql(left), self.scalar_sql(right));
                    format!("(({left}) {operator} ({right}))")
                }
                (function, [of]) => {
                    let of = if of == "*" { "*".into() } else { self.scalar_sql(of) };
                    format!("{}({of})", function.to_uppercase())
                }
                _ => panic!("not a value: {value}"),
            },
            number => number.to_string(),
        }
    }

    /// A value as it is written, or as a parameter.
    fn parameter(&mut self, draft: &mut Draft<'w>, value: Json, written: String) -> String {
        if self.dice.one_in(3) {
            draft.values.push(value);
            return format!("\u{1}{}\u{2}", draft.values.len() - 1);
        }
        written
    }
}

fn put(clauses: &mut Vec<Clause>, sql: String, key: &'static str, ask: Json) {
    clauses.push(Clause { sql, key, ask });
}

fn pattern(name_or_prefix: &str) -> String {
    match name_or_prefix.strip_suffix('*') {
        None => name(name_or_prefix),
        Some("") => "*".into(),
        Some(prefix) => match prefix.strip_suffix('.') {
            Some(group) => format!("{}.*", name(group)),
            None => format!("{}*", name(prefix)),
        },
    }
}

/// Whether rows have an order by this value that does not hang on roundings.
fn orderable(value: &Json, draft: &Draft<'_>) -> bool {
    let text = value.to_string();
    let rounded =
        draft.rounded || text.contains("wide") || text.contains("big") || draft.fused || draft.mixed;
    let of_distance = ["distance", "score", "wide", "big"].iter().any(|word| text.contains(word));
    match value {
        Json::String(field) => field != "metadata" && field != "embedding",
        Json::Array(parts) if ["min", "max", "count"].contains(&parts[0].as_str().unwrap()) => true,
        _ => !(rounded && of_distance),
    }
}

/// The paths of metadata that the collections have.
fn paths(asked: &[&Collection]) -> Vec<String> {
    let mut paths: Vec<String> = asked.iter().flat_map(|one| one.fields.keys().cloned()).collect();
    paths.sort();
    paths.dedup();
    paths
}
