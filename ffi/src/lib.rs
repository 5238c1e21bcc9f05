//! Portolan's C library: releases are opened and asked from C and from everything that calls C.
//!
//! One module per C object. Every function takes pointers that may be null, never unwinds into its caller, and writes
//! its out-parameters only on success; what it does and who frees what stands in its comment, which is also the
//! header's. `include/portolan.h` is generated from this crate; see docs/c.md. Nothing here decides anything: the
//! engine answers, this crate hands over.

// What `#[ffi_export]` expands to is unsafe by nature. This crate itself writes one unsafe block, in `array`.
#![allow(unsafe_code)]

mod array;
mod code;
mod error;
#[cfg(feature = "headers")]
pub mod headers;
mod options;
mod panic;
mod params;
mod release;
mod report;
mod result;
mod router;
mod text;
mod value;
mod version;

pub use code::{Code, Kind};
pub use error::{
    portolan_error_code, portolan_error_column, portolan_error_free, portolan_error_hint,
    portolan_error_kind, portolan_error_line, portolan_error_message, ErrorObject,
};
pub use options::{
    portolan_options_free, portolan_options_new, portolan_options_set_router, portolan_options_set_routing,
    portolan_options_set_strict, portolan_options_set_threads, portolan_options_set_timeout_ms, Settings,
};
pub use params::{
    portolan_params_bind_bool, portolan_params_bind_float, portolan_params_bind_int,
    portolan_params_bind_json, portolan_params_bind_null, portolan_params_bind_text,
    portolan_params_bind_time, portolan_params_bind_vector, portolan_params_free, portolan_params_from_json,
    portolan_params_new, Bound,
};
pub use release::{
    portolan_query, portolan_query_with, portolan_release_advise, portolan_release_collection_count,
    portolan_release_collection_name, portolan_release_collection_rows, portolan_release_free,
    portolan_release_id, portolan_release_open, portolan_release_verify, Release, Warmth,
};
pub use report::{CollectionView, OutcomeView, SetView};
pub use result::{
    portolan_result_asked_count, portolan_result_collection, portolan_result_collection_count,
    portolan_result_column_count, portolan_result_column_name, portolan_result_cursor,
    portolan_result_explanation, portolan_result_failed_count, portolan_result_free, portolan_result_json,
    portolan_result_note, portolan_result_note_count, portolan_result_plan, portolan_result_row_collection,
    portolan_result_row_count, portolan_result_row_distance, portolan_result_row_id,
    portolan_result_row_item, portolan_result_row_score, portolan_result_set, portolan_result_set_count,
    portolan_result_value, Answer,
};
pub use value::{ValueType, ValueView};
pub use version::{portolan_version, portolan_version_number};

/// Where a function puts a new object; null when the caller gave no place.
pub(crate) type Place<'a, T> =
    Option<safer_ffi::prelude::Out<'a, Option<safer_ffi::prelude::repr_c::Box<T>>>>;
