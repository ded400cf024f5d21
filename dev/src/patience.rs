//! How long a wait goes on before it is given up, said once for the control plane and for every test that
//! waits. A wait ends as soon as its condition holds, so a long bound costs nothing where all is well, and a
//! machine that is several times as busy still meets it.

use std::time::Duration;

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// [`PATIENCE`] as the flag of kubectl and Helm.
pub const TIMEOUT: &str = "--timeout=5m";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_says_the_same() {
        assert_eq!(TIMEOUT, format!("--timeout={}m", PATIENCE.as_secs() / 60));
    }
}
