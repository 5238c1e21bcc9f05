//! Writing `include/portolan.h`: safer-ffi lists types and functions with their comments, this puts them in a reading
//! order and in C's usual dress.
//!
//! Only compiled with the feature `headers`; `generate_headers` is the command. Nothing is taken out of the list and
//! nothing is added to it: an item that [`SECTIONS`] forgets, and one without a comment, is an error.

mod item;

use std::{collections::BTreeMap, io};

use item::Item;

/// The frame around the list.
const FRAME: &str = include_str!("portolan.h.in");

/// The header's parts, in the order a reader needs them.
const SECTIONS: &[(&str, &[&str])] = &[
    ("Version", &["portolan_version", "portolan_version_number"]),
    (
        "Errors",
        &[
            "portolan_code",
            "portolan_kind",
            "portolan_error",
            "portolan_error_code",
            "portolan_error_kind",
            "portolan_error_message",
            "portolan_error_line",
            "portolan_error_column",
            "portolan_error_hint",
            "portolan_error_free",
        ],
    ),
    (
        "Releases",
        &[
            "portolan_release",
            "portolan_release_open",
            "portolan_release_id",
            "portolan_release_collection_count",
            "portolan_release_collection_name",
            "portolan_release_collection_rows",
            "portolan_advice",
            "portolan_release_advise",
            "portolan_release_verify",
            "portolan_release_free",
        ],
    ),
    (
        "Parameters",
        &[
            "portolan_params",
            "portolan_params_new",
            "portolan_params_bind_null",
            "portolan_params_bind_bool",
            "portolan_params_bind_int",
            "portolan_params_bind_float",
            "portolan_params_bind_text",
            "portolan_params_bind_time",
            "portolan_params_bind_vector",
            "portolan_params_bind_json",
            "portolan_params_from_json",
            "portolan_params_free",
        ],
    ),
    (
        "Options",
        &[
            "portolan_options",
            "portolan_options_new",
            "portolan_options_set_strict",
            "portolan_options_set_timeout_ms",
            "portolan_options_set_threads",
            "portolan_options_set_routing",
            "portolan_options_set_router",
            "portolan_options_free",
        ],
    ),
    (
        "Queries and their results",
        &[
            "portolan_result",
            "portolan_query",
            "portolan_query_with",
            "portolan_result_json",
            "portolan_result_row_count",
            "portolan_result_row_id",
            "portolan_result_row_collection",
            "portolan_result_row_distance",
            "portolan_result_row_score",
            "portolan_result_row_item",
            "portolan_result_column_count",
            "portolan_result_column_name",
            "portolan_type",
            "portolan_value",
            "portolan_result_value",
            "portolan_set",
            "portolan_result_set_count",
            "portolan_result_set",
            "portolan_result_note_count",
            "portolan_result_note",
            "portolan_result_cursor",
            "portolan_result_explanation",
            "portolan_result_plan",
            "portolan_outcome",
            "portolan_collection",
            "portolan_result_collection_count",
            "portolan_result_collection",
            "portolan_result_asked_count",
            "portolan_result_failed_count",
            "portolan_result_free",
        ],
    ),
];

/// The text of the header.
///
/// # Errors
/// When the list and [`SECTIONS`] do not name the same items, or an item has no comment.
pub fn portolan_h() -> io::Result<String> {
    let mut raw = Vec::new();
    safer_ffi::headers::builder().to_writer(&mut raw).generate()?;
    let raw = String::from_utf8(raw).map_err(io::Error::other)?;
    let body = arrange(item::parse(&raw))?;
    let number = crate::portolan_version_number().to_string();
    let values = [
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@MAJOR@", env!("CARGO_PKG_VERSION_MAJOR")),
        ("@MINOR@", env!("CARGO_PKG_VERSION_MINOR")),
        ("@PATCH@", env!("CARGO_PKG_VERSION_PATCH")),
        ("@NUMBER@", &number),
        ("@BODY@\n", &body),
    ];
    Ok(values.iter().fold(String::from(FRAME), |text, (name, value)| text.replace(name, value)))
}

/// The items in the order of [`SECTIONS`].
fn arrange(items: Vec<Item>) -> io::Result<String> {
    let mut items: BTreeMap<String, Item> = items.into_iter().map(|item| (item.name(), item)).collect();
    let mut body = String::new();
    for (title, names) in SECTIONS {
        body.push_str(&format!("/* ---- {title} ---- */\n\n"));
        for name in *names {
            let item = items.remove(*name).filter(Item::is_documented);
            let item =
                item.ok_or_else(|| io::Error::other(format!("{name} is missing or has no comment")))?;
            body.push_str(&item.render());
            body.push('\n');
        }
    }
    match items.keys().next() {
        None => Ok(body),
        Some(name) => Err(io::Error::other(format!("{name} stands in no section of the header"))),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_header_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../include/portolan.h");
        let committed = std::fs::read_to_string(path).unwrap();
        let same = committed == super::portolan_h().unwrap();
        assert!(
            same,
            "run: cargo run -p portolan-ffi --features headers --bin generate_headers -- include/portolan.h"
        );
    }
}
