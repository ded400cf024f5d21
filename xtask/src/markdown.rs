//! The little Markdown that the pages need.

/// Text as code.
pub fn code(text: impl AsRef<str>) -> String {
    format!("`{}`", text.as_ref())
}

/// Each text as code, in one line.
pub fn codes<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

/// A table.
pub fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rule = ["---"; N].map(str::to_owned);
    let rows = [head.map(str::to_owned), rule].into_iter().chain(rows);
    let line = |cells: [String; N]| format!("| {} |\n", cells.map(|text| cell(&text)).join(" | "));
    rows.map(line).collect::<Vec<_>>().concat()
}

/// A table under a heading; nothing where there are no rows.
pub fn section<const N: usize>(
    heading: &str,
    intro: &str,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut rows = rows.peekable();
    match rows.peek() {
        None => String::new(),
        Some(_) => format!("\n## {heading}\n\n{intro}{}", table(head, rows)),
    }
}

/// A cell is one line, and a bar would end it.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_one_cell() {
        let rows = [["a|b".to_owned(), "one\n\ntwo".to_owned()]];
        assert_eq!(table(["x", "y"], rows.into_iter()), "| x | y |\n| --- | --- |\n| a\\|b | one two |\n");
    }

    #[test]
    fn a_section_without_rows_is_none() {
        assert_eq!(section("Rules", "", ["x"], std::iter::empty()), "");
    }
}
