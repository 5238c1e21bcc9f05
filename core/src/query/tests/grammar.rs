//! The grammar of `docs/query.md` against the parser: what the grammar makes is parsed, and it has every word that
//! the parser knows.
//!
//! The page's EBNF is read and run backwards: from the first rule, random choices make statements.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::plan::Plan;

const PAGE: &str = include_str!("../../../../docs/query.md");

/// The sources in which the parser's words stand.
const SOURCES: [&str; 6] = [
    include_str!("../parser.rs"),
    include_str!("../from.rs"),
    include_str!("../clauses.rs"),
    include_str!("../predicate.rs"),
    include_str!("../literal.rs"),
    include_str!("../display.rs"),
];

/// Words in the sources that are spoken of but not part of the language.
const NO_KEYWORDS: [&str; 4] = ["MATCH", "DISTINCT", "TIMESTAMP", "DATE"];

// Reading EBNF.

#[derive(Debug)]
enum Node {
    Any(Vec<Node>),
    All(Vec<Node>),
    Optional(Box<Node>),
    Repeated(Box<Node>),
    Text(String),
    Rule(String),
    Special,
}

/// The tokens of an EBNF text: names, texts in quotes, `?...?`, and marks.
fn tokens(ebnf: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = ebnf.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' if rest.starts_with("(*") => rest.find("*)").expect("an end of the comment") + 2,
            '"' | '\'' | '?' => rest[1..].find(first).expect("an end of the text") + 2,
            c if c.is_ascii_alphanumeric() => {
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ => 1,
        };
        if !rest.starts_with("(*") {
            out.push(String::from(&rest[..end]));
        }
        rest = rest[end..].trim_start();
    }
    out
}

/// Reads alternatives up to a mark that ends them, which stays.
fn alternatives(tokens: &[String], at: &mut usize) -> Node {
    let mut choices = vec![sequence(tokens, at)];
    while tokens[*at] == "|" {
        *at += 1;
        choices.push(sequence(tokens, at));
    }
    if choices.len() == 1 { choices.swap_remove(0) } else { Node::Any(choices) }
}

fn sequence(tokens: &[String], at: &mut usize) -> Node {
    let mut parts = Vec::new();
    loop {
        let token = tokens[*at].as_str();
        if ["|", ")", "]", "}", ";"].contains(&token) {
            return Node::All(parts);
        }
        *at += 1;
        parts.push(match token.as_bytes()[0] {
            b'(' => closed(tokens, at, |inner| *inner),
            b'[' => closed(tokens, at, Node::Optional),
            b'{' => closed(tokens, at, Node::Repeated),
            b'"' | b'\'' => Node::Text(String::from(&token[1..token.len() - 1])),
            b'?' => Node::Special,
            _ => Node::Rule(String::from(token)),
        });
    }
}

fn closed(tokens: &[String], at: &mut usize, wrap: fn(Box<Node>) -> Node) -> Node {
    let inner = alternatives(tokens, at);
    assert!([")", "]", "}"].contains(&tokens[*at].as_str()), "a bracket is open");
    *at += 1;
    wrap(Box::new(inner))
}

type Rules = BTreeMap<String, Node>;

fn rules() -> Rules {
    let block = PAGE.split("```ebnf\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a grammar");
    let (tokens, mut at, mut rules) = (tokens(block), 0, Rules::new());
    while at < tokens.len() {
        let name = tokens[at].clone();
        assert_eq!(tokens[at + 1], "=", "after {name}");
        at += 2;
        let node = alternatives(&tokens, &mut at);
        assert_eq!(tokens[at], ";", "after the rule {name}");
        at += 1;
        assert!(rules.insert(name.clone(), node).is_none(), "two rules {name}");
    }
    rules
}

fn visit<'n>(node: &'n Node, see: &mut impl FnMut(&'n Node)) {
    see(node);
    match node {
        Node::Any(parts) | Node::All(parts) => parts.iter().for_each(|part| visit(part, see)),
        Node::Optional(inner) | Node::Repeated(inner) => visit(inner, see),
        Node::Text(_) | Node::Rule(_) | Node::Special => {}
    }
}

/// The words of the grammar.
fn keywords(rules: &Rules) -> BTreeSet<&str> {
    let mut words = BTreeSet::new();
    for node in rules.values() {
        visit(node, &mut |node| match node {
            Node::Text(text) if text.len() > 1 && text.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                words.insert(text.as_str());
            }
            _ => {}
        });
    }
    words
}

// Making statements.

struct Maker<'r> {
    rules: &'r Rules,
    /// How many rules each rule needs below itself, at least.
    depths: BTreeMap<&'r str, usize>,
    dice: Random,
    out: String,
    /// The rules that are being made.
    stack: Vec<&'r str>,
}

impl<'r> Maker<'r> {
    fn new(rules: &'r Rules) -> Self {
        let mut depths: BTreeMap<&str, usize> = rules.keys().map(|name| (name.as_str(), 1000)).collect();
        for _ in 0..rules.len() {
            for (name, node) in rules {
                let depth = 1 + least(node, &depths);
                depths.insert(name, depth);
            }
        }
        assert!(depths.values().all(|depth| *depth < 100), "a rule never ends: {depths:?}");
        Maker { rules, depths, dice: Random(5), out: String::new(), stack: Vec::new() }
    }

    fn statement(&mut self) -> String {
        self.out.clear();
        let first = self.rules.get_key_value("statement").expect("a first rule").0;
        self.rule(first);
        self.out.clone()
    }

    fn rule(&mut self, name: &'r str) {
        // Between the parts of rules in capitals are no blanks.
        if !self.stack.last().is_some_and(|rule| is_token(rule)) {
            self.blank();
        }
        self.stack.push(name);
        match (name, self.rules.get(name)) {
            ("letter", _) => self.pick(&["a", "Z", "q"]),
            ("digit", _) => self.pick(&["0", "7", "9"]),
            ("character", _) => self.pick(&["x", " ", "é", "😀", ";", "-- ", "%", "_"]),
            ("escape", _) => {
                self.pick(&["\\n", "\\\\", "\\'", "\\\"", "\\x41", "\\101", "\\u00e9", "\\U0001F600", "\\q"])
            }
            // Named after the rule around it, which says what it may stand for.
            ("PARAMETER", _) => {
                let around =
                    self.stack.iter().rev().find(|rule| !is_token(rule)).copied().unwrap_or_default();
                self.out.push(':');
                self.out.push_str(around);
            }
            (_, Some(node)) => self.node(node),
            (_, None) => panic!("no rule {name}"),
        }
        self.stack.pop();
    }

    fn node(&mut self, node: &'r Node) {
        let tired = self.stack.len() > 14 || self.out.len() > 600;
        match node {
            Node::All(parts) => parts.iter().for_each(|part| self.node(part)),
            Node::Any(choices) => {
                // The grammar's own comment: names stand in ORDER BY only.
                let in_select = self.stack.contains(&"item");
                let stands =
                    |node: &&Node| !(in_select && self.stack.last() == Some(&"factor") && is_name(node));
                let choices: Vec<&Node> = choices.iter().filter(stands).collect();
                let chosen = match tired {
                    true => choices.iter().min_by_key(|choice| least(choice, &self.depths)).copied(),
                    false => choices.get(self.dice.below(choices.len())).copied(),
                };
                self.node(chosen.expect("a choice"));
            }
            Node::Optional(inner) if !tired && self.dice.below(2) == 0 => self.node(inner),
            Node::Repeated(inner) if !tired => {
                let clauses = self.stack.last() == Some(&"statement");
                for _ in 0..self.dice.below(if clauses { 5 } else { 3 }) {
                    self.node(inner);
                }
            }
            Node::Optional(_) | Node::Repeated(_) => {}
            Node::Text(text) => {
                if !self.stack.last().is_some_and(|rule| is_token(rule)) {
                    self.blank();
                }
                match self.dice.below(3) {
                    0 => self.out.push_str(&text.to_ascii_lowercase()),
                    _ => self.out.push_str(text),
                }
            }
            Node::Rule(name) => self.rule(name),
            Node::Special => panic!("{:?} is made by hand", self.stack),
        }
    }

    fn pick(&mut self, texts: &[&str]) {
        self.out.push_str(texts[self.dice.below(texts.len())]);
    }

    fn blank(&mut self) {
        self.pick(&[" ", " ", " ", " ", "\n", "\t ", " /* x */ ", " -- x\n"]);
    }
}

fn is_token(rule: &str) -> bool {
    rule.starts_with(|c: char| c.is_ascii_uppercase())
}

fn is_name(node: &Node) -> bool {
    matches!(node, Node::All(parts) if matches!(parts.as_slice(), [Node::Rule(name)] if name == "NAME"))
}

/// How many rules stand below a node, at least.
fn least(node: &Node, depths: &BTreeMap<&str, usize>) -> usize {
    match node {
        Node::Any(choices) => choices.iter().map(|choice| least(choice, depths)).min().unwrap_or(0),
        Node::All(parts) => parts.iter().map(|part| least(part, depths)).max().unwrap_or(0),
        Node::Rule(name) => depths.get(name.as_str()).copied().unwrap_or_else(|| panic!("no rule {name}")),
        Node::Optional(_) | Node::Repeated(_) | Node::Text(_) | Node::Special => 0,
    }
}

/// Values for the parameters that `sql` has.
fn params(sql: &str) -> Params {
    let list = Value::List(vec![Value::Int(1), Value::Null]);
    let known: [(&str, Param); 6] = [
        ("literal", Value::Bool(true).into()),
        ("list", list.into()),
        ("text", Value::Text(String::from("a")).into()),
        ("number", Value::Float(0.5).into()),
        ("count", Value::Int(3).into()),
        ("vector", Param::Vector(vec![1.0])),
    ];
    let used = |name: &str| {
        sql.match_indices(&format!(":{name}")).any(|(at, found)| {
            !sql[at + found.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        })
    };
    known
        .into_iter()
        .filter(|(name, _)| used(name))
        .fold(Params::none(), |params, (name, value)| params.set(name, value))
}

#[test]
fn what_the_grammar_makes_is_parsed() {
    use QueryErrorKind::{DuplicateClause, NumberOutOfRange};
    let rules = rules();
    let (mut maker, mut parsed, mut planned, mut seen) = (Maker::new(&rules), 0, 0, String::new());
    for _ in 0..6000 {
        let sql = maker.statement();
        // Most statements mean nothing: they are refused while planning, after all of them was parsed.
        match parse_with(&sql, &params(&sql)) {
            Ok(statement) => {
                parsed += 1;
                planned += usize::from(Plan::from_statement(statement).is_ok());
                seen.push_str(&sql.to_ascii_uppercase());
            }
            // What a grammar cannot say: each clause once, each option once, and the range of numbers.
            Err(error) => assert!(
                !error.kind().is_parse() || matches!(error.kind(), DuplicateClause | NumberOutOfRange),
                "{}",
                error.snippet(&sql)
            ),
        }
    }
    assert!(parsed > 4000 && planned > 200, "{parsed} statements were parsed and {planned} planned");
    for word in keywords(&rules) {
        assert!(seen.contains(&word.to_ascii_uppercase()), "no statement with {word} was parsed");
    }
}

#[test]
fn the_grammar_has_every_word_that_the_parser_knows_and_no_other() {
    let rules = rules();
    let known = |text: &&str| {
        text.len() > 1
            && text.trim() == *text
            && text.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b' ' | b'_' | b'2'))
    };
    // Every second part between quotes is a text; the comments of these files hold no quotes, and a text with an
    // escaped quote in it would show as a difference.
    let sources = SOURCES.map(|source| source.split("\n#[cfg(test)]").next().unwrap_or_default());
    let words: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.lines().filter(|line| !line.trim_start().starts_with("//")))
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(known)
        .flat_map(|text| text.split(' '))
        .filter(|word| !NO_KEYWORDS.contains(word))
        .collect();
    let written = keywords(&rules);
    let capitals: BTreeSet<&str> =
        written.iter().copied().filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase())).collect();
    let upper = |words: &BTreeSet<&str>| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    assert_eq!(upper(&capitals), upper(&words));
    let others: Vec<&str> = written.difference(&capitals).copied().collect();
    let fields: Vec<&str> = others.iter().copied().filter(|word| scalar::is_field(word)).collect();
    assert_eq!(fields.len(), 8, "{fields:?}");
    assert_eq!(others.len() - fields.len(), ["lambda", "candidates"].len(), "{others:?}");
}

#[test]
fn every_recorded_quirk_is_explained() {
    let executions = include_str!("../../../../tests/conformance/execution.jsonl");
    let cases =
        executions.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a case"));
    let quirks: Vec<serde_json::Value> = cases.filter(|case| case["quirk"] == true).collect();
    assert_eq!(quirks.len(), 20);
    let table = PAGE.split("## ChromaSQL quirks").nth(1).expect("the table");
    for id in quirks.iter().filter_map(|case| case["id"].as_str()) {
        let rows = table.lines().filter(|line| line.starts_with('|') && line.contains(id)).count();
        assert_eq!(rows, 1, "{id}");
    }
}
