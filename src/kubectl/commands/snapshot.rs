//! `kubectl keyward`: the service accounts of an account at a glance, out of the Account's snapshot.

use chrono::{DateTime, Utc};
use clap::Args;
use kube::ResourceExt as _;

use crate::api::account::SnapshotItem;
use crate::api::shared::KeyCounts;
use crate::api::{ACCOUNT_NAME, Account};
use crate::domain::account::limits::Limits;
use crate::kubectl::cluster::client::Scope;
use crate::kubectl::cluster::manifest;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::output::format::{self, ListOutput};
use crate::kubectl::output::hint::command_line;
use crate::kubectl::output::icon::icon;
use crate::kubectl::output::screen;
use crate::kubectl::output::screen::Look;
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
    let view = SnapshotView { look: context.look, wide: args.output == ListOutput::Wide, now: context.now };
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
    look: Look,
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
            icon(*picture, self.look).into(),
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
    match conditions.iter().find(|condition| condition.type_ == "Ready") {
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

#[cfg(test)]
mod tests {
    //! What the snapshot looks like.

    use serde_json::{Value, json};

    use super::*;
    use crate::kubectl::output::table::plain;
    use crate::kubectl::samples::{account, conditions, now};

    fn view(wide: bool) -> SnapshotView {
        SnapshotView { look: Look::default(), wide, now: now() }
    }

    fn items() -> Value {
        json!([
            {
                "name": "billing-bot", "displayName": "Billing", "icon": "Chart", "state": "Inactive",
                "keys": {"total": 1, "active": 0, "inactive": 1, "expired": 0, "rejected": 0, "expiringSoon": 0},
            },
            {
                "name": "ci-bot", "displayName": "CI bot", "icon": "Rocket", "state": "Active",
                "lastAccessedAt": "2026-11-23T11:57:00Z", "admins": "User/alice, Group/platform",
                "keys": {"total": 5, "active": 3, "inactive": 0, "expired": 1, "rejected": 1, "expiringSoon": 2},
            },
        ])
    }

    fn shop() -> Account {
        account(
            json!({"displayName": "The shop", "limits": {"accessKeysPerServiceAccount": 10}}),
            json!({
                "observedGeneration": 1, "usageRecordedSince": "2026-11-01T00:00:00Z",
                "serviceAccounts": {"admitted": 2, "rejected": 1, "limit": 25},
                "keys": {"total": 6, "active": 3, "inactive": 1, "expired": 1, "rejected": 1, "expiringSoon": 2},
                "snapshot": {"time": "2026-11-23T11:59:00Z", "serviceAccounts": items(), "omitted": 0},
                "conditions": conditions("True", "Accepted", "fine"),
            }),
        )
    }

    fn fresh() -> Account {
        account(json!({}), json!({"observedGeneration": -1}))
    }

    #[test]
    fn an_account_shows_its_limits_and_each_service_account() {
        assert_eq!(
            plain(&view(false).account(&shop())),
            "Account shop (The shop)\n\
         Service accounts: 2 of 25, 1 rejected\n\
         Access keys: 3 active of 6, at most 10 for each service account; expiring: 2 within 30 days\n\
         \n\
         NAME          DISPLAY NAME   ICON     STATE      LAST ACCESSED   KEYS               ADMINS\n\
         billing-bot   Billing        Chart    Inactive   never           0/1                -\n\
         ci-bot        CI bot         Rocket   Active     3m              3/5 (2 expiring)   User/alice, Group/platform\n"
        );
    }

    #[test]
    fn more_columns_tell_the_states_of_keys() {
        let shown = plain(&view(true).account(&shop()));
        let row = shown.lines().find(|line| line.starts_with("ci-bot")).unwrap();
        assert!(shown.contains("KEYS               INACTIVE   EXPIRED   REJECTED   ADMINS\n"), "{shown}");
        assert!(row.contains("3/5 (2 expiring)   0          1         1          User/alice"), "{row}");
    }

    #[test]
    fn a_terminal_shows_states_and_what_expires_in_colour() {
        let shown = view(false).account(&shop());
        for part in [
            "\u{1b}[32mActive",
            "\u{1b}[33m3/5 (2 expiring)",
            "\u{1b}[31m1 rejected",
            "\u{1b}[1mAccount shop",
        ] {
            assert!(shown.contains(part), "{part:?} in {shown}");
        }
    }

    #[test]
    fn where_nobody_records_use_it_is_unknown_and_not_never() {
        let mut account = shop();
        account.status.as_mut().unwrap().usage_recorded_since = None;
        let shown = plain(&view(false).account(&account));
        assert!(shown.contains("Inactive   unknown "), "{shown}");
    }

    #[test]
    fn an_account_that_no_controller_has_seen_says_so() {
        assert_eq!(
            plain(&view(false).account(&fresh())),
            "Account shop\n\
         No controller has looked at it yet; is one running?\n\
         \n\
         No service accounts yet. To make one: kubectl keyward -n shop create NAME\n"
        );
    }

    #[test]
    fn what_is_wrong_with_the_account_is_said() {
        let mut account = shop();
        let status = account.status.as_mut().unwrap();
        status.conditions =
            serde_json::from_value(conditions("False", "InvalidLimits", "the limits contradict")).unwrap();
        status.snapshot.as_mut().unwrap().omitted = 7;
        let shown = plain(&view(false).account(&account));
        assert!(shown.contains("30 days\nInvalidLimits: the limits contradict\n\nNAME"), "{shown}");
        assert!(
            shown.ends_with("7 more are left out of the snapshot: kubectl -n shop get kwsa\n"),
            "{shown}"
        );
    }

    #[test]
    fn all_accounts_are_a_row_each_and_then_all_service_accounts() {
        assert_eq!(
            plain(&view(false).accounts(&[shop(), fresh()])),
            "NAMESPACE   DISPLAY NAME   SERVICE ACCOUNTS   ACTIVE KEYS   EXPIRING   READY\n\
         shop        The shop       2/25               3/6           2          True\n\
         shop        -              0/0                0/0           0          unknown\n\
         \n\
         NAMESPACE   NAME          DISPLAY NAME   ICON     STATE      LAST ACCESSED   KEYS               ADMINS\n\
         shop        billing-bot   Billing        Chart    Inactive   never           0/1                -\n\
         shop        ci-bot        CI bot         Rocket   Active     3m              3/5 (2 expiring)   User/alice, Group/platform\n"
        );
        assert_eq!(view(false).accounts(&[]), "");
        assert_eq!(view(false).accounts(&[fresh()]).lines().count(), 2);
    }
}
