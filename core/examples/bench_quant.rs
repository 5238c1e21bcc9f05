//! Measures the kernels of `portolan::quant`, on one thread, and prints one JSON line per case.
fn main() {}
