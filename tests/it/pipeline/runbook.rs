//! The commands of docs/operations.md, run as they stand.
//!
//! A block of `sh` is run line by line; `# exit 1` after a line is the exit code that is expected. A block with a file name writes that
//! file; `toml+` adds to it.

use std::{fs, io::Write, os::unix::fs::symlink, path::Path, process::Command};

use crate::tool::{all_text, code, portolan, sample};

/// The fenced blocks: what stands after the fence, and their lines.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(info) if !inside => blocks.push((info, Vec::new())),
            Some(_) => {}
            None if inside => blocks.last_mut().unwrap().1.push(line),
            None => {}
        }
        inside ^= line.starts_with("```");
    }
    blocks
}

#[test]
fn every_command_of_the_runbook_works() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    fs::create_dir(folder.join("bin")).unwrap();
    symlink(Path::new(portolan().get_program()).canonicalize().unwrap(), folder.join("bin/portolan"))
        .unwrap();
    symlink(sample().join("static-256").canonicalize().unwrap(), folder.join("static-256")).unwrap();
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let mut commands = 0;
    for (info, lines) in blocks(&page) {
        match info.split_once(' ') {
            Some((kind, file)) => {
                let mut options = fs::OpenOptions::new();
                options.create(true).write(true).append(kind.ends_with('+')).truncate(!kind.ends_with('+'));
                let text = lines.join("\n") + "\n";
                options.open(folder.join(file)).unwrap().write_all(text.as_bytes()).unwrap();
            }
            None if info == "sh" => {
                for line in lines {
                    let (command, expected) = line.split_once(" # exit ").unwrap_or((line, "0"));
                    let output = Command::new("sh")
                        .args(["-c", command])
                        .current_dir(folder)
                        .env("PATH", &path)
                        .output();
                    let output = output.unwrap();
                    assert_eq!(code(&output).to_string(), expected, "{command}: {}", all_text(&output));
                    commands += 1;
                }
            }
            None => {}
        }
    }
    assert!(commands > 30, "only {commands} commands were found");
}
