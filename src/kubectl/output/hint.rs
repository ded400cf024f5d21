//! Commands that an output suggests.

/// A command of this program in a namespace, ready to paste.
pub fn command_line(namespace: &str, rest: &str) -> String {
    format!("kubectl keyward -n {namespace} {rest}")
}
