//! One run of `prepare`: sources in, partitions and the manifest out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::found::{Content, Found, RecordSource};
use super::keys::{self, KeyIndex};
use super::log::{self, Fate, RunLog};
use super::mapping;
use super::open::open;
use super::rows::{PreparedRow, RowsWriter, digest};
use super::spec::{HeaderPolicy, SourceFormat, SourceSpec};
use crate::error::StoreError;
use crate::native::pipeline::evolve::register;
use crate::native::pipeline::manifest::{Held, Manifest, Partition, Run, SourceRun, now, number};
use crate::native::pipeline::model::Model;
use crate::native::pipeline::progress::{Phase, Progress, ProgressFn};
use crate::native::pipeline::record::RecordReader;
use crate::native::store::{Store, key_hash};

/// The folder of partitions inside the store.
pub const FOLDER: &str = "partitions";
/// Records that a report shows.
const REPORTED: usize = 20;
/// Records between two signs of life.
const TICK: u64 = 1000;

/// How to prepare.
#[derive(Debug, Clone, Copy)]
pub struct PrepareOptions {
    /// The most rows of a partition.
    pub partition_rows: u64,
    /// Whether each file begins a partition.
    pub by_file: bool,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self { partition_rows: 500_000, by_file: false }
    }
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrepareReport {
    /// Its name.
    pub run: String,
    /// What became of each file's records.
    pub sources: Vec<SourceRun>,
    /// The partitions it added.
    pub partitions: Vec<Prepared>,
    /// The first records that were dropped or quarantined.
    pub noticed: Vec<Noticed>,
    /// The file that holds all records that were repaired, dropped or quarantined.
    pub log: Option<PathBuf>,
}

/// A partition that a run added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: String,
    /// Its rows.
    pub rows: u64,
}

/// A record that was dropped or quarantined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noticed {
    /// What happened to it.
    pub fate: Fate,
    /// Its file.
    pub file: PathBuf,
    /// Its number there, from 1.
    pub number: u64,
    /// Its bytes there.
    pub bytes: Option<(u64, u64)>,
    /// Why.
    pub reason: String,
}

impl PrepareReport {
    /// The sums over all files.
    pub fn total(&self) -> SourceRun {
        self.sources.iter().fold(SourceRun::default(), |mut sum, one| {
            sum.records += one.records;
            sum.emitted += one.emitted;
            sum.repaired += one.repaired;
            sum.duplicates += one.duplicates;
            sum.dropped += one.dropped;
            sum.quarantined += one.quarantined;
            sum
        })
    }
}

/// Reads the sources of models into partitions of the store.
///
/// # Errors
/// A store opened for reading; a source that cannot be read ([`StoreError::File`], [`StoreError::BadSource`]): then nothing of the run
/// counts. A record that cannot be read is no error.
pub fn prepare(
    store: &Store,
    sources: &[(&Model, &[SourceSpec])],
    options: PrepareOptions,
    progress: &ProgressFn<'_>,
) -> crate::Result<PrepareReport> {
    store.require_writable()?;
    let mut manifest = Manifest::load(store.dir())?;
    clean(store.dir(), &manifest)?;
    let id = format!("run_{:05}", manifest.runs.iter().map(|run| number(&run.id) + 1).max().unwrap_or(0));
    let mut running = Running {
        dir: store.dir(),
        log: RunLog::new(store.dir(), &id),
        created_at: now(),
        report: PrepareReport { run: id, ..Default::default() },
        options,
        progress,
        manifest: &mut manifest,
    };
    for (model, specs) in sources {
        if !specs.is_empty() {
            running.model(model, specs)?;
        }
    }
    Ok(running.finish()?)
}

/// Removes what a killed run left behind: partitions and logs that the manifest does not name.
pub fn clean(dir: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let partitions: BTreeSet<&str> = manifest.partitions.iter().map(|p| p.name.as_str()).collect();
    let runs: BTreeSet<&str> = manifest.runs.iter().map(|run| run.id.as_str()).collect();
    for (folder, known) in [(FOLDER, partitions), (log::FOLDER, runs)] {
        let folder = dir.join(folder);
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let name = name.strip_suffix(".jsonl").unwrap_or(&name);
            let ours = name.starts_with("partition_") || name.starts_with("run_");
            if ours && !known.contains(name) {
                let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(|source| StoreError::File { action: "remove", path, source })?;
            }
        }
    }
    Ok(())
}

/// A run while it goes on.
struct Running<'a> {
    dir: &'a Path,
    manifest: &'a mut Manifest,
    log: RunLog,
    created_at: String,
    report: PrepareReport,
    options: PrepareOptions,
    progress: &'a ProgressFn<'a>,
}

/// The key of a record, its text, and what was repaired.
type Taken = (String, String, Option<String>);

/// What all files of one model share.
struct ModelRun<'a> {
    model: &'a Model,
    reader: RecordReader,
    index: KeyIndex,
    writer: Option<(String, RowsWriter)>,
}

impl Running<'_> {
    fn model(&mut self, model: &Model, specs: &[SourceSpec]) -> Result<(), StoreError> {
        register(self.manifest, model);
        let mut run = ModelRun {
            model,
            reader: RecordReader::new(model.clone()),
            index: KeyIndex::open(self.dir, self.manifest, &model.name)?,
            writer: None,
        };
        for spec in specs {
            let mut header = None;
            for file in spec.files()? {
                let first = header.is_none();
                let follows = spec.header == HeaderPolicy::FirstOnly && !first;
                let given = if follows { header.clone() } else { None };
                let kinds = |column: &str| mapping::column_kind(model, spec, column);
                let source = open(&file, spec, given, &kinds)?;
                header.get_or_insert(source.header);
                self.file(&mut run, spec, &file, source.format, source.records)?;
                if self.options.by_file {
                    self.close(&mut run)?;
                }
            }
        }
        self.close(&mut run)
    }

    fn file(
        &mut self,
        run: &mut ModelRun<'_>,
        spec: &SourceSpec,
        path: &Path,
        format: SourceFormat,
        mut records: Box<dyn RecordSource>,
    ) -> Result<(), StoreError> {
        let mut counts = SourceRun {
            path: path.into(),
            model: run.model.name.clone(),
            texts: format.is_text(),
            ..Default::default()
        };
        run.reader.set_texts(counts.texts);
        let total = fs::metadata(path).ok().map(|metadata| metadata.len());
        let subject = path.display().to_string();
        while let Some(found) = records.next()? {
            if counts.records.is_multiple_of(TICK) {
                let done = records.consumed();
                (self.progress)(Progress { phase: Phase::Read, subject: &subject, done, total });
            }
            counts.records += 1;
            self.record(run, spec, found, &mut counts)?;
        }
        let sum = counts.emitted + counts.repaired + counts.duplicates + counts.dropped + counts.quarantined;
        if sum != counts.records {
            let reason = format!("{} were read, {sum} are accounted for", counts.records);
            return Err(StoreError::CountsDiffer { path: path.into(), reason });
        }
        self.report.sources.push(counts);
        Ok(())
    }

    fn record(
        &mut self,
        run: &mut ModelRun<'_>,
        spec: &SourceSpec,
        mut found: Found,
        counts: &mut SourceRun,
    ) -> Result<(), StoreError> {
        let content = std::mem::replace(&mut found.content, Content::Record(Default::default(), None));
        let (key, text, repaired) = match run.read(spec, content) {
            Ok(read) => read,
            Err((fate, reason, raw)) => {
                counts.dropped += u64::from(fate == Fate::Dropped);
                counts.quarantined += u64::from(fate == Fate::Quarantined);
                return self.note(fate, counts, &found, reason, &raw);
            }
        };
        let digest = digest(&text);
        if run.newest(key_hash(&key))? == Some(digest) {
            counts.duplicates += 1;
            return Ok(());
        }
        match repaired {
            None => counts.emitted += 1,
            Some(reason) => {
                counts.repaired += 1;
                self.note(Fate::Repaired, counts, &found, reason, &text)?;
            }
        }
        let source = self.report.sources.len() as u32;
        let row = PreparedRow { key: &key, digest, record: &text, source, number: found.number };
        self.keep(run, &row)
    }

    fn note(
        &mut self,
        fate: Fate,
        counts: &SourceRun,
        found: &Found,
        reason: String,
        raw: &str,
    ) -> Result<(), StoreError> {
        let raw = super::found::cut(raw);
        self.log.add(fate, (&counts.model, &counts.path), found, &reason, &raw)?;
        if fate != Fate::Repaired && self.report.noticed.len() < REPORTED {
            let (file, number, bytes) = (counts.path.clone(), found.number, found.bytes);
            self.report.noticed.push(Noticed { fate, file, number, bytes, reason });
        }
        Ok(())
    }

    fn keep(&mut self, run: &mut ModelRun<'_>, row: &PreparedRow<'_>) -> Result<(), StoreError> {
        let full = |writer: &RowsWriter| writer.rows() >= self.options.partition_rows.max(1);
        if run.writer.as_ref().is_some_and(|(_, writer)| full(writer)) {
            self.close(run)?;
        }
        let (_, writer) = match &mut run.writer {
            Some(open) => open,
            None => {
                let name = self.manifest.next_partition();
                let path = self.dir.join(FOLDER).join(&name).join(file_name(&run.model.name) + ".arrow");
                run.writer.insert((name, RowsWriter::create(&path)?))
            }
        };
        writer.add(row)
    }

    /// Ends the partition that is being written, if there is one.
    fn close(&mut self, run: &mut ModelRun<'_>) -> Result<(), StoreError> {
        let Some((name, writer)) = run.writer.take() else { return Ok(()) };
        let model = &run.model.name;
        let place = format!("{FOLDER}/{name}/{}", file_name(model));
        let written = writer.finish()?;
        let keys = keys::write(self.dir, &format!("{place}.keys"), &written.digests)?;
        let folder = self.dir.join(FOLDER).join(&name);
        sync_folders(&folder)?;
        run.index.add(self.dir, (number(&name), false), &keys)?;
        let Some(schema) = self.manifest.model_schemas.get(model) else { return Ok(()) };
        let held = Held {
            rows: written.rows,
            schema_version: schema.version,
            prepared_version: schema.version,
            signature: schema.signature.clone(),
            origin: name.clone(),
            file: format!("{place}.arrow"),
            bytes: written.bytes,
            blake3: written.blake3,
            keys,
            applied_at: None,
            stale: None,
            dropped: None,
            retired: false,
        };
        self.report.partitions.push(Prepared { name: name.clone(), model: model.clone(), rows: held.rows });
        self.manifest.partitions.push(Partition {
            name,
            created_at: self.created_at.clone(),
            run: self.report.run.clone(),
            models: [(model.clone(), held)].into(),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<PrepareReport, StoreError> {
        self.report.log = self.log.finish()?;
        let total = self.report.total();
        let rows: u64 = self.report.partitions.iter().map(|partition| partition.rows).sum();
        if rows != total.emitted + total.repaired {
            let reason = format!("{} were taken, {rows} were written", total.emitted + total.repaired);
            return Err(StoreError::CountsDiffer { path: self.dir.join(FOLDER), reason });
        }
        self.manifest.runs.push(Run {
            id: self.report.run.clone(),
            created_at: self.created_at,
            sources: self.report.sources.clone(),
            partitions: self.report.partitions.iter().map(|partition| partition.name.clone()).collect(),
        });
        self.manifest.save(self.dir)?;
        Ok(self.report)
    }
}

impl ModelRun<'_> {
    /// The key of a record, its text, and what was repaired; or what happened to it instead, why, and what it was.
    fn read(&self, spec: &SourceSpec, content: Content) -> Result<Taken, (Fate, String, String)> {
        let (record, repaired) = match content {
            Content::Record(record, repaired) => (record, repaired),
            Content::Refused { reason, raw } => return Err((Fate::Quarantined, reason, raw)),
        };
        let record = Json::Object(mapping::mapped(record, &spec.columns));
        if let Some(field) = mapping::lacks(&record, &spec.drop_na_columns) {
            let reason = format!("it has no {field:?}");
            return Err((Fate::Dropped, reason, mapping::canonical(record)));
        }
        let checked = self.reader.check(&record);
        let text = mapping::canonical(record);
        match checked {
            Ok(key) => Ok((key, text, repaired)),
            Err(reason) => Err((Fate::Quarantined, reason, text)),
        }
    }

    /// The newest version of a record, here and in what was there before.
    fn newest(&self, key: u128) -> Result<Option<u128>, StoreError> {
        match self.writer.as_ref().and_then(|(_, writer)| writer.newest(key)) {
            Some(digest) => Ok(Some(digest)),
            None => Ok(self.index.newest(key)?.map(|(_, digest)| digest)),
        }
    }
}

/// A file name for a model: its name, or a hash if that could not be one.
pub fn file_name(model: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    match model.len() <= 100 && model.bytes().all(plain) {
        true => model.to_owned(),
        false => format!("model-{}", &blake3::hash(model.as_bytes()).to_hex()[..16]),
    }
}

/// Makes the names in a partition's folder durable, and that of the folder.
pub fn sync_folders(folder: &Path) -> Result<(), StoreError> {
    for path in folder.ancestors().take(3) {
        let synced = fs::File::open(path).and_then(|folder| folder.sync_all());
        synced.map_err(|source| StoreError::File { action: "write", path: path.into(), source })?;
    }
    Ok(())
}
