//! Texts and counts that go into bounded fields.

/// `text` with at most `length` bytes, cut between characters.
pub fn cut(text: &str, length: usize) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let end =
        (0..=length.saturating_sub('…'.len_utf8())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// `text` without line breaks and other control characters, which would tear a message apart.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Counts as status fields hold them.
pub fn saturating(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "ä".repeat(600);
        let short = cut(&text, 1024);
        assert!(short.len() <= 1024 && short.ends_with('…'));
        assert_eq!(cut("short", 1024), "short");
    }

    #[test]
    fn a_text_of_several_lines_becomes_one() {
        assert_eq!(one_line("a\nb\tc"), "a b c");
    }
}
