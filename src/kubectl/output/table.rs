//! Tables as kubectl prints them: a header in capitals, columns as wide as their longest entry, nothing drawn
//! between.
//!
//! Whatever is shown was written by others, so no control character of theirs reaches the terminal.

use std::fmt::{self, Write as _};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use crate::domain::value::text::one_line;

/// The space between two columns.
const GAP: &str = "   ";

/// What a text means, which a terminal shows as a colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it comes.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Someone should look.
    Warn,
    /// Something is wrong.
    Bad,
    /// Of less weight.
    Faint,
    /// A heading.
    Strong,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Faint => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
        }
    }
}

/// `text` on one line in that tone.
pub fn paint(tone: Tone, text: &str) -> String {
    Cell::new(tone, text).to_string()
}

/// Each on a line of its own.
pub fn lines(texts: impl IntoIterator<Item = impl fmt::Display>) -> String {
    texts.into_iter().fold(String::new(), |mut all, text| {
        // Writing to a String cannot fail.
        let _ = writeln!(all, "{text}");
        all
    })
}

/// One entry of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub fn new(tone: Tone, text: &str) -> Self {
        Self { text: one_line(text), tone }
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Tone::Plain, text.as_ref())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, tone } = self;
        let style = tone.style();
        write!(f, "{style}{text}{style:#}")
    }
}

/// How wide each column is. It only grows, so that rows which come later stay below those before.
#[derive(Clone, Debug, Default)]
pub struct Columns(Vec<usize>);

impl Columns {
    /// Widens them for `row`.
    pub fn fit(&mut self, row: &[Cell]) {
        if self.0.len() < row.len() {
            self.0.resize(row.len(), 0);
        }
        for (width, cell) in self.0.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }

    /// `row` as a line, without a line break.
    pub fn line(&self, row: &[Cell]) -> String {
        let last = row.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or_default();
        let mut line = String::new();
        for (at, (cell, width)) in row.iter().zip(&self.0).take(last + 1).enumerate() {
            line.push_str(&cell.to_string());
            if at < last {
                line.push_str(&" ".repeat(width.saturating_sub(cell.width())));
                line.push_str(GAP);
            }
        }
        line
    }
}

/// A header, and rows below it.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
    indent: &'static str,
}

impl Table {
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { rows: vec![header.iter().map(Cell::from).collect()], indent: "" }
    }

    /// Moves it to the right by as much as `indent`.
    pub fn indented(self, indent: &'static str) -> Self {
        Self { indent, ..self }
    }

    /// One more column, where `is_there`.
    pub fn with(mut self, is_there: bool, header: &[&str]) -> Self {
        if is_there && let Some(first) = self.rows.first_mut() {
            first.extend(header.iter().map(Cell::from));
        }
        self
    }

    pub fn row(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    pub fn columns(&self) -> Columns {
        let mut columns = Columns::default();
        self.rows.iter().for_each(|row| columns.fit(row));
        columns
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        self.rows.iter().try_for_each(|row| writeln!(f, "{}{}", self.indent, columns.line(row)))
    }
}

/// What a terminal without colours shows.
#[cfg(test)]
pub fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_looks_as_kubectl_prints_one() {
        let mut table = Table::new(["NAME", "STATE", "ADMINS"]);
        table.row(vec!["ci-bot".into(), Cell::new(Tone::Good, "Active"), "User/alice".into()]);
        table.row(vec!["x".into(), Cell::new(Tone::Bad, "Rejected"), "".into()]);
        assert_eq!(
            plain(&table.to_string()),
            "NAME     STATE      ADMINS\n\
             ci-bot   Active     User/alice\n\
             x        Rejected\n"
        );
        assert!(table.to_string().contains("\u{1b}[32mActive\u{1b}[0m     User/alice"), "{table}");
    }

    #[test]
    fn a_wide_glyph_takes_two_places() {
        let mut table = Table::new(["ICON", "NAME"]);
        table.row(vec!["🤖 Bot".into(), "a".into()]);
        table.row(vec!["Terminal".into(), "b".into()]);
        assert_eq!(table.to_string(), "ICON       NAME\n🤖 Bot     a\nTerminal   b\n");
    }

    #[test]
    fn nobody_moves_the_cursor_by_what_they_named_something() {
        assert_eq!(paint(Tone::Plain, "a\u{1b}[2Jb\r\nc"), "a [2Jb  c");
    }

    proptest! {
        #[test]
        fn every_column_begins_at_the_same_place(texts in prop::collection::vec("[a-zäß中🚀]{0,9}", 1..9)) {
            let mut table = Table::new(["A", "B"]);
            for text in &texts {
                table.row(vec![text.into(), "|".into()]);
            }
            let shown = table.to_string();
            let starts = shown.lines().skip(1).map(|line| line.split('|').next().unwrap().width());
            prop_assert_eq!(starts.collect::<std::collections::BTreeSet<_>>().len(), 1);
        }

        #[test]
        fn no_control_character_is_shown(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f]{0,8}") {
            prop_assert!(!plain(&paint(Tone::Good, &text)).chars().any(char::is_control));
        }
    }
}
