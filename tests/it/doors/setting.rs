//! What all doors are given: a release in a folder, statements in a file; and native code's answers.

use std::{
    fs,
    path::{Path, PathBuf},
};

use portolan::{local::LocalRelease, plan::Plan, query::Params};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{
    release,
    statements::{self, Statement},
};

/// Why a test could not be carried out.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A release and statements about it, gone when this is dropped.
pub struct Setting {
    folder: TempDir,
    /// The statements.
    pub statements: Vec<Statement>,
}

impl Setting {
    /// Writes the release and the statements into a folder of its own.
    pub fn new() -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let sample = release::write(&folder.path().join("release"))?;
        let mut statements = statements::load(&sample)?;
        turn_pages(&folder.path().join("release"), &mut statements)?;
        Self::write(folder, statements)
    }

    /// The same over a copy of a release that there is, and statements about it.
    pub fn over(release: &Path, statements: Vec<Statement>) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        fs::create_dir(folder.path().join("release"))?;
        for file in fs::read_dir(release)? {
            let file = file?;
            fs::copy(file.path(), folder.path().join("release").join(file.file_name()))?;
        }
        Self::write(folder, statements)
    }

    fn write(folder: TempDir, statements: Vec<Statement>) -> Result<Self, Failure> {
        let lines: Vec<String> = statements.iter().map(Statement::line).collect();
        fs::write(folder.path().join("statements.sql"), lines.join("\n") + "\n")?;
        Ok(Self { folder, statements })
    }

    /// The folder of the release.
    pub fn release(&self) -> PathBuf {
        self.folder.path().join("release")
    }

    /// The file with one statement per line, and its parameters after a tab.
    pub fn statements_file(&self) -> PathBuf {
        self.folder.path().join("statements.sql")
    }

    /// A folder for what a door has to build.
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().into()
    }

    /// What native code answers.
    pub fn native_answers(&self) -> Result<Vec<Json>, Failure> {
        let release = LocalRelease::open(self.release())?;
        // Through text, as all other doors: reading a number back may change its last bit.
        let printed =
            |statement: &Statement| Ok(serde_json::from_str(&answer(&release, statement)?.to_string())?);
        self.statements.iter().map(printed).collect()
    }
}

/// Gives each statement the cursor of the one before, which no file can know.
fn turn_pages(release: &Path, statements: &mut [Statement]) -> Result<(), Failure> {
    let release = LocalRelease::open(release)?;
    let mut cursor = Json::Null;
    for statement in statements {
        statement.turn_page(&cursor);
        cursor = answer(&release, statement)?["cursor"].take();
    }
    Ok(())
}

/// What native code answers, or what is wrong with the statement.
fn answer(release: &LocalRelease, statement: &Statement) -> Result<Json, Failure> {
    let params = Params::from_json(statement.params.as_deref().unwrap_or("null"))?;
    let plan = Plan::parse_with(&statement.sql, &params).map_err(portolan::Error::from);
    Ok(match plan.and_then(|plan| release.run(plan)) {
        Ok(result) => result.to_json(),
        Err(error) => json!({"error": {"code": error.code(), "message": error.to_string()}}),
    })
}
