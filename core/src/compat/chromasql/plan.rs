//! The reference's plan of a statement: its checks in its order, its defaults, its plan dictionary.

use serde_json::Value as Json;

use super::{
    CompatError, CompatErrorKind as Kind, ExactJson, Field, Integer, Item, OrderKey, Projection, Rerank,
    Source, Statement,
    ast::{Count, Direction, Embedding, FieldRef},
    filter::Filters,
    include::include,
    parser::parse,
};

/// The candidates of a statement with USING EMBEDDING and without TOPK.
const DEFAULT_TOPK: u32 = 10;

/// Parses and plans one statement. Takes time linear in its length.
///
/// # Errors
/// The first thing that the reference refuses, under its name and at its place.
pub fn plan(sql: &str) -> Result<ReferencePlan, CompatError> {
    ReferencePlan::from_statement(parse(sql)?)
}

/// What the reference derives from a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferencePlan {
    /// The statement, with all that is only written and never derived.
    pub statement: Statement,
    /// The columns; `*` is spelt out.
    pub projection: Vec<Item>,
    /// Which parts of the records are fetched: `distances`, `documents`, `embeddings`, `metadatas`, sorted.
    pub include: Vec<&'static str>,
    /// The condition on metadata.
    pub filter: Option<ExactJson>,
    /// The condition on documents, from WHERE and WHERE_DOCUMENT.
    pub document_filter: Option<ExactJson>,
    /// The ids asked for, each once. `Some` of none means that the statement contradicts itself; the dictionary then
    /// shows null, as if no id were asked for.
    pub ids: Option<Vec<String>>,
    /// How many nearest records are looked for; zero without USING EMBEDDING.
    pub n_results: Integer,
    /// The sort keys, with the default.
    pub order: Vec<OrderKey>,
}

impl ReferencePlan {
    /// Checks a parsed statement and derives its plan.
    ///
    /// # Errors
    /// The first thing that the reference refuses to plan.
    pub fn from_statement(statement: Statement) -> Result<Self, CompatError> {
        check_counts(&statement)?;
        let include = include(&statement)?;
        let filters = Filters::translate(statement.filter.as_ref(), statement.document_filter.as_ref())?;
        let order = order(&statement)?;
        Ok(Self {
            projection: projection(&statement.projection),
            include,
            filter: filters.metadata,
            document_filter: filters.documents,
            ids: filters.ids,
            n_results: n_results(&statement),
            order,
            statement,
        })
    }

    /// The plan dictionary, its keys in the reference's order. See [`ExactJson::to_json`] for numbers that do not fit.
    pub fn to_json(&self) -> Json {
        self.to_exact_json().to_json()
    }

    /// The plan dictionary with all its numbers exact; printed, it is JSON.
    pub fn to_exact_json(&self) -> ExactJson {
        let statement = &self.statement;
        let count = |count: &Option<Count>| ExactJson::from(count.as_ref().map(|count| &count.value));
        let mode = if statement.embedding.is_some() { "vector" } else { "filter" };
        let ids = self.ids.as_ref().filter(|ids| !ids.is_empty());
        let mut dictionary = vec![
            ("collection", ExactJson::text(&statement.collection.text)),
            ("mode", ExactJson::text(mode)),
            ("explain", ExactJson::Bool(statement.explain)),
            ("projection", ExactJson::List(self.projection.iter().map(item_tree).collect())),
            ("include", ExactJson::List(self.include.iter().copied().map(ExactJson::from).collect())),
            ("embedding", statement.embedding.as_ref().map_or(ExactJson::Null, embedding_tree)),
            ("where", self.filter.clone().unwrap_or(ExactJson::Null)),
            ("where_document", self.document_filter.clone().unwrap_or(ExactJson::Null)),
            (
                "ids",
                ids.map_or(ExactJson::Null, |ids| ExactJson::List(ids.iter().map(ExactJson::text).collect())),
            ),
            ("similarity", ExactJson::text(statement.similarity.unwrap_or_default().name())),
            ("n_results", ExactJson::from(&self.n_results)),
            ("order_by", ExactJson::List(self.order.iter().map(order_tree).collect())),
            ("limit", count(&statement.limit)),
            ("offset", count(&statement.offset)),
            ("score_threshold", ExactJson::from(statement.threshold)),
        ];
        dictionary.extend(statement.rerank.as_ref().map(|rerank| ("rerank", rerank_tree(rerank))));
        ExactJson::Object(dictionary.into_iter().map(|(key, value)| (String::from(key), value)).collect())
    }
}

fn check_counts(statement: &Statement) -> Result<(), CompatError> {
    if let (Some(topk), None) = (&statement.topk, &statement.embedding) {
        let hint = "add USING EMBEDDING (...) before it, or write LIMIT";
        return Err(CompatError::new(
            Kind::TopkNeedsEmbedding,
            topk.span,
            "TOPK needs USING EMBEDDING",
            hint,
        ));
    }
    let clauses = [
        (&statement.limit, Kind::LimitNegative, "LIMIT"),
        (&statement.offset, Kind::OffsetNegative, "OFFSET"),
    ];
    for (count, kind, clause) in clauses {
        if let Some(count) = count.as_ref().filter(|count| count.value.is_negative()) {
            let message = format!("{clause} is negative");
            return Err(CompatError::new(kind, count.span, message, "write 0 or more"));
        }
    }
    match &statement.topk {
        Some(topk) if !topk.value.is_positive() => {
            Err(CompatError::new(Kind::TopkNotPositive, topk.span, "TOPK is not positive", "write 1 or more"))
        }
        _ => Ok(()),
    }
}

fn projection(projection: &Projection) -> Vec<Item> {
    match projection {
        Projection::Items(items) => items.clone(),
        Projection::All => [Field::Id, Field::Distance, Field::Document, Field::Metadata(Vec::new())]
            .map(|field| Item { field, alias: None })
            .into(),
    }
}

/// TOPK, raised to LIMIT + OFFSET if there is a LIMIT. OFFSET alone raises nothing.
fn n_results(statement: &Statement) -> Integer {
    if statement.embedding.is_none() {
        return Integer::from(0);
    }
    let topk = statement.topk.as_ref().map_or(Integer::from(DEFAULT_TOPK), |topk| topk.value.clone());
    let zero = Integer::from(0);
    match &statement.limit {
        None => topk,
        Some(limit) => topk.max(limit.value.plus(statement.offset.as_ref().map_or(&zero, |o| &o.value))),
    }
}

fn order(statement: &Statement) -> Result<Vec<OrderKey>, CompatError> {
    if statement.embedding.is_none() {
        return match statement.order.iter().find(|key| key.field.field == Field::Distance) {
            None => Ok(statement.order.clone()),
            Some(key) => {
                let message = "there is no distance to order by without USING EMBEDDING";
                let hint = "add USING EMBEDDING (...), or order by id or metadata.key";
                Err(CompatError::new(Kind::OrderDistanceNeedsEmbedding, key.field.span, message, hint))
            }
        };
    }
    if statement.order.is_empty() {
        let field = FieldRef { field: Field::Distance, span: statement.collection.span };
        return Ok(vec![OrderKey { field, direction: Direction::Ascending }]);
    }
    Ok(statement.order.clone())
}

// The dictionary.

fn item_tree(item: &Item) -> ExactJson {
    let mut entries = vec![(String::from("field"), ExactJson::Text(item.field.dotted()))];
    entries.extend(item.alias.as_deref().map(|alias| (String::from("alias"), ExactJson::from(alias))));
    ExactJson::Object(entries)
}

fn order_tree(key: &OrderKey) -> ExactJson {
    ExactJson::object([
        ("field", ExactJson::Text(key.field.field.dotted())),
        ("direction", ExactJson::text(key.direction.name())),
    ])
}

/// In a batch the reference puts all texts before all vectors.
fn embedding_tree(embedding: &Embedding) -> ExactJson {
    match embedding {
        Embedding::One(source) => source_tree(source),
        Embedding::Batch(sources) => {
            let (texts, vectors): (Vec<_>, Vec<_>) =
                sources.iter().partition(|source| matches!(source, Source::Text { .. }));
            let items = texts.into_iter().chain(vectors).map(source_tree).collect();
            ExactJson::object([("type", ExactJson::text("batch")), ("items", ExactJson::List(items))])
        }
    }
}

fn source_tree(source: &Source) -> ExactJson {
    match source {
        Source::Text { text, model } => ExactJson::object([
            ("type", ExactJson::text("text")),
            ("text", ExactJson::text(&text.text)),
            ("model", ExactJson::from(model.as_ref().map(|model| model.text.as_str()))),
        ]),
        Source::Vector { components, .. } => ExactJson::object([
            ("type", ExactJson::text("vector")),
            (
                "dimensions",
                ExactJson::from(&Integer::from(u32::try_from(components.len()).unwrap_or(u32::MAX))),
            ),
        ]),
    }
}

/// The strategy and the parameters; a repeated name keeps its first place and its last value, even `strategy`.
fn rerank_tree(rerank: &Rerank) -> ExactJson {
    let mut entries = vec![(String::from("strategy"), ExactJson::text("MMR"))];
    for (name, value) in &rerank.params {
        match entries.iter_mut().find(|(known, _)| *known == name.text) {
            Some((_, old)) => *old = ExactJson::from(*value),
            None => entries.push((name.text.clone(), ExactJson::from(*value))),
        }
    }
    ExactJson::Object(entries)
}
