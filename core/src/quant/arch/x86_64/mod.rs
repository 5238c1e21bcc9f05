//! The two instruction sets of x86-64 that are worth kernels of their own.

pub(super) mod avx2;
pub(super) mod avx512;

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

/// Asks for the line of the cache in which `line` begins.
#[inline(always)]
pub(super) fn prefetch(line: &[u8]) {
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
}
