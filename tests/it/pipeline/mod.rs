//! The pipeline through the command, against real Lance tables.

mod embedding;
