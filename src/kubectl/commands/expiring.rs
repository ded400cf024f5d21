//! `kubectl keyward expiring`: access keys that expire soon, and whether anything renews them.

use chrono::{DateTime, Utc};
use clap::Args;
use kube::ResourceExt as _;

use crate::api::AccessKey;
use crate::api::access_key::KeyState;
use crate::domain::value::period::Period;
use crate::domain::value::time::rfc3339;
use crate::kubectl::cluster::client::Scope;
use crate::kubectl::cluster::manifest;
use crate::kubectl::cluster::object::reference;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::span::span;
use crate::kubectl::output::format::{self, ListOutput};
use crate::kubectl::output::screen;
use crate::kubectl::output::states;
use crate::kubectl::output::table::{Cell, Table, Tone, lines};
use crate::kubectl::output::times;

/// Flags of `expiring`.
#[derive(Args, Clone, Copy, Debug)]
pub struct ExpiringArgs {
    /// How far ahead to look: a span such as 30d or 12h, or ISO 8601 such as P30D.
    #[arg(long, value_name = "SPAN", default_value = "30d", value_parser = span)]
    within: Period,
    /// In all accounts.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// How to print it: `wide` has times and key ids, `json` and `yaml` the access keys themselves.
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = ListOutput::Table)]
    output: ListOutput,
}

/// The command.
pub async fn run(context: &Context, args: ExpiringArgs) -> Result<(), Error> {
    let ExpiringArgs { within, all_namespaces, output } = args;
    let cluster = context.globals.connect().await?;
    let scope = if all_namespaces { Scope::All } else { Scope::One };
    let keys: Vec<AccessKey> = cluster.list(scope, "").await?;
    let found = expiring(keys, within, context.now);
    let view = ExpiringView { all_namespaces, wide: output == ListOutput::Wide, now: context.now };
    match output {
        ListOutput::Table | ListOutput::Wide => {
            if !found.keys.is_empty() {
                screen::show(&view.table(&found.keys))?;
            }
            view.remarks(&found, within).iter().for_each(|line| screen::note(line));
            Ok(())
        }
        ListOutput::Name => screen::show(&lines(found.keys.iter().map(reference))),
        ListOutput::Json => screen::show(&format::json(&manifest::as_found(found.keys, false)?)?),
        ListOutput::Yaml => screen::show(&format::yaml(&manifest::as_found(found.keys, false)?)?),
    }
}

/// Keys that expire soon, and how many have expired.
#[derive(Debug)]
struct ExpiringKeys {
    /// Those that expire in the span, the soonest first.
    keys: Vec<AccessKey>,
    /// How many have expired before.
    expired: usize,
}

fn expiring(keys: Vec<AccessKey>, within: Period, now: DateTime<Utc>) -> ExpiringKeys {
    let (expired, ahead): (Vec<_>, Vec<_>) =
        keys.into_iter().filter_map(|key| Some((expiry(&key)?, key))).partition(|(at, _)| *at <= now);
    let end = within.after(now);
    let mut ahead: Vec<_> = ahead.into_iter().filter(|(at, _)| end.is_none_or(|end| *at <= end)).collect();
    ahead.sort_by_key(|(at, key)| (*at, key.namespace(), key.name_any()));
    ExpiringKeys { keys: ahead.into_iter().map(|(_, key)| key).collect(), expired: expired.len() }
}

fn expiry(key: &AccessKey) -> Option<DateTime<Utc>> {
    Some(key.status.as_ref()?.token.as_ref()?.expires_at)
}

#[derive(Clone, Copy, Debug)]
struct ExpiringView {
    all_namespaces: bool,
    wide: bool,
    now: DateTime<Utc>,
}

impl ExpiringView {
    fn table(self, keys: &[AccessKey]) -> String {
        let names: &[&str] = if self.all_namespaces {
            &["NAMESPACE", "SERVICE ACCOUNT", "KEY"]
        } else {
            &["SERVICE ACCOUNT", "KEY"]
        };
        let mut table = Table::new([])
            .with(true, names)
            .with(true, &["STATE", "EXPIRES"])
            .with(self.wide, &["AT", "KEY ID"])
            .with(true, &["LAST USED", "RENEWAL"]);
        for key in keys {
            table.row(self.row(key));
        }
        table.to_string()
    }

    fn row(self, key: &AccessKey) -> Vec<Cell> {
        let status = key.status.clone().unwrap_or_default();
        let token = status.token.as_ref();
        let mut row: Vec<Cell> = Vec::new();
        if self.all_namespaces {
            row.push(key.namespace().unwrap_or_default().into());
        }
        row.extend([Cell::from(&key.spec.service_account_name), key.name_any().into()]);
        row.push(states::access_key(status.state));
        let (expires, at) = expiry(key)
            .map_or_else(|| ("-".to_owned(), "-".to_owned()), |at| (times::away(at, self.now), rfc3339(at)));
        row.push(Cell::new(Tone::Warn, &expires));
        if self.wide {
            row.extend([Cell::from(at), token.map_or("-", |token| token.id.as_str()).into()]);
        }
        row.push(times::last_use(status.last_used_at, status.usage_recorded_since, self.now).into());
        row.push(renewal(key, self.now));
        row
    }

    /// What else there is to know.
    fn remarks(self, found: &ExpiringKeys, within: Period) -> Vec<String> {
        let place = if self.all_namespaces { " in any account" } else { "" };
        let mut lines = Vec::new();
        if found.keys.is_empty() {
            lines.push(format!("No access key{place} expires within {within}."));
        }
        if found.expired > 0 {
            let (keys, have) = if found.expired == 1 { ("key", "has") } else { ("keys", "have") };
            lines.push(format!("{} access {keys} {have} expired already: kubectl get kwkey", found.expired));
        }
        lines
    }
}

/// Whether the next token comes by itself, and when.
fn renewal(key: &AccessKey, now: DateTime<Utc>) -> Cell {
    let Some(rotation) = &key.spec.rotation else {
        return Cell::new(Tone::Bad, "nothing renews it");
    };
    let state = key.status.as_ref().and_then(|status| status.state);
    if state == Some(KeyState::Inactive) {
        return Cell::new(Tone::Warn, "not while it is inactive");
    }
    let before = Period::parse(&rotation.renew_before.0).ok();
    match before.and_then(|before| before.before(expiry(key)?)) {
        Some(due) if due > now => Cell::new(Tone::Good, &format!("by itself, {}", times::away(due, now))),
        Some(due) => Cell::new(Tone::Warn, &format!("due since {}", times::age(due, now))),
        None => Cell::new(Tone::Bad, "its spec.rotation cannot be read"),
    }
}

#[cfg(test)]
mod tests {
    //! Which keys expire soon, and what is said of their renewal.

    use serde_json::{Value, json};

    use super::*;
    use crate::kubectl::output::table::plain;
    use crate::kubectl::samples::{issued, key, now};

    fn named(name: &str, state: &str, expires_at: &str, spec: Value) -> AccessKey {
        key(name, spec, issued(state, "l75doUeBBMSL", expires_at))
    }

    fn keys() -> Vec<AccessKey> {
        let rotated = |renew_before: &str| json!({"rotation": {"renewBefore": renew_before}});
        vec![
            named("late", "Active", "2027-11-23T12:00:00Z", json!({})),
            named("second", "Active", "2026-12-13T12:00:00Z", rotated("P14D")),
            named("first", "Active", "2026-11-28T12:00:00Z", json!({})),
            named("gone", "Expired", "2026-11-23T12:00:00Z", json!({})),
            named("off", "Inactive", "2026-12-23T12:00:00Z", rotated("P14D")),
            named("due", "Active", "2026-12-01T12:00:00Z", rotated("P14D")),
            key("pending", json!({}), json!({"observedGeneration": -1})),
        ]
    }

    fn view(all_namespaces: bool, wide: bool) -> ExpiringView {
        ExpiringView { all_namespaces, wide, now: now() }
    }

    #[test]
    fn the_soonest_comes_first_and_it_is_said_whether_anything_renews_it() {
        let found = expiring(keys(), Period::days(30), now());
        assert_eq!(
            plain(&view(false, false).table(&found.keys)),
            "SERVICE ACCOUNT   KEY      STATE      EXPIRES   LAST USED   RENEWAL\n\
         ci-bot            first    Active     in 5d     unknown     nothing renews it\n\
         ci-bot            due      Active     in 8d     unknown     due since 6d\n\
         ci-bot            second   Active     in 20d    unknown     by itself, in 6d\n\
         ci-bot            off      Inactive   in 30d    unknown     not while it is inactive\n"
        );
        assert_eq!(
            view(false, false).remarks(&found, Period::days(30)),
            ["1 access key has expired already: kubectl get kwkey"]
        );
    }

    #[test]
    fn a_key_that_expires_at_the_very_end_of_the_span_is_among_them() {
        let at =
            |within| expiring(keys(), within, now()).keys.iter().map(AccessKey::name_any).collect::<Vec<_>>();
        assert_eq!(at(span("5d").unwrap()), ["first"]);
        assert_eq!(at(span("119h").unwrap()), [] as [String; 0]);
        assert_eq!(at(span("P1Y").unwrap()).len(), 5);
    }

    #[test]
    fn more_columns_tell_times_and_key_ids_and_all_accounts_the_namespace() {
        let found = expiring(keys(), Period::days(5), now());
        assert_eq!(
            plain(&view(true, true).table(&found.keys)),
            "NAMESPACE   SERVICE ACCOUNT   KEY     STATE    EXPIRES   AT                     KEY ID         LAST USED   RENEWAL\n\
         shop        ci-bot            first   Active   in 5d     2026-11-28T12:00:00Z   l75doUeBBMSL   unknown     nothing renews it\n"
        );
    }

    #[test]
    fn that_none_expires_is_said_too() {
        let none = ExpiringKeys { keys: Vec::new(), expired: 2 };
        assert_eq!(
            view(true, false).remarks(&none, Period::days(30)),
            [
                "No access key in any account expires within P30D.",
                "2 access keys have expired already: kubectl get kwkey"
            ]
        );
    }
}
