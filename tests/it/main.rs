//! End-to-end and conformance tests: one binary, a module per promise.

#[cfg(test)]
mod tokenizer;
