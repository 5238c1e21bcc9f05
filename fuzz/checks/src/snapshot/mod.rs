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

/// What a reader may hold beside the file: the probabilities of a vocabulary, answers, tables of the engine.
const FIXED_BYTES: usize = 4 << 20;
/// What a byte of a file may become: compressed texts are up to 255 times as long, and are copied into answers.
const MOST_BYTES_PER_BYTE: usize = 1024;

static MAX: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
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
    MAX.fetch_max(held, std::sync::atomic::Ordering::Relaxed);
    assert!(held <= most, "{held} bytes for a file of {}", file.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zz_random() {
        let mut seed = 12345_u64;
        let mut next = || { seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17; (seed >> 24) as u8 };
        let start = std::time::Instant::now();
        let mut n = 0;
        while start.elapsed().as_secs() < 100 {
            let which = next() % 6; let ops = 1 + next() as usize % 3;
            let mut input = vec![which];
            for _ in 0..ops { let t = next(); input.push(t); for _ in 0..3 { let b = next(); input.push(if next() % 2 == 0 { b % 8 } else { b }); } input.push(next()); input.push(next()); let z = next(); input.push(if z > 128 {0} else {z}); input.push(if z > 50 {0} else {z}); }
            n += 1;
            snapshot(&input);
        }
        println!("{n} inputs, stats {:?} max {:?}", answer::STATS, MAX);
    }

    #[test]
    fn whole_files_answer() {
        for which in 0..=FILES.len() {
            snapshot(&[which as u8]);
        }
    }

    /// Every field of every table, and every third byte of what blocks hold, with values that programs trip over.
    #[test]
    fn every_place_may_be_altered() {
        for which in 0..=FILES.len() as u8 {
            let length = FILES.get(usize::from(which)).map_or(EMBEDDER.len(), |file| file.len());
            for place in (0..length).step_by(3) {
                let [low, middle, high, _] = (place as u32).to_le_bytes();
                let how = (place / 3 % 8) as u8;
                snapshot(&[which, alter::ANYWHERE, low, middle, high, how, 0x81, 0x02, 0x01]);
            }
            for target in 0..alter::ANYWHERE {
                for place in 0..=255 {
                    for how in 0..8 {
                        snapshot(&[which, target, place, place / 7, 0, how, place.wrapping_mul(5), 1, 0]);
                    }
                }
            }
        }
    }
}
