//! Sketches: small sets that may say yes to a value they do not hold, and never no to one they do.
//!
//! A Bloom filter of ten bits a value, which is wrong for less than one value in a hundred. Hash and probes are part of
//! the file format: docs/format.md describes them.

use crate::{base64, schema::Value};

/// Bits for each value.
const BITS_PER_VALUE: usize = 10;
/// How many bits a value sets.
const PROBES: u64 = 7;

/// A set of values of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch(Vec<u8>);

impl Sketch {
    /// How many bytes a sketch of so many distinct values takes.
    pub fn size(values: usize) -> usize {
        (values * BITS_PER_VALUE).div_ceil(8).max(1)
    }

    /// The sketch of values with these [hashes](hash), each once.
    pub fn new(hashes: &[u64]) -> Self {
        let mut bytes = vec![0_u8; Self::size(hashes.len())];
        for hash in hashes {
            for bit in probes(*hash, bytes.len()) {
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte |= 1 << (bit % 8);
                }
            }
        }
        Self(bytes)
    }

    /// The sketch of these bytes; `None` if there are none.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// False only if no value of the field equals this one.
    pub fn may_hold(&self, value: &Value) -> bool {
        hash(value).is_none_or(|hash| {
            probes(hash, self.0.len())
                .all(|bit| self.0.get(bit / 8).is_none_or(|byte| byte >> (bit % 8) & 1 == 1))
        })
    }

    /// The bytes in base64 without padding.
    pub fn to_base64(&self) -> String {
        base64::encode(&self.0, base64::STANDARD)
    }

    /// Reads what [`to_base64`](Self::to_base64) wrote; `None` for anything else.
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_bytes(base64::decode(text, base64::STANDARD)?)
    }
}

/// The bits of a hash in a sketch of so many bytes.
fn probes(hash: u64, bytes: usize) -> impl Iterator<Item = usize> {
    let (first, step) = (hash & 0xffff_ffff, hash >> 32 | 1);
    let bits = bytes.max(1) as u64 * 8;
    (0..PROBES).map(move |probe| ((first + probe * step) % bits) as usize)
}

/// The hash of a value: equal values have equal hashes, integers and floats that are mathematically equal too. `None`
/// for what sketches do not hold.
pub fn hash(value: &Value) -> Option<u64> {
    Some(match value {
        Value::Int(value) => fnv(1, &value.to_le_bytes()),
        Value::Float(value) => match whole(*value) {
            Some(whole) => fnv(1, &whole.to_le_bytes()),
            None => fnv(2, &value.to_le_bytes()),
        },
        Value::Text(text) => fnv(3, text.as_bytes()),
        Value::Time(micros) => fnv(4, &micros.to_le_bytes()),
        _ => return None,
    })
}

fn whole(value: f64) -> Option<i64> {
    let whole = value as i64;
    super::compare::compare_int_float(whole, value)?.is_eq().then_some(whole)
}

/// FNV-1a over a byte for the type and the value's bytes, and a last mixing, without which its high bits are poor.
fn fnv(kind: u8, bytes: &[u8]) -> u64 {
    let mut hash = std::iter::once(&kind).chain(bytes).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: usize) -> Value {
        Value::Text(format!("value {number}"))
    }

    #[test]
    fn what_is_held_is_never_denied_and_little_else_is_claimed() {
        let hashes: Vec<u64> = (0..1000).map(|number| hash(&text(number)).unwrap()).collect();
        let sketch = Sketch::new(&hashes);
        assert_eq!(sketch.bytes().len(), 1250);
        assert!((0..1000).all(|number| sketch.may_hold(&text(number))));
        let claimed = (1000..101_000).filter(|number| sketch.may_hold(&text(*number))).count();
        assert!((500..1200).contains(&claimed), "{claimed} of 100,000");
    }

    #[test]
    fn equal_numbers_hash_alike() {
        for (int, float) in
            [(0, -0.0), (3, 3.0), (-7, -7.0), (1 << 53, 9_007_199_254_740_992.0), (i64::MIN, i64::MIN as f64)]
        {
            assert_eq!(hash(&Value::Int(int)), hash(&Value::Float(float)), "{int}");
        }
        let different = [
            Value::Int(1),
            Value::Float(1.5),
            Value::Text("1".into()),
            Value::Time(1),
            Value::Int(i64::MAX),
            Value::Float(9.3e18),
        ];
        let mut hashes: Vec<u64> = different.iter().filter_map(hash).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), different.len());
    }

    /// The format fixes these: another hash would make the sketches of old files lie.
    #[test]
    fn hashes_stay_what_the_format_says() {
        assert_eq!(hash(&Value::Text("portolan".into())), Some(0x8e65_c421_e68f_4f58));
        assert_eq!(hash(&Value::Int(42)), Some(0x3239_a611_418a_928f));
        assert_eq!(hash(&Value::Bool(true)), None);
    }

    #[test]
    fn a_sketch_comes_back_from_its_text() {
        let sketch = Sketch::new(&[1, 2, 3]);
        assert_eq!(Sketch::from_base64(&sketch.to_base64()), Some(sketch));
        assert_eq!(["", "AB", "A-_A"].map(Sketch::from_base64), [None, None, None]);
    }
}
