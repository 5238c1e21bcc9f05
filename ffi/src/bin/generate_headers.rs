//! Writes the C header, or checks that the written one is still right.
//!
//! `generate_headers [--check] FILE`

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--check", file] => check(file),
        [file] if !file.starts_with('-') => write(file),
        _ => Err(String::from("usage: generate_headers [--check] FILE")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn header() -> Result<String, String> {
    portolan::headers::portolan_h().map_err(|error| format!("cannot generate the header: {error}"))
}

fn write(file: &str) -> Result<(), String> {
    std::fs::write(file, header()?).map_err(|error| format!("cannot write {file}: {error}"))
}

fn check(file: &str) -> Result<(), String> {
    let written = std::fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    if written == header()? {
        return Ok(());
    }
    Err(format!("{file} is out of date; run generate_headers {file}"))
}
