//! `cargo xtask demo`: the whole path on the sample data: ingest, embed, export, then three questions in SQL.
//!
//! A store that this very tool made from this very data is used again; anything else is brought up to date.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::context::{Context, NATIVE, SAMPLE};
use crate::process::{self, Usage};
use crate::steps::seconds;

/// The questions, each with what it shows.
const QUESTIONS: [(&str, &str); 3] = [
    (
        "over all collections",
        "SELECT collection, id, distance, document FROM * \
         USING EMBEDDING (TEXT 'a small furry animal that purrs') TOPK 5",
    ),
    (
        "over two named collections",
        "SELECT collection, id, distance, document FROM \"noun.food\", \"noun.plant\" \
         USING EMBEDDING (TEXT 'a sour yellow fruit') TOPK 5",
    ),
    (
        "with a condition",
        "SELECT collection, id, distance, document FROM * \
         USING EMBEDDING (TEXT 'to move quickly on foot') \
         WHERE metadata.pos = 'verb' AND metadata.senses >= 2 TOPK 5",
    ),
];

/// Where the demo works.
#[derive(Args)]
pub struct Options {
    /// The folder of the store and the release [default: out].
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Start from nothing: remove the store and the release of an earlier run.
    #[arg(long)]
    fresh: bool,
}

/// Builds the tool, makes the store and the release where needed, and asks the questions.
pub fn run(context: &Context, options: &Options) -> Result<()> {
    let compiled = build(context)?;
    let dir = options.dir.clone().unwrap_or_else(|| context.root.join("out"));
    let dir = std::path::absolute(&dir).with_context(|| format!("resolving {}", dir.display()))?;
    let place = Place::new(dir);
    if options.fresh {
        place.clear()?;
    }
    let cost = answer(context, &place)?;
    println!("\nCompilation took {}.", seconds(compiled.elapsed));
    println!(
        "The demo took {} after it, and at most {} MiB of memory.",
        seconds(cost.elapsed),
        cost.peak_bytes.div_ceil(1 << 20)
    );
    let sql =
        "SELECT collection, id, distance, document FROM * USING EMBEDDING (TEXT 'your own question') TOPK 5";
    let own = portolan(context, "query", &[("--release", &place.release())], &["--sql", sql]);
    println!("\nAsk your own question:\n  {}", process::shown(&own));
    Ok(())
}

/// Compiles the command line tool, with the packages of every native build.
pub fn build(context: &Context) -> Result<Usage> {
    println!("==> compile (Lance takes many minutes the first time)");
    process::run_measured(context.cargo(&["build"]).args(NATIVE))
}

/// Makes the store and the release where needed and asks the questions; says what that took.
pub fn answer(context: &Context, place: &Place) -> Result<Usage> {
    let mut total = Usage::default();
    let stamp = stamp(context)?;
    if place.is_made_from(&stamp) {
        println!("\n==> the release in {} is current, and used again", context.shown(&place.dir).display());
    } else {
        make(context, place, &mut total)?;
        place.mark(&stamp)?;
    }
    for (what, sql) in QUESTIONS {
        let query = portolan(context, "query", &[("--release", &place.release())], &["--sql", sql]);
        step(&format!("question {what}"), query, &mut total)?;
    }
    Ok(total)
}

fn make(context: &Context, place: &Place, total: &mut Usage) -> Result<()> {
    let sample = context.root.join(SAMPLE);
    let (documents, models) = (sample.join("docs.jsonl.gz"), sample.join("portolan.toml"));
    let (store, release) = (place.store(), place.release());
    place.prepare()?;
    let store_and_models = [("--store", store.as_path()), ("--models", models.as_path())];
    let mut ingest = portolan(context, "ingest", &[], &[]);
    ingest.arg(documents);
    step("ingest", with_paths(ingest, &store_and_models), total)?;
    step("embed", portolan(context, "embed", &store_and_models, &[]), total)?;
    step("export", portolan(context, "export", &[("--store", &store), ("--out", &release)], &[]), total)
}

fn step(name: &str, mut command: Command, total: &mut Usage) -> Result<()> {
    println!("\n==> {name}");
    let usage = process::run_measured(&mut command).with_context(|| {
        format!("step `{name}` of the demo; `cargo xtask demo --fresh` starts from nothing")
    })?;
    println!("<== {name}: {}, {} MiB", seconds(usage.elapsed), usage.peak_bytes.div_ceil(1 << 20));
    total.elapsed += usage.elapsed;
    total.peak_bytes = total.peak_bytes.max(usage.peak_bytes);
    Ok(())
}

/// The command, with options that are paths and others.
pub fn portolan(context: &Context, verb: &str, paths: &[(&str, &Path)], rest: &[&str]) -> Command {
    let mut command = Command::new(context.built(&format!("portolan{}", std::env::consts::EXE_SUFFIX)));
    command.current_dir(&context.root).arg(verb);
    let mut command = with_paths(command, paths);
    command.args(rest);
    command
}

fn with_paths(mut command: Command, paths: &[(&str, &Path)]) -> Command {
    for (option, path) in paths {
        command.arg(option).arg(path);
    }
    command
}

/// What the release is made from: the sample files and the tool, by size and time of change.
fn stamp(context: &Context) -> Result<String> {
    let sample = context.root.join(SAMPLE);
    let mut files = ["docs.jsonl.gz", "portolan.toml", "static-256/model.safetensors"]
        .map(|name| sample.join(name))
        .to_vec();
    files.push(context.built(&format!("portolan{}", std::env::consts::EXE_SUFFIX)));
    let mut stamp = String::new();
    for file in files {
        let facts = fs::metadata(&file).with_context(|| format!("reading {}", file.display()))?;
        let changed = facts.modified()?.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        writeln!(stamp, "{} {} {}", file.display(), facts.len(), changed.as_nanos())?;
    }
    Ok(stamp)
}

/// The folder of one demo.
pub struct Place {
    dir: PathBuf,
}

impl Place {
    /// A demo in `dir`, which need not exist.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    fn release(&self) -> PathBuf {
        self.dir.join("release")
    }

    /// The store's collections packed into one file, in another release beside it; written anew where it is not current.
    pub fn packed(&self, context: &Context) -> Result<PathBuf> {
        let release = self.dir.join("packed");
        let paths = [("--store", self.store()), ("--out", release.clone())];
        let paths: Vec<_> = paths.iter().map(|(option, path)| (*option, path.as_path())).collect();
        process::run(&mut portolan(context, "export", &paths, &["--pack"]))?;
        Ok(release)
    }

    fn stamp(&self) -> PathBuf {
        self.dir.join("made-from")
    }

    fn is_made_from(&self, stamp: &str) -> bool {
        // The release may have been removed by hand.
        self.release().join("release.json").is_file()
            && fs::read_to_string(self.stamp()).is_ok_and(|made_from| made_from == stamp)
    }

    fn mark(&self, stamp: &str) -> Result<()> {
        fs::write(self.stamp(), stamp).with_context(|| format!("writing {}", self.stamp().display()))
    }

    /// Marks the folder as a demo's before anything is made in it, so that a run which is broken off is neither taken
    /// for complete nor for somebody's own data.
    fn prepare(&self) -> Result<()> {
        self.refuse_foreign_data()?;
        fs::create_dir_all(&self.dir).with_context(|| format!("creating {}", self.dir.display()))?;
        self.mark("incomplete\n")?;
        remove_folder(&self.release())
    }

    /// Removes what a demo made, and nothing else that may be in the folder.
    pub fn clear(&self) -> Result<()> {
        self.refuse_foreign_data()?;
        remove_folder(&self.release())?;
        remove_folder(&self.store())
    }

    fn refuse_foreign_data(&self) -> Result<()> {
        let foreign = [self.store(), self.release()].into_iter().find(|path| path.exists());
        match foreign {
            Some(path) if !self.stamp().is_file() => {
                bail!("{} was not made by the demo; name another folder with --dir", path.display())
            }
            _ => Ok(()),
        }
    }
}

fn remove_folder(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_place(name: &str) -> Place {
        let dir = std::env::temp_dir().join(format!("portolan-xtask-{name}-{}", std::process::id()));
        remove_folder(&dir).unwrap();
        Place::new(dir)
    }

    fn export(place: &Place) {
        fs::create_dir_all(place.release()).unwrap();
        fs::write(place.release().join("release.json"), "{}").unwrap();
    }

    /// The mark stays where it is, and used to be believed: after --fresh the questions met no release.
    #[test]
    fn a_release_that_was_removed_is_not_used_again() {
        let place = empty_place("removed");
        place.prepare().unwrap();
        export(&place);
        place.mark("tool 1").unwrap();
        assert!(place.is_made_from("tool 1"));
        place.clear().unwrap();
        assert!(!place.is_made_from("tool 1"));
        remove_folder(&place.dir).unwrap();
    }

    #[test]
    fn a_run_that_was_broken_off_is_not_used_again() {
        let place = empty_place("broken-off");
        place.prepare().unwrap();
        assert!(!place.is_made_from("tool 1"));
        export(&place);
        place.mark("tool 1").unwrap();
        assert!(place.is_made_from("tool 1") && !place.is_made_from("tool 2"));
        place.prepare().unwrap();
        assert!(!place.is_made_from("tool 1"));
        remove_folder(&place.dir).unwrap();
    }

    #[test]
    fn a_store_that_no_demo_made_is_left_alone() {
        let place = empty_place("foreign");
        fs::create_dir_all(place.store()).unwrap();
        assert!(place.clear().is_err() && place.prepare().is_err());
        assert!(place.store().exists());
        remove_folder(&place.dir).unwrap();
    }

    #[test]
    fn a_fresh_start_removes_store_and_release_only() {
        let place = empty_place("fresh");
        place.prepare().unwrap();
        for folder in [place.store(), place.release(), place.dir.join("notes")] {
            fs::create_dir_all(folder).unwrap();
        }
        place.clear().unwrap();
        assert!(!place.store().exists() && !place.release().exists() && place.dir.join("notes").exists());
        remove_folder(&place.dir).unwrap();
    }
}
