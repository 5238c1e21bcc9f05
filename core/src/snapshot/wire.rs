//! The parts of a description, read: bincode 2.0.1's standard configuration, by hand.
//!
//! bincode's derived reader is nine times the code, in a module that every page loads. What is wrong is `None`: the
//! caller knows the place.

/// The bytes not read yet.
pub struct Input<'b>(pub &'b [u8]);

impl<'b> Input<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// One byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A whole number of at most 64 bits: one byte up to 250, or how many follow.
    pub fn number(&mut self) -> Option<u64> {
        let width = match self.byte()? {
            small @ 0..=250 => return Some(small.into()),
            251 => 2,
            252 => 4,
            253 => 8,
            _ => return None,
        };
        let bytes = self.take(width)?;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// A whole number of at most 32 bits.
    pub fn small(&mut self) -> Option<u32> {
        if self.0.first() == Some(&253) { None } else { self.number()?.try_into().ok() }
    }

    /// A whole number with a sign, in zigzag.
    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// A double.
    pub fn float(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(*self.take(8)?.first_chunk()?))
    }

    /// A single.
    pub fn single(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    /// True or false.
    pub fn bool(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&mut self) -> Option<String> {
        let length = self.number()?.try_into().ok()?;
        str::from_utf8(self.take(length)?).ok().map(String::from)
    }

    /// Something that may be missing.
    pub fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.bool()? { Some(Some(read(self)?)) } else { Some(None) }
    }

    /// A list. Every item is at least a byte, so a forged length ends with the bytes.
    pub fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for _ in 0..self.number()? {
            items.push(read(self)?);
        }
        Some(items)
    }
}
