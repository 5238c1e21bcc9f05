//! Runs the check of a target over files: `cargo run -p portolan-fuzz-checks --example check parse FILE...`.

use std::{env, fs, process::ExitCode};

use portolan_fuzz_checks::TARGETS;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let target = arguments.next().unwrap_or_default();
    let Some((_, check)) = TARGETS.into_iter().find(|(name, _)| *name == target) else {
        eprintln!("usage: check {} FILE...", TARGETS.map(|(name, _)| name).join("|"));
        return ExitCode::from(2);
    };
    for file in arguments {
        match fs::read(&file) {
            Ok(bytes) => check(&bytes),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::from(2);
            }
        }
        println!("{file}: ok");
    }
    ExitCode::SUCCESS
}
