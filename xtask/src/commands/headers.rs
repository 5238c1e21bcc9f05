//! `cargo xtask headers`: writes the generated C headers, or checks that the committed ones are current.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::format_header;
use crate::context::Context;
use crate::process;

/// A committed header, relative to the root, and what writes it.
struct Header {
    path: &'static str,
    write: fn(&Context, &Path) -> Result<()>,
}

/// The functions of the C library, and the structs of the files that it reads.
const HEADERS: [Header; 2] = [
    Header { path: "include/portolan.h", write: write_functions },
    Header { path: "include/portolan_format.h", write: format_header::write },
];

/// What to do with the headers.
#[derive(Args)]
pub struct Options {
    /// Write nothing; fail if a committed header differs from what would be written.
    #[arg(long)]
    pub check: bool,
}

/// Regenerates the headers or compares them.
pub fn run(context: &Context, options: &Options) -> Result<()> {
    if options.check {
        return check(context);
    }
    HEADERS.iter().try_for_each(|header| generate(context, header, &context.root.join(header.path)))
}

/// Fails if a committed header is not what the source says now.
pub fn check(context: &Context) -> Result<()> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("reading {}", path.display()));
    for header in &HEADERS {
        let fresh = context.target_dir.join("headers").join(header.path);
        generate(context, header, &fresh)?;
        let (committed, current) = (read(&context.root.join(header.path))?, read(&fresh)?);
        if let Some(difference) = first_difference(&committed, &current) {
            bail!(
                "{} is out of date: {difference}\nrun `cargo xtask headers` and commit the result",
                header.path
            );
        }
    }
    Ok(())
}

fn generate(context: &Context, header: &Header, path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    (header.write)(context, path)
}

fn write_functions(context: &Context, path: &Path) -> Result<()> {
    let words = ["run", "-p", "portolan-ffi", "--features", "headers", "--bin", "generate_headers", "--"];
    process::run(context.cargo(&words).arg(path))
}

fn first_difference(committed: &str, current: &str) -> Option<String> {
    if committed == current {
        return None;
    }
    let (mut old, mut new) = (committed.lines(), current.lines());
    for number in 1.. {
        match (old.next(), new.next()) {
            (None, None) => break,
            (left, right) if left == right => {}
            (left, right) => {
                let show = |line: Option<&str>| line.unwrap_or("(end of file)").to_owned();
                return Some(format!("line {number}\n- {}\n+ {}", show(left), show(right)));
            }
        }
    }
    Some("the line ends differ".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_line_is_shown() {
        let difference = first_difference("a\nb\nc\n", "a\nB\nc\n").unwrap();
        assert_eq!(difference, "line 2\n- b\n+ B");
    }

    #[test]
    fn a_missing_rest_and_other_line_ends_are_differences() {
        assert!(first_difference("a\n", "a\nb\n").unwrap().contains("(end of file)"));
        assert!(first_difference("a\r\n", "a\n").is_some());
        assert!(first_difference("a\n", "a\n").is_none());
    }
}
