//! Which entries are told, and how.

use super::super::samples::{entry, from_json};
use super::super::table::plain;
use super::*;

fn log(entries: &[(&str, i64, Option<i32>)]) -> Vec<AuditEntry> {
    let one = |(id, second, count): &(&str, i64, Option<i32>)| {
        let mut value = entry(id, "2026-11-23T12:00:00Z", "Issued", "issued");
        value["time"] = DateTime::from_timestamp(*second, 0).unwrap().to_rfc3339().into();
        AuditEntry { count: *count, ..from_json(value) }
    };
    entries.iter().map(one).collect()
}

fn ids(entries: &[AuditEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

#[test]
fn the_oldest_entry_is_told_first_and_each_only_once() {
    let mut news = News::default();
    assert_eq!(ids(&news.of(&log(&[("b", 2, None), ("a", 1, None)]))), ["a", "b"]);
    assert_eq!(ids(&news.of(&log(&[("c", 3, None), ("b", 2, None), ("a", 1, None)]))), ["c"]);
    assert_eq!(
        ids(&news.of(&log(&[("c", 3, None), ("b", 2, None)]))),
        [] as [&str; 0],
        "the oldest is dropped"
    );
}

#[test]
fn an_entry_that_counts_repeats_is_told_again_with_each() {
    let mut news = News::default();
    news.of(&log(&[("act", 1, Some(1))]));
    assert_eq!(ids(&news.of(&log(&[("act", 5, Some(4))]))), ["act"]);
    assert_eq!(ids(&news.of(&log(&[("act", 1, Some(1))]))), [] as [&str; 0], "an older state is no news");
}

#[test]
fn entries_are_lines_and_later_ones_stand_below_the_first() {
    let mut lines = Lines::new(LogOutput::Table);
    let first = from_json(entry("1", "2026-11-23T12:00:00Z", "Admitted", "Service account is admitted"));
    assert_eq!(
        plain(&lines.of(&[first]).unwrap()),
        "TIME                   ACTOR   OBJECT                  REASON     MESSAGE\n\
         2026-11-23T12:00:00Z   alice   ServiceAccount/ci-bot   Admitted   Service account is admitted\n"
    );
    let mut later = entry("2", "2026-11-23T12:00:01Z", "Issued", "issued");
    later["count"] = 3.into();
    assert_eq!(
        plain(&lines.of(&[from_json(later)]).unwrap()),
        "2026-11-23T12:00:01Z   alice   ServiceAccount/ci-bot   Issued     issued (3 times that day)\n"
    );
    assert_eq!(lines.of(&[]).unwrap(), "");
}

#[test]
fn more_columns_tell_the_ids() {
    let mut one = entry("7c42a9e322156585", "2026-11-23T12:00:00Z", "Issued", "issued");
    one["keyId"] = "l75doUeBBMSL".into();
    assert_eq!(
        plain(&Lines::new(LogOutput::Wide).of(&[from_json(one)]).unwrap()),
        "TIME                   ACTOR   OBJECT                  KEY ID         ID                 REASON   MESSAGE\n\
         2026-11-23T12:00:00Z   alice   ServiceAccount/ci-bot   l75doUeBBMSL   7c42a9e322156585   Issued   issued\n"
    );
}

#[test]
fn for_programs_each_entry_is_one_line_of_json() {
    let entries = log(&[("a", 1, None), ("b", 2, Some(2))]);
    let text = Lines::new(LogOutput::Json).of(&entries).unwrap();
    let read: Vec<AuditEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, entries);
}
