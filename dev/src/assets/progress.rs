//! Shows how far a build is: a bar on a terminal, a line for every tenth elsewhere.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::say::say;

use super::Error;

const TICK: Duration = Duration::from_millis(200);

/// Counts the packages that `go build -v` names, and tells them from what else it writes.
pub(crate) struct Counter {
    waiting: HashSet<String>,
    total: usize,
}

impl Counter {
    /// For a build of `packages`, one a line as `go list` prints them.
    pub(crate) fn new(packages: &str) -> Self {
        let waiting: HashSet<String> =
            packages.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Self { total: waiting.len(), waiting }
    }

    /// Whether the line names a package of the build that had not been named before.
    pub(crate) fn take(&mut self, line: &str) -> bool {
        self.waiting.remove(line.trim())
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }

    pub(crate) fn position(&self) -> usize {
        self.total - self.waiting.len()
    }

    /// The tenths that are done, 0 to 10.
    pub(crate) fn tenths(&self) -> usize {
        (self.position() * 10).checked_div(self.total).unwrap_or(10)
    }
}

/// What a user sees of a step.
pub(crate) enum Display {
    Bar(ProgressBar),
    Lines { shown: usize },
}

impl Display {
    /// A step whose length isn't known.
    pub(crate) fn spinner(message: &str) -> Result<Self, Error> {
        if !std::io::stderr().is_terminal() {
            say(format_args!("{message}"));
            return Ok(Self::Lines { shown: 0 });
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} ({elapsed})")?);
        Ok(Self::bar(bar, message))
    }

    /// A step of `total` parts.
    pub(crate) fn counted(message: &str, total: usize) -> Result<Self, Error> {
        if !std::io::stderr().is_terminal() {
            say(format_args!("{message}"));
            return Ok(Self::Lines { shown: 0 });
        }
        let bar = ProgressBar::new(total as u64);
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} ({elapsed})")?);
        Ok(Self::bar(bar, message))
    }

    fn bar(bar: ProgressBar, message: &str) -> Self {
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(TICK);
        Self::Bar(bar)
    }

    /// Shows what the counter has come to.
    pub(crate) fn update(&mut self, counter: &Counter) {
        match self {
            Self::Bar(bar) => bar.set_position(counter.position() as u64),
            Self::Lines { shown } if counter.tenths() > *shown => {
                *shown = counter.tenths();
                say(format_args!(
                    "  {}% ({} of {} packages)",
                    *shown * 10,
                    counter.position(),
                    counter.total()
                ));
            }
            Self::Lines { .. } => {}
        }
    }
}

impl Drop for Display {
    /// An error that follows must not share its line with a bar.
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_only_packages_and_each_once() {
        let mut counter = Counter::new("fmt\nk8s.io/api/core/v1\n\n");
        assert_eq!((counter.total(), counter.position(), counter.tenths()), (2, 0, 0));
        assert!(!counter.take("# fmt"));
        assert!(counter.take("fmt\n"));
        assert!(!counter.take("fmt"));
        assert_eq!((counter.position(), counter.tenths()), (1, 5));
        assert!(counter.take("k8s.io/api/core/v1"));
        assert_eq!((counter.position(), counter.tenths()), (2, 10));
    }

    #[test]
    fn a_build_of_nothing_is_done() {
        assert_eq!(Counter::new("").tenths(), 10);
    }
}
