//! The identity of an embedder: everything that changes its vectors, in one fingerprint.
//!
//! Use it for every provider that does not hash its own weights whole. Two embedders with one fingerprint share their
//! cached vectors, so whatever changes an output belongs here; what does not (batch size, address, speed) must not.

use crate::schema::EmbedderId;

/// How the vectors of tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Pooling {
    /// The mean of the tokens.
    #[default]
    Mean,
    /// The first token.
    Cls,
    /// The sum of the tokens.
    Sum,
    /// The last token.
    Last,
    /// The provider does not say.
    Unknown,
}

/// Whether vectors mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They do.
    #[default]
    Real,
    /// They are made up, for tests.
    Fake,
}

/// Everything that changes an embedder's vectors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Which code or service makes them: `callback`, `candle`, a host's name.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Its revision, or the hash of its weights.
    pub revision: String,
    /// The tokenizer, or its hash, where it is not part of the revision.
    pub tokenizer: String,
    /// The length of vectors.
    pub dimension: u32,
    /// The numbers that it computes with: `f32`, `f16`, `i8`.
    pub number: String,
    /// How the vectors of tokens become one.
    pub pooling: Pooling,
    /// Whether vectors are scaled to unit length.
    pub normalized: bool,
    /// The most tokens that reach a vector.
    pub max_tokens: Option<u64>,
    /// What is put in front of every text.
    pub prefix: String,
    /// Whether vectors mean anything.
    pub mode: Mode,
}

impl Identity {
    /// The identity as stores keep it. Fingerprints of fake embedders begin with `fake-`, those of others are hexadecimal
    /// numbers: they can never be equal.
    pub fn id(&self) -> EmbedderId {
        let hash = self.hash().to_hex();
        let fingerprint = match self.mode {
            Mode::Real => hash.to_string(),
            Mode::Fake => format!("fake-{hash}"),
        };
        EmbedderId { name: self.model.clone(), fingerprint, dimension: self.dimension }
    }

    fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_derive_key("portolan 1: the identity of an embedder");
        let pooling = format!("{:?}", self.pooling);
        let mode = format!("{:?}", self.mode);
        let texts = [
            &self.provider,
            &self.model,
            &self.revision,
            &self.tokenizer,
            &self.number,
            &self.prefix,
            &pooling,
            &mode,
        ];
        for text in texts {
            // With its length, so that texts cannot run together.
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        hasher.update(&self.dimension.to_le_bytes());
        hasher.update(&[u8::from(self.normalized), u8::from(self.max_tokens.is_some())]);
        hasher.update(&self.max_tokens.unwrap_or(0).to_le_bytes());
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_whatever_changes_vectors_changes_the_identity() {
        let base = || Identity { model: "m".into(), dimension: 4, ..Identity::default() };
        let variants = [
            base(),
            Identity { provider: "p".into(), ..base() },
            Identity { model: "m2".into(), ..base() },
            Identity { revision: "r".into(), ..base() },
            Identity { tokenizer: "t".into(), ..base() },
            Identity { dimension: 5, ..base() },
            Identity { number: "f16".into(), ..base() },
            Identity { pooling: Pooling::Cls, ..base() },
            Identity { normalized: true, ..base() },
            Identity { max_tokens: Some(0), ..base() },
            Identity { max_tokens: Some(256), ..base() },
            Identity { prefix: "query: ".into(), ..base() },
            Identity { mode: Mode::Fake, ..base() },
        ];
        let prints: std::collections::BTreeSet<String> =
            variants.iter().map(|identity| identity.id().fingerprint).collect();
        assert_eq!(prints.len(), variants.len());
        assert_eq!(base().id(), base().id());
    }

    #[test]
    fn c4_a_fake_never_shares_an_identity_with_a_real_embedder() {
        let real = Identity { provider: "fake".into(), model: "fake".into(), ..Identity::default() };
        let fake = Identity { mode: Mode::Fake, ..real.clone() };
        assert!(real.id().fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(fake.id().fingerprint.starts_with("fake-"), "no hexadecimal number has a k or a dash");
    }
}
