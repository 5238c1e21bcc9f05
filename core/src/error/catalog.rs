//! Errors about names: a collection, column, model or file that is not there, or cannot do what is asked of it.

use super::{ErrorKind, Quoted};
use crate::gather::Gather as _;

/// The statement or call names something that is not there. Each case lists the nearest names that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// No collection of that name. Remedy: use one of the near names, or `FROM *`.
    #[error("unknown collection {}{}", Quoted(name), suggest(near))]
    UnknownCollection {
        /// The name as asked.
        name: String,
        /// The nearest existing names, nearest first.
        near: Vec<String>,
    },
    /// None of the asked collections has that metadata column.
    #[error("unknown column {}{}", Quoted(name), suggest(near))]
    UnknownColumn {
        /// The dotted path as asked, without `metadata.`.
        name: String,
        /// The nearest existing paths, nearest first.
        near: Vec<String>,
    },
    /// The registry declares no model of that name.
    #[error("unknown model {}{}", Quoted(name), suggest(near))]
    UnknownModel {
        /// The name as asked.
        name: String,
        /// The nearest existing names, nearest first.
        near: Vec<String>,
    },
    /// The release names a file that the host did not bring.
    #[error(
        "the release needs the file {}, which is missing; copy the whole release directory",
        Quoted(name)
    )]
    MissingFile {
        /// The file's name inside the release.
        name: String,
    },
    /// A TEXT query, but the collection names no embedder that this release carries.
    #[error(
        "collection {} has no embedder in this release, so TEXT cannot be used; \
         pass the query as VECTOR [...] with {dimension} numbers",
        Quoted(collection)
    )]
    NoEmbedder {
        /// The collection asked.
        collection: String,
        /// The dimension of its vectors.
        dimension: u32,
    },
    /// The statement asks for an embedder (`MODEL`) that did not make the collection's vectors.
    #[error(
        "the vectors were made by the embedder {0}, not {1}; leave MODEL out or name {0}",
        Quoted(used),
        Quoted(name)
    )]
    OtherEmbedder {
        /// The name as asked.
        name: String,
        /// The embedder that made the vectors.
        used: String,
    },
    /// The registry file declares no embedder of that name, but a collection is filled by it.
    #[error(
        "the registry declares no embedder {}; add [embedder.{name}], or name the registry that has it",
        Quoted(name)
    )]
    UndeclaredEmbedder {
        /// The name that the collection's models gave.
        name: String,
    },
    /// A clause that compares distances, over collections whose distances mean different things.
    #[error(
        "collections {} and {} differ in {difference}, so {clause} cannot compare their distances; \
         ask them in separate statements",
        Quoted(first),
        Quoted(second)
    )]
    MixedSpaces {
        /// One collection.
        first: String,
        /// Another that does not fit it.
        second: String,
        /// What differs: "metric", "dimension" or "embedder".
        difference: &'static str,
        /// What needs one meaning: "WITH SCORE THRESHOLD", "RERANK BY MMR" or "AFTER".
        clause: &'static str,
    },
    /// A routing file that cannot be used. Remedy: correct the named place.
    #[error("the routing file cannot be used: {place} {reason}")]
    BadRouting {
        /// Where in the file: `model_to_collections["book"].collections[1]`.
        place: String,
        /// What is wrong there.
        reason: String,
    },
    /// Routing is strict, and the statement does not say which collections it needs.
    #[error(
        "the statement cannot be routed: records without {column} may pass WHERE; \
         add a test of {column} that holds for the whole of WHERE, or let routing fall back to all collections"
    )]
    Unrouted {
        /// The column that routing goes by.
        column: String,
    },
    /// SIMILARITY asks for a metric that the stored vectors do not allow.
    #[error(
        "collection {} keeps its vectors at unit length, so {asked} of the original ones cannot be computed; \
         leave SIMILARITY out or write SIMILARITY COSINE",
        Quoted(collection)
    )]
    SimilarityNotPossible {
        /// The collection asked.
        collection: String,
        /// The metric as written: "L2" or "IP".
        asked: &'static str,
    },
    /// The statement took longer than its caller allows. Nothing is left half done.
    #[error(
        "the statement was stopped after {millis} ms, its timeout; ask fewer collections, add a WHERE that leaves \
         collections out, or allow more time"
    )]
    TimedOut {
        /// The timeout in milliseconds.
        millis: u64,
    },
    /// The caller stopped the statement.
    #[error("the statement was stopped by its caller; run it again for an answer")]
    Stopped,
    /// The statement needs vectors, and the collection was exported without.
    #[error(
        "collection {} was exported without its vectors, so their exact distances and EMBEDDING cannot be had; \
         export it with vectors, as f16 for instance",
        Quoted(collection)
    )]
    NoVectors {
        /// The collection asked.
        collection: String,
    },
    /// The release has no collections at all.
    #[error("the release holds no collections; export at least one")]
    EmptyRelease,
}

impl CatalogError {
    /// Whose turn it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::BadRouting { .. } | Self::Unrouted { .. } | Self::SimilarityNotPossible { .. } => {
                ErrorKind::Usage
            }
            Self::TimedOut { .. } | Self::Stopped => ErrorKind::Io,
            _ => ErrorKind::NotFound,
        }
    }

    /// The fixed number of this error.
    pub fn code(&self) -> u32 {
        match self {
            Self::UnknownCollection { .. } => 2001,
            Self::UnknownColumn { .. } => 2002,
            Self::UnknownModel { .. } => 2003,
            Self::MissingFile { .. } => 2004,
            Self::NoEmbedder { .. } => 2005,
            Self::EmptyRelease => 2006,
            Self::OtherEmbedder { .. } => 2007,
            Self::MixedSpaces { .. } => 2008,
            Self::UndeclaredEmbedder { .. } => 2009,
            Self::BadRouting { .. } => 2010,
            Self::Unrouted { .. } => 2011,
            Self::SimilarityNotPossible { .. } => 2012,
            Self::TimedOut { .. } => 2013,
            Self::Stopped => 2014,
            Self::NoVectors { .. } => 2015,
        }
    }
}

fn suggest(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [one] => format!("; did you mean {}?", Quoted(one)),
        many => {
            let quoted: Vec<String> = many.iter().map(|name| Quoted(name).to_string()).gather();
            format!("; did you mean one of {}?", quoted.join(", "))
        }
    }
}

/// The up to three names nearest to `name` by edit distance, nearest first, ties by name. Names further than half
/// the length of `name` (at least two edits) are left out, unless they contain it. O(names x length squared), where names
/// of very different length cost nothing.
pub fn near_names<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    nearest(name, &mut names.into_iter())
}

fn nearest(name: &str, names: &mut dyn Iterator<Item = &str>) -> Vec<String> {
    let length = name.chars().count();
    let limit = (length / 2).max(2);
    // Unicode's tables of letter case are 8 kB of the compressed wasm module; a hint is not worth them.
    let folded = name.to_ascii_lowercase();
    let mut nearest: Vec<(usize, &str)> = Vec::new();
    for candidate in names {
        // The standard library's search for texts is 2 kB of the compressed wasm module.
        let contains =
            length > 0 && candidate.as_bytes().windows(name.len()).any(|part| part == name.as_bytes());
        let far = candidate.chars().count().abs_diff(length) > limit;
        let edits = if far { limit + 1 } else { edit_distance(&folded, &candidate.to_ascii_lowercase()) };
        let scored = (if contains { edits.min(limit) } else { edits }, candidate);
        if scored.0 <= limit && !nearest.contains(&scored) {
            let place = nearest.partition_point(|known| *known < scored);
            nearest.insert(place, scored);
            nearest.truncate(3);
        }
    }
    nearest.into_iter().map(|(_, candidate)| String::from(candidate)).gather()
}

/// Levenshtein's distance over characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().gather();
    let mut row: Vec<usize> = (0..=b.len()).gather();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_few_and_nearest_first() {
        let names = ["noun.animal", "noun.plant", "noun.artifact", "verb.motion"];
        assert_eq!(near_names("noun.anmal", names)[0], "noun.animal");
        assert_eq!(near_names("animal", names), ["noun.animal"]);
        assert!(near_names("zzzzzzzz", names).is_empty());
        assert_eq!(
            near_names("noun", ["noun.c", "noun.a", "noun.d", "noun.a", "noun.b"]),
            ["noun.a", "noun.b", "noun.c"]
        );
        // A statement may hold a name of a megabyte; comparing it letter by letter with many names takes minutes.
        assert!(near_names(&"x".repeat(1 << 20), vec!["noun.animal"; 100_000]).is_empty());
    }
}
