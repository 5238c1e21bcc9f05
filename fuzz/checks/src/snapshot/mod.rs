//! Snapshot files that were altered by someone who knows the format and repairs the checksums: refused or answered,
//! in memory that the file's length bounds.

mod alter;
mod answer;
mod seal;

use crate::memory;

/// The files that are altered.
const FILES: [&[u8]; 5] = [
    include_bytes!("../../../../tests/golden/v1/types.portolan"),
    include_bytes!("../../../../tests/golden/v1/packed.portolan"),
    include_bytes!("../../../../tests/golden/v1/small.portolan"),
    include_bytes!("../../../../tests/golden/v1/codes_only.portolan"),
    include_bytes!("../../../../tests/golden/v1/packed_clustered.portolan"),
];
const EMBEDDER: &[u8] = include_bytes!("../../../../tests/golden/v1/tiny.portolan");

/// What a reader may hold beside the file: 512 KiB are the probabilities of a vocabulary, the rest answers.
const FIXED_BYTES: usize = 1 << 20;
/// What a byte of a file may become: compressed texts are up to 255 times as long.
const MOST_BYTES_PER_BYTE: usize = 256;

/// The first byte says which file, every eight others how it is altered. The last file is the embedder of the third.
pub fn snapshot(bytes: &[u8]) {
    let Some((which, alterations)) = bytes.split_first() else { return };
    let which = usize::from(*which) % (FILES.len() + 1);
    let mut file = FILES.get(which).copied().unwrap_or(EMBEDDER).to_vec();
    for alteration in alterations.as_chunks::<8>().0.iter().take(16) {
        alter::alter(&mut file, *alteration);
        seal::seal(&mut file);
    }
    let most = FIXED_BYTES + MOST_BYTES_PER_BYTE * file.len();
    let held = memory::peak(|| match which < FILES.len() {
        true => answer::check(&file, EMBEDDER, &file),
        false => answer::check(FILES[2], &file, &file),
    });
    assert!(held <= most, "{held} bytes for a file of {}", file.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_files_answer() {
        for which in 0..=FILES.len() {
            snapshot(&[which as u8]);
        }
    }

    /// Many places of all tables and of what blocks hold, with values that programs trip over.
    #[test]
    fn every_table_may_be_altered() {
        for which in 0..=FILES.len() as u8 {
            let length = FILES.get(usize::from(which)).map_or(EMBEDDER.len(), |file| file.len());
            for place in (0..length).step_by(31) {
                let [low, middle, high, _] = (place as u32).to_le_bytes();
                snapshot(&[which, alter::ANYWHERE, low, middle, high, (place % 8) as u8, 0x81, 0x02, 0x01]);
            }
            for (target, place, how) in (0..alter::ANYWHERE)
                .flat_map(|t| (0..64).step_by(3).flat_map(move |p| (0..8).map(move |h| (t, p, h))))
            {
                snapshot(&[which, target, place, place / 7, place, how, place.wrapping_mul(5), 1, 0]);
            }
        }
    }
}
