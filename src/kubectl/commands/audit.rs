//! `kubectl keyward audit`: what happened to a service account, or in the account, oldest first.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use crate::api::shared::AuditEntry;
use crate::api::{ACCOUNT_NAME, Account, ServiceAccount};
use crate::kubectl::cluster::client::Cluster;
use crate::kubectl::cluster::follow::Follow;
use crate::kubectl::cluster::object::{NamespacedObject, kind_name};
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::output::log;
use crate::kubectl::output::screen;
use crate::kubectl::output::table::{Cell, Columns, lines};

/// Flags of `audit`.
#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// The service account. Without it: the log of the account itself.
    #[arg(value_name = "NAME", add = NameOf::ServiceAccount)]
    name: Option<String>,
    /// The log of the account itself: service accounts created and deleted, limits refused, policies changed.
    #[arg(long, conflicts_with = "name")]
    account: bool,
    /// Go on with new entries as they come, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
    /// How to print it.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = LogOutput::Table)]
    output: LogOutput,
}

/// How a log is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogOutput {
    /// A line for each entry.
    Table,
    /// The same with the ids of keys and entries.
    Wide,
    /// A JSON object for each entry, each on one line.
    Json,
}

/// What has a log.
trait Logged: NamespacedObject {
    /// Newest first.
    fn log(&self) -> &[AuditEntry];
}

impl Logged for ServiceAccount {
    fn log(&self) -> &[AuditEntry] {
        self.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default()
    }
}

impl Logged for Account {
    fn log(&self) -> &[AuditEntry] {
        self.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default()
    }
}

/// The command.
pub async fn run(context: &Context, args: AuditArgs) -> Result<(), Error> {
    let cluster = context.globals.connect().await?;
    let lines = EntryLines::new(args.output);
    match &args.name {
        Some(name) => report::<ServiceAccount>(&cluster, name, args.follow, lines).await,
        None => report::<Account>(&cluster, ACCOUNT_NAME, args.follow, lines).await,
    }
}

async fn report<K: Logged>(
    cluster: &Cluster,
    name: &str,
    follow: bool,
    mut lines: EntryLines,
) -> Result<(), Error> {
    let mut shown_entries = ShownEntries::default();
    let first = cluster.get::<K>(name).await?;
    screen::show(&lines.of(&shown_entries.of(first.log()))?)?;
    if !follow {
        return Ok(());
    }
    let mut states = Follow::<K>::new(cluster, name);
    while let Some(object) = states.next().await? {
        screen::show(&lines.of(&shown_entries.of(object.log()))?)?;
    }
    screen::note(&format!("{} \"{name}\" was deleted; the account's own log tells of it", kind_name::<K>()));
    Ok(())
}

/// Which entries were shown already, and how often each had happened then: repeats are folded into one entry.
#[derive(Debug, Default)]
struct ShownEntries(HashMap<String, (DateTime<Utc>, Option<i32>)>);

impl ShownEntries {
    /// Those of a log that are new or happened again, oldest first.
    fn of(&mut self, log: &[AuditEntry]) -> Vec<AuditEntry> {
        let mut is_new = |entry: &&AuditEntry| {
            let now = (entry.time, entry.count);
            // What is older than what was shown comes from an API server that lags behind.
            let known = self.0.insert(entry.id.clone(), now);
            known.is_none_or(|known| known < now)
        };
        log.iter().rev().filter(|entry| is_new(entry)).cloned().collect()
    }
}

/// Entries as text. Columns stay where they were for entries that come later.
#[derive(Debug)]
struct EntryLines {
    output: LogOutput,
    columns: Columns,
    begun: bool,
}

impl EntryLines {
    fn new(output: LogOutput) -> Self {
        Self { output, columns: Columns::default(), begun: false }
    }

    fn of(&mut self, entries: &[AuditEntry]) -> Result<String, Error> {
        let wide = match self.output {
            LogOutput::Json => {
                return Ok(lines(entries.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?));
            }
            LogOutput::Table => false,
            LogOutput::Wide => true,
        };
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        if !std::mem::replace(&mut self.begun, true) {
            let header = if wide { &log::WIDE_HEADER[..] } else { &log::HEADER[..] };
            rows.push(header.iter().map(Cell::from).collect());
        }
        rows.extend(entries.iter().map(|entry| log::row(entry, wide)));
        for row in &rows {
            self.columns.fit(row);
        }
        Ok(lines(rows.iter().map(|row| self.columns.line(row))))
    }
}

#[cfg(test)]
mod tests {
    //! Which entries are shown, and how.

    use super::*;
    use crate::kubectl::output::table::plain;
    use crate::kubectl::samples::{entry, from_json};

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
    fn the_oldest_entry_is_shown_first_and_each_only_once() {
        let mut shown_entries = ShownEntries::default();
        assert_eq!(ids(&shown_entries.of(&log(&[("b", 2, None), ("a", 1, None)]))), ["a", "b"]);
        assert_eq!(ids(&shown_entries.of(&log(&[("c", 3, None), ("b", 2, None), ("a", 1, None)]))), ["c"]);
        assert_eq!(
            ids(&shown_entries.of(&log(&[("c", 3, None), ("b", 2, None)]))),
            [] as [&str; 0],
            "the oldest is dropped"
        );
    }

    #[test]
    fn an_entry_that_counts_repeats_is_shown_again_with_each() {
        let mut shown_entries = ShownEntries::default();
        shown_entries.of(&log(&[("act", 1, Some(1))]));
        assert_eq!(ids(&shown_entries.of(&log(&[("act", 5, Some(4))]))), ["act"]);
        assert_eq!(
            ids(&shown_entries.of(&log(&[("act", 1, Some(1))]))),
            [] as [&str; 0],
            "an older state is no news"
        );
    }

    #[test]
    fn entries_are_lines_and_later_ones_stand_below_the_first() {
        let mut lines = EntryLines::new(LogOutput::Table);
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
            plain(&EntryLines::new(LogOutput::Wide).of(&[from_json(one)]).unwrap()),
            "TIME                   ACTOR   OBJECT                  KEY ID         ID                 REASON   MESSAGE\n\
         2026-11-23T12:00:00Z   alice   ServiceAccount/ci-bot   l75doUeBBMSL   7c42a9e322156585   Issued   issued\n"
        );
    }

    #[test]
    fn for_programs_each_entry_is_one_line_of_json() {
        let entries = log(&[("a", 1, None), ("b", 2, Some(2))]);
        let text = EntryLines::new(LogOutput::Json).of(&entries).unwrap();
        let read: Vec<AuditEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, entries);
    }
}
