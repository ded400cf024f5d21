//! `kubectl keyward`: the service accounts of an account at a glance, out of the Account's snapshot.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use clap::Args;
use kube::ResourceExt as _;

use crate::api::account::SnapshotItem;
use crate::api::shared::KeyCounts;
use crate::api::{ACCOUNT_NAME, Account, ConditionType};
use crate::domain::account::limits::Limits;
use crate::kubectl::cluster::client::Scope;
use crate::kubectl::cluster::manifest;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::output::format::{self, ListOutput};
use crate::kubectl::output::hint::command_line;
use crate::kubectl::output::icon::icon;
use crate::kubectl::output::screen;
use crate::kubectl::output::screen::Terminal;
use crate::kubectl::output::states;
use crate::kubectl::output::table::{Cell, Table, Tone, lines, paint};
use crate::kubectl::output::times;

/// Flags of the snapshot.
#[derive(Args, Clone, Copy, Debug)]
pub struct SnapshotArgs {
    /// All accounts.
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// How to print it: `wide` has keys by state, `json` and `yaml` the Account itself.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = ListOutput::Table)]
    pub output: ListOutput,
}

/// The command.
pub async fn run(context: &Context, args: SnapshotArgs) -> Result<(), Error> {
    let cluster = context.globals.connect().await?;
    let mut accounts: Vec<Account> = if args.all_namespaces {
        cluster.list(Scope::All, "").await?
    } else {
        cluster.find(ACCOUNT_NAME).await?.into_iter().collect()
    };
    accounts.sort_by_key(Account::namespace);
    let view =
        SnapshotView { terminal: context.terminal, wide: args.output == ListOutput::Wide, now: context.now };
    let text = match args.output {
        ListOutput::Table | ListOutput::Wide if args.all_namespaces => view.accounts(&accounts),
        ListOutput::Table | ListOutput::Wide => match accounts.first() {
            Some(account) => view.account(account),
            None => String::new(),
        },
        ListOutput::Name => lines(accounts.iter().flat_map(items).map(name)),
        ListOutput::Json => format::json(&manifest::as_found(accounts, !args.all_namespaces)?)?,
        ListOutput::Yaml => format::yaml(&manifest::as_found(accounts, !args.all_namespaces)?)?,
    };
    if text.is_empty() {
        let place = if args.all_namespaces {
            "the cluster"
        } else {
            &format!("namespace \"{}\"", cluster.namespace())
        };
        screen::note(&nothing_yet(place, cluster.namespace()));
    }
    screen::show(&text)
}

fn nothing_yet(place: &str, namespace: &str) -> String {
    let create = command_line(namespace, "create NAME");
    format!("There is no account in {place} yet. It comes with its first service account: {create}")
}

fn items(account: &Account) -> &[SnapshotItem] {
    let snapshot = account.status.as_ref().and_then(|status| status.snapshot.as_ref());
    snapshot.map(|snapshot| snapshot.service_accounts.as_slice()).unwrap_or_default()
}

fn name(item: &SnapshotItem) -> String {
    format!("serviceaccount.{}/{}", crate::api::GROUP, item.name)
}

/// What the text depends on beside the accounts.
#[derive(Clone, Copy, Debug)]
struct SnapshotView {
    terminal: Terminal,
    wide: bool,
    now: DateTime<Utc>,
}

impl SnapshotView {
    /// One account: its limits, and a row for each service account.
    fn account(self, account: &Account) -> String {
        let text = summary(account);
        let items = items(account);
        if items.is_empty() {
            let create = command_line(&account.namespace().unwrap_or_default(), "create NAME");
            return format!("{text}\nNo service accounts yet. To make one: {create}\n");
        }
        let mut table =
            self.header(Table::new(["NAME", "DISPLAY NAME", "ICON", "STATE", "LAST ACCESSED", "KEYS"]));
        for item in items {
            table.row(self.row(account, item));
        }
        format!("{text}\n{table}{}", omitted(account))
    }

    /// Several accounts: a row for each, and then one for each of their service accounts.
    fn accounts(self, accounts: &[Account]) -> String {
        if accounts.is_empty() {
            return String::new();
        }
        let mut overview =
            Table::new(["NAMESPACE", "DISPLAY NAME", "SERVICE ACCOUNTS", "ACTIVE KEYS", "EXPIRING", "READY"]);
        let mut all = self.header(Table::new([
            "NAMESPACE",
            "NAME",
            "DISPLAY NAME",
            "ICON",
            "STATE",
            "LAST ACCESSED",
            "KEYS",
        ]));
        let mut rest = String::new();
        for account in accounts {
            overview.row(account_row(account));
            let namespace = account.namespace().unwrap_or_default();
            for item in items(account) {
                all.row([vec![Cell::from(&namespace)], self.row(account, item)].concat());
            }
            rest.push_str(&omitted(account));
        }
        let none = accounts.iter().all(|account| items(account).is_empty());
        if none { overview.to_string() } else { format!("{overview}\n{all}{rest}") }
    }

    fn header(self, table: Table) -> Table {
        table.with(self.wide, &["INACTIVE", "EXPIRED", "REJECTED"]).with(true, &["ADMINS"])
    }

    fn row(self, account: &Account, item: &SnapshotItem) -> Vec<Cell> {
        let SnapshotItem { name, display_name, icon: picture, state, last_accessed_at, keys, admins } = item;
        let recorded = account.status.as_ref().and_then(|status| status.usage_recorded_since);
        let keys = keys.clone().unwrap_or_default();
        let mut row: Vec<Cell> = vec![
            name.into(),
            display_name.into(),
            icon(*picture, self.terminal).into(),
            states::service_account(*state),
            times::last_use(*last_accessed_at, recorded, self.now).into(),
            key_cell(&keys),
        ];
        if self.wide {
            let KeyCounts { total: _, active: _, inactive, expired, rejected, expiring_soon: _ } = keys;
            row.extend([inactive, expired, rejected].map(|count| Cell::from(count.to_string())));
        }
        row.push(admins.as_deref().unwrap_or("-").into());
        row
    }
}

/// An account as a row among others.
fn account_row(account: &Account) -> Vec<Cell> {
    let status = account.status.as_ref();
    let counts = status.and_then(|status| status.service_accounts.clone()).unwrap_or_default();
    let keys = status.and_then(|status| status.keys.clone()).unwrap_or_default();
    let tone = if counts.rejected > 0 { Tone::Bad } else { Tone::Plain };
    vec![
        account.namespace().unwrap_or_default().into(),
        account.spec.display_name.as_deref().unwrap_or("-").into(),
        Cell::new(tone, &format!("{}/{}", counts.admitted, counts.limit)),
        format!("{}/{}", keys.active, keys.total).into(),
        expiring_cell(keys.expiring_soon),
        ready_cell(account),
    ]
}

/// The lines above the table.
fn summary(account: &Account) -> String {
    let namespace = account.namespace().unwrap_or_default();
    let title = match &account.spec.display_name {
        Some(name) => format!("Account {namespace} ({name})"),
        None => format!("Account {namespace}"),
    };
    let title = paint(Tone::Strong, &title);
    let Some(status) = account.status.as_ref().filter(|status| status.observed_generation >= 0) else {
        return lines([title, "No controller has looked at it yet; is one running?".into()]);
    };
    let counts = status.service_accounts.clone().unwrap_or_default();
    let keys = status.keys.clone().unwrap_or_default();
    let limits = Limits::from_spec(account.spec.limits.as_ref());
    let rejected = match counts.rejected {
        0 => String::new(),
        count => format!(", {}", paint(Tone::Bad, &format!("{count} rejected"))),
    };
    let service_accounts = format!("Service accounts: {} of {}{rejected}", counts.admitted, counts.limit);
    let keys = format!(
        "Access keys: {} active of {}, at most {} for each service account{}",
        keys.active,
        keys.total,
        limits.access_keys,
        states::expiring(keys.expiring_soon)
    );
    let problem = states::problem(&status.conditions).map(|problem| paint(Tone::Bad, &problem));
    lines([title, service_accounts, keys].into_iter().chain(problem))
}

fn key_cell(keys: &KeyCounts) -> Cell {
    let count = format!("{}/{}", keys.active, keys.total);
    match keys.expiring_soon {
        0 => count.into(),
        expiring => Cell::new(Tone::Warn, &format!("{count} ({expiring} expiring)")),
    }
}

fn expiring_cell(count: i32) -> Cell {
    Cell::new(if count > 0 { Tone::Warn } else { Tone::Plain }, &count.to_string())
}

fn ready_cell(account: &Account) -> Cell {
    let conditions = account.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    match ConditionType::Ready.find(conditions) {
        Some(ready) if ready.status == "True" => Cell::new(Tone::Good, &ready.status),
        Some(ready) => Cell::new(Tone::Bad, &format!("{} ({})", ready.status, ready.reason)),
        None => "unknown".into(),
    }
}

/// That a large account is not shown whole.
fn omitted(account: &Account) -> String {
    let snapshot = account.status.as_ref().and_then(|status| status.snapshot.as_ref());
    match snapshot.map_or(0, |snapshot| snapshot.omitted) {
        0 => String::new(),
        omitted => format!(
            "{omitted} more are left out of the snapshot: kubectl -n {} get kwsa\n",
            account.namespace().unwrap_or_default()
        ),
    }
}
