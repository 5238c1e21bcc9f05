//! EXPLAIN: what routing and statistics say of each collection; and with ANALYZE, what the statement cost.

use super::{
    CollectionReport, Explanation, Fanout, Outcome, ResultSet, clustered,
    fanout::Statement,
    member::{Cost, Member, State, Target},
    shape::{Mode, from_record},
    stages::answer::Answer,
};
use crate::{
    filter,
    gather::Gather as _,
    json::Ordered,
    order::{Map, sort_unique},
    query::{Column, Explain, Field, quote_name},
    release::CollectionEntry,
    schema::{FieldType, Schema},
};

/// What is known of one collection before it is read.
struct Facts<'f> {
    entry: &'f CollectionEntry,
    member: &'f Member,
    path: &'static str,
    why: &'static str,
    /// The fraction of rows that is expected to pass WHERE.
    selectivity: f64,
    /// About how many bytes a search reads, the winners' records aside.
    bytes: u64,
}

/// What a stage of the statement cost.
struct Stage {
    name: &'static str,
    micros: u64,
    rows_in: u64,
    rows_out: u64,
    bytes: u64,
}

impl Fanout {
    /// The answer with the reports of all collections, and the explanation if one is asked for.
    pub(super) fn result(&self, answer: Answer) -> ResultSet {
        let Answer { rows, sets, cursor } = answer;
        let statement = &self.statement;
        let mut places: Map<&str, usize> = Map::new();
        for (place, name) in statement.names.iter().enumerate() {
            places.get_or_insert(name, place);
        }
        let mut own = vec![0; self.members.len()];
        for name in rows.iter().filter_map(|row| row.collection.as_deref()) {
            let count = places.get(name).and_then(|place| own.get_mut(*place));
            count.into_iter().for_each(|count| *count += 1);
        }
        let reports = statement.names.iter().zip(&self.members).zip(own);
        let mut result = ResultSet {
            columns: statement.plan.columns.iter().map(|column| column.name.clone()).gather(),
            rows,
            sets,
            collections: reports.map(|((name, member), rows)| self.report(name, member, rows)).gather(),
            waves: self.waves,
            notes: self.spaces.note(&statement.catalog).into_iter().gather(),
            cursor,
            explanation: None,
        };
        result.explanation = statement.plan.explain.map(|asked| self.explanation(asked, &result));
        result
    }

    fn report(&self, name: &str, member: &Member, rows: u64) -> CollectionReport {
        let outcome = match &member.state {
            State::Skipped(reason) => Outcome::Skipped { reason: reason.clone() },
            State::Failed { code, message } => Outcome::Failed { code: *code, message: message.clone() },
            State::Asked(target) => Outcome::Asked {
                rows,
                bytes: target.cost.bytes + target.cost.record_bytes,
                micros: self.statement.options.clock.map(|_| target.cost.micros()),
            },
        };
        CollectionReport { name: name.into(), outcome }
    }

    fn explanation(&self, asked: Explain, result: &ResultSet) -> Explanation {
        let facts: Vec<Facts<'_>> = self.members.iter().filter_map(|member| self.facts(member)).gather();
        let plan = &self.statement.plan;
        let (mut text, mut json) = (plan.explain_text(), plan.explain_tree());
        let reading = facts.iter().filter(|facts| matches!(facts.member.state, State::Asked(_))).count();
        text.push_str(&format!("  collections: {reading} of {} asked\n", facts.len()));
        facts.iter().for_each(|facts| text.push_str(&self.line(facts, asked)));
        json.put("collections", Ordered::list(&facts, |facts| self.fact_tree(facts, asked)));
        if asked == Explain::Analyze {
            json.put("executed", self.executed_tree(result));
            text.push_str(&self.executed_text(result));
        }
        Explanation { text, json }
    }

    fn facts<'f>(&'f self, member: &'f Member) -> Option<Facts<'f>> {
        let plan = &self.statement.plan;
        let entry = self.statement.catalog.index().collections.get(member.place)?;
        let selectivity =
            plan.filter.as_ref().map_or(1.0, |filter| filter::estimate(filter, &entry.statistics));
        let (path, why) = self.path(member);
        let bytes = match path {
            "scan" | "filter" => self.estimated_bytes(entry),
            // Codes of a few clusters, whatever the number of rows.
            "clusters" => self.estimated_bytes(entry) / 16,
            _ => 0,
        };
        Some(Facts { entry, member, path, why, selectivity, bytes })
    }

    /// How a collection is searched, and why so.
    fn path(&self, member: &Member) -> (&'static str, &'static str) {
        let State::Asked(target) = &member.state else { return ("none", "it is not asked") };
        match (target.passes(), self.statement.shape.mode) {
            (Some(false), _) => ("none", "no row can pass WHERE, whatever the columns hold"),
            (_, Mode::Search) => match self.why_not_clusters(member) {
                #[cfg(not(target_arch = "wasm32"))]
                None if target.by_graph => ("graph", "predicted to cost less than clusters"),
                None => ("clusters", "as many as RECALL takes"),
                Some(why) => ("scan", why),
            },
            (Some(true), Mode::Grouped) if self.only_counts() => {
                ("statistics", "COUNT(*) without WHERE needs no row")
            }
            _ => ("filter", "there is no query vector"),
        }
    }

    fn why_not_clusters(&self, member: &Member) -> Option<&'static str> {
        let Statement { catalog, plan, shape, .. } = &self.statement;
        let entry = catalog.index().collections.get(member.place)?;
        clustered::why_not(catalog, plan, shape, entry)
    }

    fn only_counts(&self) -> bool {
        let shape = &self.statement.shape;
        let group = self.statement.plan.group.as_ref();
        shape.reads.iter().all(|field| *field == Field::Collection)
            && group.is_some_and(|group| group.top.is_none())
            && shape.aggregates.iter().all(|aggregate| aggregate.of.is_none())
    }

    /// Vectors of two bytes a component, and the columns of WHERE, ORDER BY and GROUP BY.
    fn estimated_bytes(&self, entry: &CollectionEntry) -> u64 {
        let (plan, rows) = (&self.statement.plan, entry.statistics.rows);
        let vectors = match plan.is_search() {
            true => rows.saturating_mul(u64::from(entry.schema.dimension)).saturating_mul(2),
            false => 0,
        };
        let mut paths: Vec<String> = Vec::new();
        for column in plan.filter.iter().flat_map(|filter| filter.columns()) {
            if let Column::Metadata(path) = column {
                paths.push(path.clone());
            }
        }
        for field in self.statement.shape.reads.iter().filter(|field| from_record(field)) {
            paths.extend(match field {
                Field::Metadata(Some(path)) => Some(path.clone()),
                _ => None,
            });
        }
        sort_unique(&mut paths);
        let columns: u64 = paths.iter().map(|path| column_bytes(&entry.schema, path, rows)).sum();
        vectors.saturating_add(columns).min(self.statement.catalog.index().share(entry))
    }

    fn line(&self, facts: &Facts<'_>, asked: Explain) -> String {
        let (name, rows) = (quote_name(&facts.entry.schema.collection), facts.entry.statistics.rows);
        let expected = (rows as f64 * facts.selectivity).round() as u64;
        let line = match &facts.member.state {
            State::Skipped(reason) => format!("    {name}: skipped, {rows} rows: {reason}\n"),
            State::Failed { code, message } => format!("    {name}: failed, {code}: {message}\n"),
            State::Asked(_) => format!(
                "    {name}: {} ({}), {rows} rows, about {expected} expected ({}), about {} bytes\n",
                facts.path,
                facts.why,
                percent(facts.selectivity),
                facts.bytes,
            ),
        };
        match (&facts.member.state, asked) {
            (State::Asked(target), Explain::Analyze) => line + &self.cost_line(&target.cost),
            _ => line,
        }
    }

    fn cost_line(&self, cost: &Cost) -> String {
        let time = match self.statement.options.clock {
            Some(_) => format!(" in {} us", cost.micros()),
            None => String::new(),
        };
        let (passed, found) = (cost.passed, cost.found);
        let bytes = cost.bytes + cost.record_bytes;
        format!("      really: {passed} rows passed, {found} found, {bytes} bytes{time}\n")
    }

    fn fact_tree(&self, facts: &Facts<'_>, asked: Explain) -> Ordered {
        let rows = facts.entry.statistics.rows;
        let asks = matches!(facts.member.state, State::Asked(_));
        let mut entries = vec![
            ("name", (&facts.entry.schema.collection).into()),
            ("rows", rows.into()),
            ("asked", Ordered::Bool(asks)),
        ];
        match &facts.member.state {
            State::Skipped(reason) => entries.push(("skip_reason", reason.as_str().into())),
            State::Failed { code, message } => {
                let failed = vec![("code", u64::from(*code).into()), ("message", message.as_str().into())];
                entries.push(("failed", Ordered::Object(failed)));
            }
            State::Asked(target) => {
                let expected = (rows as f64 * facts.selectivity).round() as u64;
                entries.extend([
                    ("access_path", facts.path.into()),
                    ("why", facts.why.into()),
                    ("selectivity", facts.selectivity.into()),
                    ("estimated_rows", expected.into()),
                    ("estimated_bytes", facts.bytes.into()),
                ]);
                if asked == Explain::Analyze {
                    entries.extend(self.cost_entries(&target.cost));
                }
            }
        }
        Ordered::Object(entries)
    }

    fn cost_entries(&self, cost: &Cost) -> Vec<(&'static str, Ordered)> {
        let mut entries = vec![
            ("rows_passed", cost.passed.into()),
            ("rows_found", cost.found.into()),
            ("bytes", (cost.bytes + cost.record_bytes).into()),
        ];
        entries.extend(self.statement.options.clock.map(|_| ("micros", cost.micros().into())));
        entries
    }

    /// The stages in the order in which rows pass them.
    fn stages(&self, result: &ResultSet) -> Vec<Stage> {
        let costs: Vec<&Cost> = self
            .members
            .iter()
            .filter_map(|member| match &member.state {
                State::Asked(target) => Some(&target.cost),
                _ => None,
            })
            .gather();
        let sum = |part: fn(&Cost) -> u64| costs.iter().map(|cost| part(cost)).sum::<u64>();
        let stage = |name, micros, rows_in, rows_out, bytes| Stage { name, micros, rows_in, rows_out, bytes };
        let (found, merged) = (sum(|cost| cost.found), self.ledger.merged);
        vec![
            stage("route", self.ledger.route, self.members.len() as u64, costs.len() as u64, 0),
            stage("embed", self.ledger.embed, self.ledger.texts, self.ledger.texts, 0),
            stage(
                "filter",
                sum(|cost| cost.filter_micros),
                sum(|cost| cost.filtered),
                sum(|cost| cost.passed),
                0,
            ),
            stage(
                "search",
                sum(|cost| cost.search_micros),
                sum(|cost| cost.passed),
                found,
                sum(|cost| cost.bytes),
            ),
            stage("merge", self.ledger.merge, found, merged, 0),
            stage("payload", sum(|cost| cost.record_micros), merged, merged, sum(|cost| cost.record_bytes)),
            stage("answer", self.ledger.answer, merged, result.rows.len() as u64, 0),
        ]
    }

    fn micros(&self) -> Option<u64> {
        let clock = self.statement.options.clock?;
        Some(clock().saturating_sub(self.ledger.started?))
    }

    fn executed_text(&self, result: &ResultSet) -> String {
        let took = self.micros().map(|micros| format!(" in {micros} us")).unwrap_or_default();
        let mut text = format!("  executed: {} rows, {} waves{took}\n", result.rows.len(), self.waves);
        for stage in self.stages(result) {
            let Stage { name, micros, rows_in, rows_out, bytes } = stage;
            let what = if name == "route" { "collections" } else { "rows" };
            let time = self.statement.options.clock.map(|_| format!(", {micros} us")).unwrap_or_default();
            let bytes = if bytes > 0 { format!(", {bytes} bytes") } else { String::new() };
            text.push_str(&format!("    {name}: {rows_in} {what} in, {rows_out} out{bytes}{time}\n"));
        }
        text
    }

    fn executed_tree(&self, result: &ResultSet) -> Ordered {
        let timed = self.statement.options.clock.is_some();
        let stage = |stage: &Stage| {
            Ordered::Object(vec![
                ("stage", stage.name.into()),
                ("rows_in", stage.rows_in.into()),
                ("rows_out", stage.rows_out.into()),
                ("bytes", stage.bytes.into()),
                ("micros", timed.then_some(stage.micros).into()),
            ])
        };
        Ordered::Object(vec![
            ("rows", (result.rows.len() as u64).into()),
            ("waves", u64::from(self.waves).into()),
            ("micros", self.micros().into()),
            ("stages", Ordered::list(&self.stages(result), stage)),
        ])
    }
}

impl Target {
    /// Whether every row passes the WHERE, or none, whatever the collection holds.
    fn passes(&self) -> Option<bool> {
        super::target::passes(self.filter())
    }
}

/// The bytes of a column: values and a bit a row; a dictionary is not known.
fn column_bytes(schema: &Schema, path: &str, rows: u64) -> u64 {
    let width = match schema.fields.iter().find(|field| field.path == path).map(|field| &field.kind) {
        Some(FieldType::Bool) => return rows.div_ceil(4),
        Some(FieldType::Text) => 4,
        Some(FieldType::Int | FieldType::Float | FieldType::Time) => 8,
        _ => return 0,
    };
    rows.saturating_mul(width).saturating_add(rows.div_ceil(8))
}

/// Two digits after the point are enough; floats are not formatted, which would cost the module kilobytes.
fn percent(fraction: f64) -> String {
    let hundredths = (fraction * 10_000.0).round() as u64;
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}
