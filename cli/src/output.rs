//! Writing to standard output: a reader that has seen enough (`| head`) ends the program, it does not crash it.

use std::{
    fmt::Display,
    io::{ErrorKind, Write},
};

/// Prints a line.
pub fn line(text: impl Display) {
    let result = writeln!(std::io::stdout(), "{text}");
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        // Standard output is gone; there is no better place to say so.
        Err(error) => eprintln!("cannot write: {error}"),
        Ok(()) => {}
    }
}
