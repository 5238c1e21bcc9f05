//! A static embedder from its folder: `config.json`, `vocab.txt` and `model.safetensors`.
//!
//! Use it when building a release, whose snapshots can then carry the embedder, and to embed on the command line. It
//! reads the int8 layout only; a table of floats must be quantized first. It downloads nothing.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    embed::{StaticEmbedder, WordPiece},
    error::{InputError, StoreError},
};

const MODEL: &str = "model.safetensors";

/// Loads the static embedder in `folder`.
///
/// `config.json` gives `name` and `dimension`; what else it says about the method must be what this library does.
/// `model.safetensors` holds `embeddings` (I8, `tokens x dimension`) and `scales` (F32, `tokens`). Costs a read of the
/// files, the copy of the table and a hash of it.
///
/// # Errors
/// [`StoreError::File`] if a file cannot be read; [`InputError::BadEmbedder`] if one is not what it should be.
pub fn load_static(folder: &Path) -> crate::Result<StaticEmbedder> {
    let config: Config = parse("config.json", &read(folder, "config.json")?)?;
    config.check()?;
    let vocab = String::from_utf8(read(folder, "vocab.txt")?).map_err(|e| bad("vocab.txt", e))?;
    let model = read(folder, MODEL)?;
    let tensors = Tensors::new(&model)?;
    let rows = tensors.get("embeddings", "I8", 1)?;
    if rows.shape.get(1) != Some(&u64::from(config.dimension)) {
        let reason = format!("embeddings has shape {:?}, config.json says {}", rows.shape, config.dimension);
        return Err(bad(MODEL, reason).into());
    }
    let scales = tensors.get("scales", "F32", 4)?;
    let scales = scales.data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Ok(StaticEmbedder::new(config.name, &vocab, rows.data.to_vec(), scales, config.dimension)?)
}

/// The tokenizer alone of the static embedder in `folder`: cheap, because it needs no table.
///
/// # Errors
/// Like [`load_static`].
pub fn load_tokenizer(folder: &Path) -> crate::Result<WordPiece> {
    let vocab = String::from_utf8(read(folder, "vocab.txt")?).map_err(|e| bad("vocab.txt", e))?;
    Ok(WordPiece::from_vocab(&vocab)?)
}

fn read(folder: &Path, name: &str) -> crate::Result<Vec<u8>> {
    let path = folder.join(name);
    std::fs::read(&path).map_err(|source| StoreError::File { action: "read", path, source }.into())
}

fn parse<'a, T: Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T, InputError> {
    serde_json::from_slice(bytes).map_err(|e| bad(name, e))
}

fn bad(name: &str, reason: impl std::fmt::Display) -> InputError {
    InputError::BadEmbedder { reason: format!("{name}: {reason}") }
}

/// `config.json`. The fields about the method may be absent.
#[derive(Deserialize)]
struct Config {
    name: String,
    dimension: u32,
    tokenizer: Option<String>,
    pooling: Option<String>,
    normalize: Option<bool>,
    unknown: Option<String>,
    special_tokens: Option<String>,
    max_tokens: Option<u64>,
}

impl Config {
    /// Refuses a method that would give other vectors than this library's only one.
    fn check(&self) -> Result<(), InputError> {
        let texts = [
            ("tokenizer", &self.tokenizer, "bert-uncased-wordpiece"),
            ("pooling", &self.pooling, "sum"),
            ("unknown", &self.unknown, "drop"),
            ("special_tokens", &self.special_tokens, "none"),
        ];
        for (field, value, supported) in texts {
            if let Some(value) = value.as_deref().filter(|value| *value != supported) {
                return Err(bad("config.json", format!("{field} is {value:?}, only {supported:?} is known")));
            }
        }
        if self.normalize == Some(false) || self.max_tokens.is_some() {
            return Err(bad("config.json", "normalize must be true and max_tokens null"));
        }
        Ok(())
    }
}

/// A safetensors file: the header's length as a u64, the header in JSON, then the data the header's offsets count in.
struct Tensors<'a> {
    header: Map<String, Value>,
    data: &'a [u8],
}

/// One entry of the header.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// One tensor: its data are as long as its shape asks.
struct Tensor<'a> {
    shape: Vec<u64>,
    data: &'a [u8],
}

impl<'a> Tensors<'a> {
    fn new(file: &'a [u8]) -> Result<Self, InputError> {
        let short = || bad(MODEL, "the header is cut off");
        let (length, rest) = file.split_first_chunk::<8>().ok_or_else(short)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(short)?;
        Ok(Self { header: parse(MODEL, header)?, data })
    }

    fn get(&self, name: &str, dtype: &str, item_bytes: u64) -> Result<Tensor<'a>, InputError> {
        let entry = self.header.get(name).ok_or_else(|| bad(MODEL, format!("there is no {name}")))?;
        let entry = Entry::deserialize(entry).map_err(|e| bad(MODEL, format!("{name}: {e}")))?;
        if entry.dtype != dtype {
            return Err(bad(MODEL, format!("{name} is of type {}, not {dtype}", entry.dtype)));
        }
        let [start, end] = entry.data_offsets;
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let data = range.and_then(|(start, end)| self.data.get(start..end));
        let expected = entry.shape.iter().try_fold(item_bytes, |bytes, n| bytes.checked_mul(*n));
        match data {
            Some(data) if Some(data.len() as u64) == expected => Ok(Tensor { shape: entry.shape, data }),
            _ => Err(bad(
                MODEL,
                format!(
                    "{name}: bytes {start} to {end} of {} do not hold {:?}",
                    self.data.len(),
                    entry.shape
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"embeddings":{"dtype":"I8","shape":[3,2],"data_offsets":[0,6]},
        "scales":{"dtype":"F32","shape":[3],"data_offsets":[6,18]}}"#;
    const CONFIG: &str = r#"{"name":"tiny","dimension":2,"pooling":"sum","normalize":true}"#;

    /// Writes a folder of three tokens with that configuration and header, loads it, and removes it.
    fn load(case: &str, config: &str, header: &str) -> crate::Result<StaticEmbedder> {
        let folder = std::env::temp_dir().join(format!("portolan-static-{}-{case}", std::process::id()));
        let mut model = (header.len() as u64).to_le_bytes().to_vec();
        model.extend(header.as_bytes());
        model.extend([3, 0, 0, 252, 1, 1]);
        model.extend([1.0_f32; 3].iter().flat_map(|scale| scale.to_le_bytes()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.json"), config).unwrap();
        std::fs::write(folder.join("vocab.txt"), "a\nb\nc\n").unwrap();
        std::fs::write(folder.join(MODEL), model).unwrap();
        let loaded = load_static(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        loaded
    }

    #[test]
    fn a_folder_becomes_an_embedder() {
        use crate::embed::Embedder;
        let embedder = load("good", CONFIG, HEADER).unwrap();
        assert_eq!((embedder.id().name.as_str(), embedder.id().dimension), ("tiny", 2));
        assert_eq!(embedder.embed(&["a B"]), [Ok(vec![0.6, -0.8])]);
    }

    #[test]
    fn forged_headers_are_refused() {
        let forged = [
            ("past-the-end", HEADER.replace("[6,18]", "[6,19]")),
            ("backwards", HEADER.replace("[0,6]", "[6,0]")),
            ("overflow", HEADER.replace("[3,2]", "[9223372036854775808,2]")),
            ("negative", HEADER.replace("[0,6]", "[-1,6]")),
            ("type", HEADER.replace("I8", "F16")),
            ("flat", HEADER.replace("[3,2]", "[6]")),
            ("missing", HEADER.replace("scales", "other")),
            ("no-json", String::from("{")),
        ];
        for (case, header) in forged {
            let refused = load(case, CONFIG, &header);
            assert!(matches!(refused, Err(crate::Error::Input(InputError::BadEmbedder { .. }))), "{case}");
        }
    }

    #[test]
    fn a_header_that_is_cut_off_is_refused() {
        assert!(Tensors::new(&[1, 0, 0]).is_err());
        assert!(Tensors::new(&[255; 8]).is_err());
        assert!(Tensors::new(&[3, 0, 0, 0, 0, 0, 0, 0, b'{', b'}']).is_err());
    }

    #[test]
    fn another_method_or_dimension_is_refused() {
        assert!(load("mean", &CONFIG.replace("sum", "mean"), HEADER).is_err());
        assert!(load("raw", &CONFIG.replace("true", "false"), HEADER).is_err());
        assert!(load("three", &CONFIG.replace("2", "3"), HEADER).is_err());
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = load_static(Path::new("/nonexistent"));
        assert!(matches!(missing, Err(crate::Error::Store(StoreError::File { action: "read", .. }))));
    }
}
