//! A folder with a registry, sources and a store, and the commands of the pipeline on them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::tool::{all_text, code, json, portolan, run, sample, succeed};

/// A registry of one model of books, whose title is embedded.
pub const BOOKS: &str = r#"
[embedder.static]
provider = "static"
path = STATIC

[[model]]
name = "book"
key = ["id"]
collection = "books"
embedder = "static"
text = ["title"]
metadata = ["year", "shelf"]

[model.fields]
id = "text"
title = "text"
year = "int"
shelf = "text"
"#;

/// The folder.
pub struct Shop {
    folder: TempDir,
}

impl Shop {
    /// With this registry, in which `STATIC` stands for the embedder of the sample.
    pub fn new(registry: &str) -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        shop.registry(registry);
        shop
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces the registry.
    pub fn registry(&self, registry: &str) {
        let embedder = sample().join("static-256").canonicalize().unwrap();
        let registry = registry.replace("STATIC", &format!("{embedder:?}"));
        fs::write(self.path("portolan.toml"), registry).unwrap();
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// A verb on the store.
    pub fn verb(&self, words: &[&str]) -> Command {
        let mut command = portolan();
        command.args(words).arg("--store").arg(self.path("store")).arg("--json");
        let drops = words[0] == "drop" && words[1] != "audit";
        if drops || ["prepare", "apply", "embed", "plan"].contains(&words[0]) {
            command.arg("--models").arg(self.path("portolan.toml"));
        }
        command
    }

    /// What a verb says that must end with 0.
    pub fn done(&self, words: &[&str]) -> Json {
        json(&succeed(&mut self.verb(words)))
    }

    /// What a verb says, and its exit code.
    pub fn ends(&self, words: &[&str]) -> (Json, i32) {
        let output = run(&mut self.verb(words));
        assert!(!output.stdout.is_empty(), "{}", all_text(&output));
        (json(&output), code(&output))
    }

    /// Prepares a file.
    pub fn prepare(&self, file: &Path, words: &[&str]) -> Json {
        let output = run(self.verb(&["prepare"]).arg(file).args(words));
        assert!(matches!(code(&output), 0 | 1), "{}", all_text(&output));
        json(&output)
    }

    /// Prepares a file, writes it to its collections and embeds it.
    pub fn load(&self, file: &Path) {
        self.prepare(file, &[]);
        self.done(&["apply"]);
        self.done(&["embed"]);
    }

    pub fn manifest(&self) -> Json {
        serde_json::from_slice(&fs::read(self.path("store/manifest.json")).unwrap()).unwrap()
    }

    /// The ids and documents of all embedded records of a collection, sorted.
    pub fn rows(&self, collection: &str) -> Vec<(String, String)> {
        let answer = crate::tool::ask(
            "--store",
            &self.path("store"),
            &format!("SELECT id, document FROM {collection}"),
        );
        let text = |row: &Json, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let rows = answer["rows"].as_array().unwrap().iter();
        let mut rows: Vec<_> = rows.map(|row| (text(row, "id"), text(row, "document"))).collect();
        rows.sort();
        rows
    }
}

/// The numbers of a report, in this order.
pub fn numbers(report: &Json, keys: &[&str]) -> Vec<u64> {
    keys.iter().map(|key| report[*key].as_u64().unwrap_or_else(|| panic!("{key}: {report}"))).collect()
}
