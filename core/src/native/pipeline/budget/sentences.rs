//! Cutting between sentences: whole ones from the beginning and from the end.

use super::truncate::Cutter;

/// Smaller rooms are not worth whole sentences.
const LEAST_ROOM: usize = 20;

/// The first and the last sentences of the text in at most about `room` tokens, joined by single spaces, with a marker in
/// between; `None` when there are too few, or none fits.
pub fn cut(cutter: &Cutter<'_>, room: usize) -> Option<String> {
    let sentences = split(cutter.text);
    let (marker, left) = cutter.marker("\n\n", "\n\n", room)?;
    if room < LEAST_ROOM || sentences.len() <= 2 {
        return None;
    }
    let (head, used) = take(cutter, sentences.iter(), left / 2);
    let (tail, _) = take(cutter, sentences.iter().skip(head).rev(), left - used);
    if head + tail == 0 || head + tail == sentences.len() {
        return None;
    }
    let (head, tail) = (sentences.get(..head)?, sentences.get(sentences.len() - tail..)?);
    Some(format!("{}{marker}{}", head.join(" "), tail.join(" ")))
}

/// How many of the sentences fit, up to the first that does not, and their tokens.
fn take<'s>(
    cutter: &Cutter<'_>,
    sentences: impl Iterator<Item = &'s &'s str>,
    room: usize,
) -> (usize, usize) {
    let (mut taken, mut used) = (0, 0);
    for sentence in sentences {
        let tokens = cutter.count(sentence);
        if used + tokens > room {
            break;
        }
        (taken, used) = (taken + 1, used + tokens);
    }
    (taken, used)
}

/// The sentences: they end after `.`, `!` or `?` before white space.
fn split(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let (mut start, mut ended) = (0, false);
    for (at, c) in text.char_indices() {
        if ended && c.is_whitespace() {
            sentences.push(&text[start..at]);
            start = at;
        }
        ended = matches!(c, '.' | '!' | '?');
    }
    sentences.push(&text[start..]);
    sentences.into_iter().map(str::trim).filter(|sentence| !sentence.is_empty()).collect()
}
