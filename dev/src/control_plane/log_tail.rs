//! The end of a log file, for an error message.

use std::path::Path;

const LINES: usize = 15;

/// The last lines of the file, or why there are none.
pub(crate) fn tail(path: &Path) -> String {
    match std::fs::read(path) {
        Ok(content) => last_lines(&String::from_utf8_lossy(&content)),
        Err(error) => format!("(can't read {}: {error})", path.display()),
    }
}

fn last_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().rev().take(LINES).collect();
    lines.reverse();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_in_order() {
        let text: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        let tail = last_lines(&text.join("\n"));
        assert!(tail.starts_with("25\n") && tail.ends_with("\n39"), "{tail}");
        assert_eq!(last_lines(""), "");
    }

    #[test]
    fn a_missing_log_is_said() {
        assert!(tail(Path::new("/nowhere/log")).starts_with("(can't read /nowhere/log: "));
    }
}
