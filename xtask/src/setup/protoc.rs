//! The protobuf compiler, which Lance's build scripts call: it comes as a crate, so nobody has to install it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// What the user named in `PROTOC`, else the binary inside protoc-bin-vendored.
pub fn find() -> Result<PathBuf> {
    match std::env::var_os("PROTOC").filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => protoc_bin_vendored::protoc_bin_path()
            .context("no protoc comes along for this system; install one and name it in PROTOC"),
    }
}
