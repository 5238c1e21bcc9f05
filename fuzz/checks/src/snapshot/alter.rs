//! One alteration of a file: which number of it, and what becomes of it.

use portolan::snapshot::layout::{HEADER_BYTES, LENGTH_BYTES, SECTION_BYTES};

use super::seal::{blocks, u32_at};

/// The target that is any byte of the file.
pub const ANYWHERE: u8 = 6;

/// The numbers of the header, and of an entry of the directory: where they begin and how long they are.
const HEADER: [(usize, usize); 10] =
    [(8, 2), (10, 2), (12, 4), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (96, 8)];
const ENTRY: [(usize, usize); 9] =
    [(0, 2), (2, 2), (4, 4), (8, 4), (12, 4), (16, 4), (24, 8), (32, 8), (40, 8)];

/// Alters a file: the target, two or three bytes for the place, how, and a value.
pub fn alter(file: &mut Vec<u8>, [target, a, b, c, how, x, y, z]: [u8; 8]) {
    let value = u64::from(u32::from_le_bytes([x, y, z, 0]));
    let sections = (u32_at(file, 40).unwrap_or(0) as usize).min(file.len() / SECTION_BYTES);
    let lengths = (u32_at(file, 44).unwrap_or(0) as usize).min(file.len() / LENGTH_BYTES);
    let table = HEADER_BYTES + sections * SECTION_BYTES;
    let section = HEADER_BYTES + usize::from(a) % sections.max(1) * SECTION_BYTES;
    let place = match target % 8 {
        0 => HEADER[usize::from(a) % HEADER.len()],
        1 => {
            let (at, width) = ENTRY[usize::from(b) % ENTRY.len()];
            (section + at, width)
        }
        2 => (table + usize::from(a) % lengths.max(1) * LENGTH_BYTES, 4),
        3 => (table + lengths * LENGTH_BYTES + usize::from(a) + 256 * usize::from(b % 8), 1),
        // The front of a block: counts and lengths. The end: rows of a cell, first cells, the last of a table.
        4 | 5 => match block(file, section, table, b) {
            Some((start, _)) if target % 8 == 4 => (start + usize::from(c), 4),
            Some((_, end)) => (end.saturating_sub(12 + 4 * usize::from(c)), 4),
            None => return,
        },
        ANYWHERE => ((u32::from_le_bytes([a, b, c, 0]) as usize) % file.len().max(1), 4),
        _ => return cut(file, value as usize, how),
    };
    change(file, place, how, value);
}

fn block(file: &[u8], section: usize, table: usize, which: u8) -> Option<(usize, usize)> {
    let blocks = blocks(file, section, table)?;
    blocks.get(usize::from(which) % blocks.len().max(1)).copied()
}

/// The file shorter or longer, with a header that agrees or does not.
fn cut(file: &mut Vec<u8>, value: usize, how: u8) {
    file.resize(value % (2 * file.len().max(1)), 0);
    if how.is_multiple_of(2) {
        let length = file.len() as u64;
        change(file, (24, 8), 0, length);
    }
}

fn change(file: &mut [u8], (at, width): (usize, usize), how: u8, value: u64) {
    let Some(bytes) = file.get_mut(at..at.saturating_add(width)) else { return };
    let mut old = [0; 8];
    old[..width].copy_from_slice(bytes);
    let old = u64::from_le_bytes(old);
    let new = match how % 8 {
        0 => value,
        1 => u64::MAX,
        2 => old.wrapping_add(1),
        3 => old.wrapping_sub(1),
        4 => old.wrapping_add(value),
        5 => 1 << (8 * width - 1),
        6 => old ^ 1 << (value % 64),
        _ => u64::MAX - value,
    };
    bytes.copy_from_slice(&new.to_le_bytes()[..width]);
}
