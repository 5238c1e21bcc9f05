//! What happens when something needed is missing: an error in CI, a printed `SKIP` elsewhere. Never silence.

use anyhow::{Result, bail};

use crate::steps::Outcome;

/// How strict this run is, and whether it may install system packages.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// A missing tool is an error.
    pub strict: bool,
    /// The system's package manager may be used.
    pub may_install: bool,
}

impl Policy {
    /// Reads `CI` and `PORTOLAN_INSTALL`.
    pub fn from_env() -> Self {
        let read = |name| std::env::var(name).ok();
        Self::from_values(read("CI").as_deref(), read("PORTOLAN_INSTALL").as_deref())
    }

    fn from_values(ci: Option<&str>, install: Option<&str>) -> Self {
        Self { strict: matches!(ci, Some("true" | "1")), may_install: install != Some("never") }
    }

    /// Reports that `what` cannot be done because of `why`.
    pub fn skip(&self, what: &str, why: &str) -> Result<Outcome> {
        if self.strict {
            bail!("{what}: {why} (CI is set, so this is an error and not a SKIP)");
        }
        println!("SKIP {what}: {why}");
        Ok(Outcome::Skipped(why.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_an_error_in_ci() {
        let policy = Policy::from_values(Some("true"), None);
        let error = policy.skip("browser tests", "no chromium").unwrap_err();
        assert!(error.to_string().contains("browser tests: no chromium"));
    }

    #[test]
    fn a_missing_tool_is_a_skip_elsewhere() {
        for ci in [None, Some(""), Some("false")] {
            let outcome = Policy::from_values(ci, None).skip("browser tests", "no chromium").unwrap();
            assert_eq!(outcome, Outcome::Skipped("no chromium".to_owned()));
        }
    }

    #[test]
    fn installing_can_be_refused() {
        assert!(Policy::from_values(None, None).may_install);
        assert!(!Policy::from_values(Some("true"), Some("never")).may_install);
    }
}
