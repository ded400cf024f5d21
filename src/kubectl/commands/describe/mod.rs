//! `kubectl keyward describe`: everything about one service account.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use clap::Args;
use kube::{Resource as _, ResourceExt as _};
use serde_json::Value;

use crate::api::resource_grant::{Category, Impersonation};
use crate::api::service_account::AssociatedResources;
use crate::api::shared::KeyCounts;
use crate::api::{AccessKey, ConditionType, ServiceAccount};
use crate::domain::admins;
use crate::domain::value::time::{from_kube, rfc3339};
use crate::kubectl::cluster::client::Scope;
use crate::kubectl::cluster::manifest;
use crate::kubectl::cluster::object::of_service_account;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::output::format::ReportOutput;
use crate::kubectl::output::hint::command_line;
use crate::kubectl::output::icon::icon;
use crate::kubectl::output::log;
use crate::kubectl::output::screen;
use crate::kubectl::output::screen::Terminal;
use crate::kubectl::output::states;
use crate::kubectl::output::table::{Cell, Table, Tone, lines, paint};
use crate::kubectl::output::times;

/// How many entries of the audit log are shown.
const ENTRIES: usize = 10;

/// Flags of `describe`.
#[derive(Args, Clone, Debug)]
pub struct DescribeArgs {
    /// The service account.
    #[arg(value_name = "NAME", add = NameOf::ServiceAccount)]
    name: String,
    /// Print the service account and its access keys as a list of objects instead.
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<ReportOutput>,
}

/// The command.
pub async fn run(context: &Context, args: DescribeArgs) -> Result<(), Error> {
    let cluster = context.globals.connect().await?;
    let selector = of_service_account(&args.name);
    let (service_account, keys) = futures::try_join!(
        cluster.get::<ServiceAccount>(&args.name),
        cluster.list::<AccessKey>(Scope::One, &selector)
    )?;
    let text = match args.output {
        Some(output) => output.of(&objects(service_account, keys)?)?,
        None => describe(&service_account, &keys, context.terminal, context.now),
    };
    screen::show(&text)
}

fn objects(service_account: ServiceAccount, keys: Vec<AccessKey>) -> Result<Value, Error> {
    let first = manifest::as_found(vec![service_account], true)?;
    let keys = manifest::as_found(keys, false)?;
    let keys = keys.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(manifest::list(&[vec![first], keys].concat()))
}

fn describe(
    service_account: &ServiceAccount,
    keys: &[AccessKey],
    terminal: Terminal,
    now: DateTime<Utc>,
) -> String {
    let nothing = AssociatedResources::default();
    let status = service_account.status.as_ref();
    let resources = status.and_then(|status| status.associated_resources.as_ref());
    let parts = [
        header(service_account, terminal, now),
        access_keys(keys, now),
        associated(service_account, resources.unwrap_or(&nothing)),
        in_use(resources.unwrap_or(&nothing)),
        audit_log(service_account),
    ];
    parts.concat()
}

/// A title with its lines or its table below.
fn section(title: &str, below: &str) -> String {
    format!("\n{}\n{below}", paint(Tone::Strong, title))
}

fn header(object: &ServiceAccount, terminal: Terminal, now: DateTime<Utc>) -> String {
    let spec = &object.spec;
    let status = object.status.clone().unwrap_or_default();
    let name = object.name_any();
    let created = object.meta().creation_timestamp.as_ref().map(from_kube);
    let reason = ConditionType::Ready.find(&status.conditions).map(states::reason);
    let state = states::service_account(status.state);
    let keys = status.keys.clone().unwrap_or_default();
    let mut rows: Vec<(&str, String)> = vec![
        ("Name", paint(Tone::Strong, &name)),
        ("Namespace", paint(Tone::Plain, &object.namespace().unwrap_or_default())),
        ("Display name", paint(Tone::Plain, spec.display_name.as_deref().unwrap_or(&name))),
        ("Icon", icon(spec.icon, terminal)),
    ];
    let description = spec.description.as_deref().unwrap_or("-").lines().enumerate();
    rows.extend(
        description.map(|(at, line)| (if at == 0 { "Description" } else { "" }, paint(Tone::Plain, line))),
    );
    let reason = reason.unwrap_or_else(|| "no controller has looked at it yet; is one running?".into());
    rows.push(("State", format!("{state} ({})", paint(Tone::Plain, &reason))));
    rows.push(("Created", created.map_or_else(|| "-".into(), |at| moment(at, now))));
    let used = status.last_accessed_at.map(|at| moment(at, now));
    let used = used.unwrap_or_else(|| times::last_use(None, status.usage_recorded_since, now));
    rows.push(("Last accessed", used));
    rows.push(("Access keys", counted(&keys)));
    rows.extend(admin_rows(object));
    lines(rows.into_iter().map(|(name, value)| row(name, &value)))
}

fn row(name: &str, value: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("{name}:") };
    format!("{name:<15} {value}")
}

fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} ({})", rfc3339(at), times::away(at, now))
}

fn counted(keys: &KeyCounts) -> String {
    let KeyCounts { total, active, inactive, expired, rejected, expiring_soon } = keys;
    let others = [(inactive, "inactive"), (expired, "expired"), (rejected, "rejected")];
    let others = others.into_iter().filter(|(count, _)| **count > 0);
    let others = others.map(|(count, word)| format!(", {count} {word}")).collect::<Vec<_>>().concat();
    format!("{active} active of {total}{others}{}", states::expiring(*expiring_soon))
}

/// Those that are named, and which of them RBAC does not know yet.
fn admin_rows(object: &ServiceAccount) -> Vec<(&'static str, String)> {
    let named = object.spec.admins.as_deref().unwrap_or_default();
    let bound = object.status.as_ref().map(|status| status.admins.as_slice()).unwrap_or_default();
    let (bound, waiting): (Vec<_>, Vec<_>) = named.iter().cloned().partition(|admin| bound.contains(admin));
    let mut lines = vec![("Admins", paint(Tone::Plain, &admins::line(&bound).unwrap_or_else(|| "-".into())))];
    if let Some(waiting) = admins::line(&waiting) {
        lines.push(("", format!("{} (named, and not bound yet)", paint(Tone::Warn, &waiting))));
    }
    lines
}

fn access_keys(keys: &[AccessKey], now: DateTime<Utc>) -> String {
    if keys.is_empty() {
        return section("Access keys (0)", "  none\n");
    }
    let mut keys: Vec<&AccessKey> = keys.iter().collect();
    keys.sort_by_key(|key| key.name_any());
    let mut table =
        Table::new(["NAME", "STATE", "KEY ID", "EXPIRES", "RENEWED", "LAST USED", "REVISION", "REASON"])
            .indented("  ");
    for key in &keys {
        table.row(key_row(key, now));
    }
    section(&format!("Access keys ({})", keys.len()), &table.to_string())
}

fn key_row(key: &AccessKey, now: DateTime<Utc>) -> Vec<Cell> {
    let status = key.status.clone().unwrap_or_default();
    let token = status.token.as_ref();
    let revision = key.spec.revision.or(token.map(|token| token.revision));
    let expires = token.map_or_else(|| "-".into(), |token| times::away(token.expires_at, now));
    let soon = ConditionType::Expiring.is_true(&status.conditions);
    vec![
        key.name_any().into(),
        states::access_key(status.state),
        token.map_or("-", |token| token.id.as_str()).into(),
        Cell::new(if soon { Tone::Warn } else { Tone::Plain }, &expires),
        if key.spec.rotation.is_some() { "by itself" } else { "by hand" }.into(),
        times::last_use(status.last_used_at, status.usage_recorded_since, now).into(),
        revision.map_or_else(|| "-".to_owned(), |revision| revision.to_string()).into(),
        ConditionType::Ready.find(&status.conditions).map_or("-", |ready| ready.reason.as_str()).into(),
    ]
}

fn associated(object: &ServiceAccount, resources: &AssociatedResources) -> String {
    let AssociatedResources { total, impersonation: _, categories, in_use: _, items } = resources;
    if *total == 0 {
        return section("Associated resources (0)", "  none\n");
    }
    let mut below = Vec::new();
    for category in Category::ALL.iter().copied() {
        let its: Vec<_> = items.iter().filter(|item| item.category == category).collect();
        let Some(counted) = categories.iter().find(|counted| counted.category == category) else { continue };
        let mut table =
            Table::new(["NAME", "DISPLAY NAME", "ROLE", "USAGE", "IMPERSONATION"]).indented("    ");
        for item in its {
            let tone = if item.impersonation == Impersonation::Enabled { Tone::Warn } else { Tone::Plain };
            table.row(vec![
                item.name.as_str().into(),
                item.display_name.as_deref().unwrap_or("-").into(),
                item.role.as_str().into(),
                format!("{:?}", item.usage).into(),
                Cell::new(tone, &format!("{:?}", item.impersonation)),
            ]);
        }
        below.push(format!("  {} ({})\n{table}", category.as_str(), counted.count));
    }
    let left = usize::try_from(*total).unwrap_or_default().saturating_sub(items.len());
    if left > 0 {
        below.push(format!(
            "  {left} more: kubectl -n {} get kwgrant --field-selector {}\n",
            object.namespace().unwrap_or_default(),
            of_service_account(&object.name_any())
        ));
    }
    section(&format!("Associated resources ({total})"), &below.concat())
}

fn in_use(resources: &AssociatedResources) -> String {
    if resources.in_use.is_empty() {
        return String::new();
    }
    let sentences = resources.in_use.iter().map(|sentence| format!("  {}", paint(Tone::Plain, sentence)));
    section("Still used by", &lines(sentences))
}

fn audit_log(object: &ServiceAccount) -> String {
    let log = object.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default();
    if log.is_empty() {
        return section("Audit log", "  empty\n");
    }
    let shown = log.len().min(ENTRIES);
    let mut table = Table::new(log::HEADER).indented("  ");
    for entry in log.iter().take(shown).rev() {
        table.row(log::row(entry, false));
    }
    let all = command_line(&object.namespace().unwrap_or_default(), &format!("audit {}", object.name_any()));
    section(&format!("Audit log (the newest {shown} of {}; all: {all})", log.len()), &table.to_string())
}
