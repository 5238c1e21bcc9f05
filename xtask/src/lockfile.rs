//! Reads versions out of `Cargo.lock`, so that a tool can be installed in exactly the library's version.

use anyhow::{Result, bail};

/// The one version of `package` in the text of a `Cargo.lock`.
pub fn version_of(lockfile: &str, package: &str) -> Result<String> {
    let wanted = format!("name = \"{package}\"");
    let mut versions = lockfile.split("[[package]]").filter_map(|entry| {
        let mut lines = entry.lines().map(str::trim);
        lines.find(|line| *line == wanted)?;
        lines.find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
    });
    match (versions.next(), versions.next()) {
        (Some(version), None) => Ok(version.to_owned()),
        (Some(first), Some(second)) => {
            bail!(
                "Cargo.lock holds {package} in versions {first} and {second}; make the workspace agree on one"
            )
        }
        (None, _) => {
            bail!("Cargo.lock holds no {package}; run `cargo generate-lockfile` or restore the file")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKFILE: &str = "\
version = 4

[[package]]
name = \"wasm-bindgen\"
version = \"0.2.130\"
dependencies = [
 \"wasm-bindgen-macro\",
]

[[package]]
name = \"wasm-bindgen-macro\"
version = \"0.2.131\"

[[package]]
name = \"syn\"
version = \"1.0.0\"

[[package]]
name = \"syn\"
version = \"2.0.0\"
";

    #[test]
    fn finds_the_version_of_exactly_that_package() {
        assert_eq!(version_of(LOCKFILE, "wasm-bindgen").unwrap(), "0.2.130");
        assert_eq!(version_of(LOCKFILE, "wasm-bindgen-macro").unwrap(), "0.2.131");
    }

    #[test]
    fn two_versions_are_an_error_that_names_both() {
        let error = version_of(LOCKFILE, "syn").unwrap_err().to_string();
        assert!(error.contains("1.0.0") && error.contains("2.0.0"), "{error}");
    }

    #[test]
    fn an_absent_package_is_an_error() {
        assert!(version_of(LOCKFILE, "wasm").is_err());
    }
}
