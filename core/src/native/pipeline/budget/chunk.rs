//! Dividing a text into overlapping pieces.

use super::segments::Segments;
use crate::native::embed::Tokenizer;

/// The pieces of a text, each of at most `most` tokens, which share up to `overlap` tokens with the piece before. They cover
/// all words. A text without words is one piece, as it is.
pub fn chunks(tokenizer: &dyn Tokenizer, text: &str, most: usize, overlap: usize) -> Vec<String> {
    if text.trim().is_empty() || tokenizer.count(text) <= most {
        return vec![text.to_owned()];
    }
    let segments = Segments::new(tokenizer, text);
    let atoms = atoms(&segments, text, most.saturating_sub(segments.overhead()).max(1));
    let (mut pieces, mut first) = (Vec::new(), 0);
    while first < atoms.len() {
        let last = reach(tokenizer, text, &atoms, first, most);
        pieces.push(piece(text, &atoms, first, last).to_owned());
        if last + 1 >= atoms.len() {
            break;
        }
        first = next(&atoms, first, last, overlap);
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Parts that are not divided further: segments, or parts of one that has too many tokens by itself.
struct Atom {
    start: usize,
    end: usize,
    tokens: usize,
}

fn atoms(segments: &Segments<'_>, text: &str, room: usize) -> Vec<Atom> {
    let (mut atoms, mut start) = (Vec::new(), 0);
    for end in segments.ends() {
        while start < end {
            let rest = text.get(start..end).unwrap_or_default();
            let places: Vec<usize> = rest.char_indices().map(|(at, c)| start + at + c.len_utf8()).collect();
            let stop = |chars: usize| places.get(chars.saturating_sub(1)).copied().unwrap_or(end);
            let whole = segments.count(start, end) <= room;
            // At least one character, or it would never end.
            let chars = match whole {
                true => places.len(),
                false => {
                    Segments::most_chars(places.len(), |chars| segments.count(start, stop(chars)) <= room)
                        .max(1)
                }
            };
            let stop = stop(chars);
            atoms.push(Atom { start, end: stop, tokens: segments.count(start, stop) });
            start = stop;
        }
    }
    atoms
}

/// The last atom of the piece that begins with `first`.
fn reach(tokenizer: &dyn Tokenizer, text: &str, atoms: &[Atom], first: usize, most: usize) -> usize {
    let overhead = tokenizer.count("");
    let mut tokens = overhead;
    let fitting = atoms.iter().skip(first).take_while(|atom| {
        tokens += atom.tokens;
        tokens <= most
    });
    let mut last = first + fitting.count().max(1) - 1;
    while last > first && tokenizer.count(piece(text, atoms, first, last)) > most {
        last -= 1;
    }
    last
}

/// The first atom of the next piece: as many before its new ones as the overlap allows.
fn next(atoms: &[Atom], first: usize, last: usize, overlap: usize) -> usize {
    let mut next = last + 1;
    let mut shared = 0;
    while next > first + 1 {
        shared += atoms.get(next - 1).map_or(0, |atom| atom.tokens);
        if shared > overlap {
            break;
        }
        next -= 1;
    }
    next
}

fn piece<'t>(text: &'t str, atoms: &[Atom], first: usize, last: usize) -> &'t str {
    match (atoms.get(first), atoms.get(last)) {
        (Some(first), Some(last)) => text.get(first.start..last.end).unwrap_or_default().trim(),
        _ => "",
    }
}
