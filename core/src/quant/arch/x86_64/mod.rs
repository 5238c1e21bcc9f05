//! The two instruction sets of x86-64 that are worth kernels of their own.

pub(super) mod avx2;
pub(super) mod avx512;
