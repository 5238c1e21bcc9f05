//! The checksums of an altered file made right, so that what stands behind them is reached.

use portolan::snapshot::layout::{
    CHECKSUM_AT, CHECKSUM_BYTES, CONTENT_ID_AT, HEADER_BYTES, LENGTH_BYTES, SECTION_BYTES, block_checksum,
    checksum,
};

/// Makes the checksums of all blocks right that lie in the file, then the content id and the head's checksum.
pub fn seal(file: &mut [u8]) {
    let sections = u32_at(file, 40).unwrap_or(0) as usize;
    let table = HEADER_BYTES.saturating_add(sections.saturating_mul(SECTION_BYTES));
    for section in 0..sections {
        let at = HEADER_BYTES + section * SECTION_BYTES;
        if seal_section(file, at, table).is_none() {
            break;
        }
    }
    seal_head(file);
}

/// The places of a section's blocks, up to the first one that does not lie in the file. `None`: there is no such entry.
pub fn blocks(file: &[u8], at: usize, table: usize) -> Option<Vec<(usize, usize)>> {
    let (stride, first, count) = (u32_at(file, at + 8)?, u32_at(file, at + 12)?, u32_at(file, at + 16)?);
    let mut start = usize::try_from(u64_at(file, at + 24)?).ok()?;
    let mut found = Vec::new();
    for block in 0..count as usize {
        let length = match stride {
            0 => u32_at(file, table.saturating_add((first as usize + block).saturating_mul(LENGTH_BYTES))),
            stride => Some(stride),
        };
        let end =
            length.and_then(|length| start.checked_add(length as usize)).filter(|end| *end <= file.len());
        let Some(end) = end.filter(|end| *end >= start + CHECKSUM_BYTES) else { break };
        found.push((start, end));
        start = end;
    }
    Some(found)
}

fn seal_section(file: &mut [u8], at: usize, table: usize) -> Option<()> {
    for (start, end) in blocks(file, at, table)? {
        let sum = block_checksum(start as u64, file.get(start..end - CHECKSUM_BYTES)?);
        file.get_mut(end - CHECKSUM_BYTES..end)?.copy_from_slice(&sum.to_le_bytes());
    }
    Some(())
}

fn seal_head(file: &mut [u8]) {
    if file.len() < HEADER_BYTES {
        return;
    }
    file[CHECKSUM_AT..CONTENT_ID_AT + 32].fill(0);
    let id = *blake3::hash(file).as_bytes();
    file[CONTENT_ID_AT..CONTENT_ID_AT + 32].copy_from_slice(&id);
    let head = u64_at(file, 32).and_then(|end| file.get(..usize::try_from(end).ok()?));
    if let Some(sum) = head.map(checksum) {
        file[CHECKSUM_AT..CHECKSUM_AT + 8].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Four bytes as a number, if they are there.
pub fn u32_at(file: &[u8], at: usize) -> Option<u32> {
    file.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(file: &[u8], at: usize) -> Option<u64> {
    file.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}
