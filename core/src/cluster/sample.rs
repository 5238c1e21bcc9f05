//! Choosing some of many without a random generator: the same choice wherever it is made.

/// The seed of all choices; one of another seed would be as good.
const SEED: u64 = 0x706f_7274_6f6c_616e;

/// A number that looks random, and is the same for the same `x`: splitmix64.
pub(super) fn hash(x: u64) -> u64 {
    let mut z = (x ^ SEED).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `wanted` different numbers of `0..count` in ascending order, or all of them: one of each of `wanted` stretches of
/// equal length, so that every part of a file is there as often as it is long.
pub(super) fn spread_out(count: usize, wanted: usize, salt: u64) -> Vec<u32> {
    if wanted >= count {
        return (0..count as u32).collect();
    }
    let start = |i: usize| (i as u64 * count as u64 / wanted as u64) as u32;
    let one = |i: usize| {
        let (from, to) = (start(i), start(i + 1));
        from + (hash(i as u64 ^ (salt << 48)) % u64::from((to - from).max(1))) as u32
    };
    (0..wanted).map(one).collect()
}
