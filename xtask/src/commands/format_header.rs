//! `include/portolan_format.h`: the structs and constants of the file format, for C programs that read files themselves.
//!
//! cbindgen translates one module of the core, whose tests hold it against the bytes that the library writes.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

use crate::context::Context;

/// The module that the header is made of, relative to the root.
const SOURCE: &str = "core/src/snapshot/ondisk.rs";

const PREAMBLE: &str = "/*
 * The fixed-size parts of Portolan's files, format version 1; docs/format.md says what the numbers mean.
 *
 * Generated from core/src/snapshot/ondisk.rs by `cargo xtask headers`. Do not edit.
 *
 * For programs that read the format without libportolan: nothing here needs a library. Numbers are little-endian, so on
 * a big-endian machine these structs are not the file's. Check every offset and count against the length of the file
 * before you use it.
 */";

/// Writes the header to `path`.
pub fn write(context: &Context, path: &Path) -> Result<()> {
    let header = Builder::new().with_src(context.root.join(SOURCE)).with_config(config()).generate();
    header.with_context(|| format!("translating {SOURCE}"))?.write_to_file(path);
    // cbindgen says whether the file changed, not whether it could be written.
    if !path.is_file() {
        bail!("{} could not be written", path.display());
    }
    Ok(())
}

fn config() -> Config {
    let mut config = Config {
        language: Language::C,
        style: Style::Type,
        cpp_compat: true,
        header: Some(PREAMBLE.to_owned()),
        include_guard: Some("PORTOLAN_FORMAT_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stdint.h".to_owned()],
        documentation_style: DocumentationStyle::Doxy,
        ..Config::default()
    };
    config.export.prefix = Some("PORTOLAN_".to_owned());
    config.export.renaming_overrides_prefixing = true;
    // Nothing refers to the structs: there are no functions.
    config.export.include = TYPES.iter().map(|(rust, _)| (*rust).to_owned()).collect();
    config.export.rename = TYPES.iter().map(|(rust, c)| ((*rust).to_owned(), (*c).to_owned())).collect();
    config
}

/// The structs, in Rust and in C.
const TYPES: [(&str, &str); 7] = [
    ("FormatHeader", "portolan_format_header_t"),
    ("FormatSection", "portolan_format_section_t"),
    ("FormatCellFactors", "portolan_format_cell_factors_t"),
    ("FormatMember", "portolan_format_member_t"),
    ("FormatExtendedFactors", "portolan_format_extended_factors_t"),
    ("FormatRowScale", "portolan_format_row_scale_t"),
    ("FormatGraphCost", "portolan_format_graph_cost_t"),
];
