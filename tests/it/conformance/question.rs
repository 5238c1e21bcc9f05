//! Random questions: one statement twice, as SQL with its parameters and as the oracle reads it.
//!
//! A question is kept in parts, so that a failing one can be cut down to the part that fails.

use serde_json::{Map, Value as Json, json};

use super::conditions::Condition;

/// A part of the statement: its SQL, and the entry of the oracle's question.
#[derive(Clone)]
pub struct Clause {
    pub sql: String,
    pub key: &'static str,
    pub ask: Json,
}

/// A random statement.
#[derive(Clone)]
pub struct Question {
    /// Items of SELECT.
    pub items: Vec<(String, Json)>,
    pub from: String,
    pub from_ask: Vec<(&'static str, Json)>,
    pub filter: Option<Condition>,
    pub document: Option<Condition>,
    /// The other clauses, in the order in which they are written.
    pub clauses: Vec<Clause>,
    /// Values of parameters; `\u{1}N\u{2}` stands in the parts for the N-th.
    pub values: Vec<Json>,
    /// Whether parameters are written `:pN`.
    pub named: bool,
}

impl Question {
    /// The statement and its parameters.
    pub fn sql(&self) -> (String, Json) {
        let items: Vec<&str> = self.items.iter().map(|(sql, _)| sql.as_str()).collect();
        let mut sql = format!("SELECT {} FROM {}", items.join(", "), self.from);
        for (word, condition) in [(" WHERE ", &self.filter), (" WHERE_DOCUMENT ", &self.document)] {
            if let Some(condition) = condition {
                sql += word;
                sql += &condition.sql(word == " WHERE_DOCUMENT ");
            }
        }
        for clause in &self.clauses {
            sql += " ";
            sql += &clause.sql;
        }
        self.with_parameters(&sql)
    }

    fn with_parameters(&self, sql: &str) -> (String, Json) {
        let (mut text, mut list, mut named) = (String::new(), Vec::new(), Map::new());
        for (at, part) in sql.split('\u{1}').enumerate() {
            let Some((number, rest)) = part.split_once('\u{2}').filter(|_| at > 0) else {
                text += part;
                continue;
            };
            let value = self.values[number.parse::<usize>().unwrap()].clone();
            if self.named {
                text += &format!(":p{number}");
                named.insert(format!("p{number}"), value);
            } else {
                text += "?";
                list.push(value);
            }
            text += rest;
        }
        let params = if self.named { Json::Object(named) } else { Json::Array(list) };
        (text, params)
    }

    /// The same for the oracle.
    pub fn ask(&self) -> Json {
        let mut ask = Map::new();
        ask.insert("select".into(), self.items.iter().map(|(_, ask)| ask.clone()).collect());
        let conditions: Vec<Json> = self.filter.iter().chain(&self.document).map(Condition::ask).collect();
        if !conditions.is_empty() {
            let all = std::iter::once(json!("and")).chain(conditions);
            ask.insert("where".into(), all.collect());
        }
        ask.extend(self.from_ask.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        for clause in &self.clauses {
            if !clause.key.is_empty() {
                ask.insert(clause.key.into(), clause.ask.clone());
            }
        }
        // The default number of candidates.
        let number = |key: &str| ask.get(key).and_then(Json::as_u64);
        let topk = number("topk").unwrap_or(10);
        let topk = number("limit").map_or(topk, |limit| topk.max(limit + number("offset").unwrap_or(0)));
        if let Some(mmr) = ask.get_mut("mmr")
            && mmr["candidates"].is_null()
        {
            mmr["candidates"] = json!((topk * 4).clamp(50, 10_000));
        }
        Json::Object(ask)
    }
}
