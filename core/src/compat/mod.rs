//! Other dialects, understood as their own programs understand them.
//!
//! A dialect here is a front of its own: it parses and plans exactly what its reference does, mistakes included, and
//! shares with the native language only what is the same in both. Nothing in the native language depends on it.

pub mod chromasql;
