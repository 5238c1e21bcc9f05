//! Letters by arithmetic: upper and lower case of Latin, Greek and Cyrillic, and what counts as a letter there.
//!
//! ILIKE and `(?i)` share this. The full Unicode tables would be kilobytes of the wasm module; in these scripts case is
//! a constant distance or an alternation, so that a few dozen rows hold Unicode's simple case folding. Left out are the
//! scattered letters of U+0180 to U+024F whose pairs stand elsewhere, polytonic Greek, and all other scripts.

/// From the first to the last, every `stride`-th character folds to itself plus `distance`.
struct Row(u16, u16, i16, u16);

const ROWS: [Row; 48] = [
    Row(0x41, 0x5a, 32, 1),
    Row(0xb5, 0xb5, 775, 1),
    Row(0xc0, 0xd6, 32, 1),
    Row(0xd8, 0xde, 32, 1),
    Row(0x100, 0x12e, 1, 2),
    Row(0x132, 0x136, 1, 2),
    Row(0x139, 0x147, 1, 2),
    Row(0x14a, 0x176, 1, 2),
    Row(0x178, 0x178, -121, 1),
    Row(0x179, 0x17d, 1, 2),
    Row(0x17f, 0x17f, -268, 1),
    Row(0x1cd, 0x1db, 1, 2),
    Row(0x1de, 0x1ee, 1, 2),
    Row(0x1f8, 0x21e, 1, 2),
    Row(0x222, 0x232, 1, 2),
    Row(0x246, 0x24e, 1, 2),
    Row(0x345, 0x345, 116, 1),
    Row(0x370, 0x372, 1, 2),
    Row(0x386, 0x386, 38, 1),
    Row(0x388, 0x38a, 37, 1),
    Row(0x38c, 0x38c, 64, 1),
    Row(0x38e, 0x38f, 63, 1),
    Row(0x391, 0x3a1, 32, 1),
    Row(0x3a3, 0x3ab, 32, 1),
    Row(0x3c2, 0x3c2, 1, 1),
    Row(0x3d0, 0x3d0, -30, 1),
    Row(0x3d1, 0x3d1, -25, 1),
    Row(0x3d5, 0x3d5, -15, 1),
    Row(0x3d6, 0x3d6, -22, 1),
    Row(0x3d8, 0x3ee, 1, 2),
    Row(0x3f0, 0x3f0, -54, 1),
    Row(0x3f1, 0x3f1, -48, 1),
    Row(0x3f4, 0x3f4, -60, 1),
    Row(0x3f5, 0x3f5, -64, 1),
    Row(0x400, 0x40f, 80, 1),
    Row(0x410, 0x42f, 32, 1),
    Row(0x460, 0x480, 1, 2),
    Row(0x48a, 0x4be, 1, 2),
    Row(0x4c0, 0x4c0, 15, 1),
    Row(0x4c1, 0x4cd, 1, 2),
    Row(0x4d0, 0x52e, 1, 2),
    Row(0x1e00, 0x1e94, 1, 2),
    Row(0x1e9b, 0x1e9b, -58, 1),
    Row(0x1e9e, 0x1e9e, -7615, 1),
    Row(0x1ea0, 0x1efe, 1, 2),
    Row(0x2126, 0x2126, -7517, 1),
    Row(0x212a, 0x212a, -8383, 1),
    Row(0x212b, 0x212b, -8262, 1),
];

impl Row {
    fn holds(&self, number: u32) -> bool {
        (u32::from(self.0)..=u32::from(self.1)).contains(&number)
            && (number - u32::from(self.0)).is_multiple_of(u32::from(self.3))
    }
}

/// The character that stands for all cases of `c`: the lower case, mostly.
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let number = u32::from(c);
    let found = ROWS.iter().find(|row| row.holds(number));
    found.and_then(|row| char::from_u32(number.wrapping_add_signed(row.2.into()))).unwrap_or(c)
}

/// Whether `test` holds for `c` or for the same letter in another case.
pub(super) fn any_case(c: char, test: &dyn Fn(u32) -> bool) -> bool {
    let folded = u32::from(fold(c));
    test(c.into())
        || test(folded)
        || ROWS.iter().any(|row| {
            let other = folded.wrapping_add_signed(-i32::from(row.2));
            row.holds(other) && test(other)
        })
}

/// Letters, digits and `_`: what `\w` means. Sorted.
pub(super) const WORD: [(u32, u32); 24] = [
    (0x30, 0x39),
    (0x41, 0x5a),
    (0x5f, 0x5f),
    (0x61, 0x7a),
    (0xaa, 0xaa),
    (0xb5, 0xb5),
    (0xba, 0xba),
    (0xc0, 0xd6),
    (0xd8, 0xf6),
    (0xf8, 0x2c1),
    (0x300, 0x374),
    (0x376, 0x377),
    (0x37a, 0x37d),
    (0x37f, 0x37f),
    (0x386, 0x386),
    (0x388, 0x38a),
    (0x38c, 0x38c),
    (0x38e, 0x3a1),
    (0x3a3, 0x3f5),
    (0x3f7, 0x481),
    (0x483, 0x52f),
    (0x1e00, 0x1eff),
    (0x2126, 0x2126),
    (0x212a, 0x212b),
];

/// What `\d` means. Sorted.
pub(super) const DIGIT: [(u32, u32); 1] = [(0x30, 0x39)];

/// Unicode's white space: what `\s` means. Sorted.
pub(super) const SPACE: [(u32, u32); 10] = [
    (0x9, 0xd),
    (0x20, 0x20),
    (0x85, 0x85),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
];

/// Whether `\w` matches the character.
pub(super) fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    WORD.iter().any(|(first, last)| (*first..=*last).contains(&c.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of every character that folds here, the standard library's lower and upper case agree.
    #[test]
    fn folding_is_that_of_unicode() {
        let mut folded = 0;
        for c in ('\0'..='\u{ffff}').filter(|c| fold(*c) != *c) {
            let other = fold(c);
            assert_eq!(fold(other), other, "{c:?} folds twice");
            let lower = |c: char| c.to_lowercase().to_string();
            let upper = |c: char| c.to_uppercase().to_string();
            assert!(lower(c) == lower(other) || upper(c) == upper(other), "{c:?} {other:?}");
            assert!(any_case(other, &|number| number == u32::from(c)), "{c:?} is not reached from {other:?}");
            folded += 1;
        }
        assert!(folded > 400, "{folded}");
    }

    #[test]
    fn pairs_of_the_three_scripts_are_one() {
        for (a, b) in
            ["ÄÖÜÉÇØÞŸŁŽŐ".chars().zip("äöüéçøþÿłžő".chars()), "ΑΩΣΆΎΏϴ".chars().zip("αωςάύώθ".chars())]
                .into_iter()
                .flatten()
                .chain("ЖЯЁЇҐӁӐ".chars().zip("жяёїґӂӑ".chars()))
        {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        assert_ne!(fold('İ'), 'i');
        assert_eq!(fold('×'), '×');
    }
}
