//! `kubectl keyward audit`: what happened to a service account, or in the account, oldest first.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::Context;
use super::cluster::{Cluster, Kind, kind};
use super::completion::service_accounts;
use super::error::Error;
use super::follow::Follow;
use super::log;
use super::screen;
use super::table::{Cell, Columns, lines};
use crate::api::shared::AuditEntry;
use crate::api::{ACCOUNT_NAME, Account, ServiceAccount};

/// Flags of `audit`.
#[derive(Args, Clone, Debug)]
pub(super) struct AuditArgs {
    /// The service account. Without it: the log of the account itself.
    #[arg(value_name = "NAME", add = service_accounts())]
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
trait Logged: Kind {
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
pub(super) async fn run(context: &Context, args: AuditArgs) -> Result<(), Error> {
    let cluster = context.globals.connect().await?;
    let told = Lines::new(args.output);
    match &args.name {
        Some(name) => tell::<ServiceAccount>(&cluster, name, args.follow, told).await,
        None => tell::<Account>(&cluster, ACCOUNT_NAME, args.follow, told).await,
    }
}

async fn tell<K: Logged>(cluster: &Cluster, name: &str, follow: bool, mut told: Lines) -> Result<(), Error> {
    let mut news = News::default();
    let first = cluster.get::<K>(name).await?;
    screen::show(&told.of(&news.of(first.log()))?)?;
    if !follow {
        return Ok(());
    }
    let mut states = Follow::<K>::new(cluster, name);
    while let Some(object) = states.next().await? {
        screen::show(&told.of(&news.of(object.log()))?)?;
    }
    screen::note(&format!("{} \"{name}\" was deleted; the account's own log tells of it", kind::<K>()));
    Ok(())
}

/// Which entries were told already, and how often each had happened then: repeats are folded into one entry.
#[derive(Debug, Default)]
struct News(HashMap<String, (DateTime<Utc>, Option<i32>)>);

impl News {
    /// Those of a log that are new or happened again, oldest first.
    fn of(&mut self, log: &[AuditEntry]) -> Vec<AuditEntry> {
        let mut is_new = |entry: &&AuditEntry| {
            let now = (entry.time, entry.count);
            // What is older than what was told comes from an API server that lags behind.
            let known = self.0.insert(entry.id.clone(), now);
            known.is_none_or(|known| known < now)
        };
        log.iter().rev().filter(|entry| is_new(entry)).cloned().collect()
    }
}

/// Entries as text. Columns stay where they were for entries that come later.
#[derive(Debug)]
struct Lines {
    output: LogOutput,
    columns: Columns,
    begun: bool,
}

impl Lines {
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
#[path = "audit_tests.rs"]
mod tests;
