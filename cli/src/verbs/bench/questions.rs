//! What is asked: vectors, or texts that the release's embedder turns into vectors.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use portolan::{
    native::vectors::VectorFile,
    query::{Param, Params},
    schema::Value,
};
use serde_json::Value as Json;

use crate::outcome::Failure;

/// The questions of a run.
pub enum Questions {
    /// As vectors.
    Vectors(Vec<Vec<f32>>),
    /// As texts.
    Texts(Vec<String>),
}

impl Questions {
    /// Reads a file of vectors.
    pub fn vectors(path: &Path) -> Result<Self, Failure> {
        Ok(Self::Vectors(VectorFile::read_all(path, None).map_err(portolan::Error::from)?))
    }

    /// Reads a file of texts.
    pub fn texts(path: &Path) -> Result<Self, Failure> {
        let text = |line: String| match serde_json::from_str(&line) {
            Ok(Json::Object(object)) => match object.get("text") {
                Some(Json::String(text)) => Ok(text.clone()),
                _ => Err(Failure::wrong_use(format!("{}: no \"text\" in {line}", path.display()))),
            },
            _ => Ok(line),
        };
        lines(path)?.into_iter().map(text).collect::<Result<_, _>>().map(Self::Texts)
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Vectors(vectors) => vectors.len(),
            Self::Texts(texts) => texts.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the first ones.
    pub fn truncate(&mut self, len: usize) {
        match self {
            Self::Vectors(vectors) => vectors.truncate(len),
            Self::Texts(texts) => texts.truncate(len),
        }
    }

    /// What USING EMBEDDING says of them.
    pub fn probe(&self) -> &'static str {
        match self {
            Self::Vectors(_) => "VECTOR ?",
            Self::Texts(_) => "TEXT ?",
        }
    }

    /// One question, if it is a vector.
    pub fn vector(&self, number: usize) -> Option<&[f32]> {
        match self {
            Self::Vectors(vectors) => vectors.get(number).map(Vec::as_slice),
            Self::Texts(_) => None,
        }
    }

    /// One question as the statement's parameter; none beyond the last.
    pub fn params(&self, number: usize) -> Params {
        let param = match self {
            Self::Vectors(vectors) => vectors.get(number).map(|vector| Param::Vector(vector.clone())),
            Self::Texts(texts) => texts.get(number).map(|text| Value::Text(text.clone()).into()),
        };
        param.into_iter().fold(Params::none(), Params::push)
    }
}

/// The lines of a plain or gzipped file that are not blank.
pub fn lines(path: &Path) -> Result<Vec<String>, Failure> {
    let read = || -> std::io::Result<Vec<String>> {
        let mut file = BufReader::new(File::open(path)?);
        let input: Box<dyn Read> = match file.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
            true => Box::new(flate2::read::MultiGzDecoder::new(file)),
            false => Box::new(file),
        };
        let lines = BufReader::new(input).lines();
        lines.filter(|line| line.as_ref().map_or(true, |line| !line.trim().is_empty())).collect()
    };
    read().map_err(|error| Failure::wrong_use(format!("cannot read {}: {error}", path.display())))
}
