//! `kubectl keyward activate` and `deactivate`: a service account with all its keys. Who switches one off
//! first sees what still uses it.

use chrono::{DateTime, Utc};
use clap::Args;
use kube::ResourceExt as _;
use serde_json::{Value, json};

use crate::api::access_key::KeyState;
use crate::api::names::CONFIRM_DEACTIVATION;
use crate::api::shared::DesiredState;
use crate::api::{AccessKey, ServiceAccount};
use crate::domain::value::period::Period;
use crate::kubectl::cluster::changes::{ChangeArgs, DryRun};
use crate::kubectl::cluster::client::{Cluster, Scope};
use crate::kubectl::cluster::object::{of_service_account, reference};
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::input::prompt;
use crate::kubectl::output::screen;
use crate::kubectl::output::table::{Tone, paint};
use crate::kubectl::output::times;

/// Keys that were used within this time are named, since someone will miss them.
const RECENT: Period = Period::days(7);
/// How many of them are named.
const NAMED: usize = 10;

/// Flags of `activate`.
#[derive(Args, Clone, Debug)]
pub struct ActivateArgs {
    /// The service account.
    #[arg(value_name = "NAME", add = NameOf::ServiceAccount)]
    name: String,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Flags of `deactivate`.
#[derive(Args, Clone, Debug)]
pub struct DeactivateArgs {
    /// The service account.
    #[arg(value_name = "NAME", add = NameOf::ServiceAccount)]
    name: String,
    /// Do it without asking, also where something still uses it.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    change: ChangeArgs,
}

/// `activate`.
pub async fn activate(context: &Context, args: ActivateArgs) -> Result<(), Error> {
    let ActivateArgs { name, change } = args;
    let cluster = context.globals.connect().await?;
    let object: ServiceAccount = cluster.get(&name).await?;
    let done = if object.spec.state == DesiredState::Active { "is active already" } else { "activated" };
    let switched = change.merge(&cluster, &object, &json!({"spec": {"state": "Active"}})).await?;
    change.show(&switched, done)
}

/// `deactivate`.
pub async fn deactivate(context: &Context, args: DeactivateArgs) -> Result<(), Error> {
    let DeactivateArgs { name, yes, change } = args;
    let cluster = context.globals.connect().await?;
    let object: ServiceAccount = cluster.get(&name).await?;
    if object.spec.state == DesiredState::Inactive {
        let same = change.merge(&cluster, &object, &json!({"spec": {"state": "Inactive"}})).await?;
        return change.show(&same, "is inactive already");
    }
    let keys = cluster.list::<AccessKey>(Scope::One, &of_service_account(&name)).await;
    screen::note(&usage(&object, keys.as_deref().map_err(ToString::to_string), context.now));
    let confirmed = yes || change.is_real() && confirm(&object)?;
    if change.is_real() && !confirmed {
        return Err(Error::Refused("nothing was changed".into()));
    }
    let switched = switch_off(&cluster, &object, change, confirmed).await?;
    change.show(&switched, "deactivated")
}

fn confirm(object: &ServiceAccount) -> Result<bool, Error> {
    let question = format!("Switch off {}?", reference(object));
    prompt::confirm(&question, "look at what uses it, and add --yes")
}

/// What switches `object` off; with `confirm` also where the chart wants it confirmed.
fn patch(object: &ServiceAccount, confirm: bool) -> Value {
    let spec = json!({"state": "Inactive"});
    if confirm {
        json!({"metadata": {"annotations": {CONFIRM_DEACTIVATION: object.name_any()}}, "spec": spec})
    } else {
        json!({"spec": spec})
    }
}

async fn switch_off(
    cluster: &Cluster,
    object: &ServiceAccount,
    change: ChangeArgs,
    confirmed: bool,
) -> Result<ServiceAccount, Error> {
    // A manifest that somebody else applies later has to bring the confirmation along.
    if change.dry_run != DryRun::None && confirmed && is_used(object) {
        return change.merge(cluster, object, &patch(object, true)).await;
    }
    match change.merge(cluster, object, &patch(object, false)).await {
        Err(error) if confirmed && wants_confirmation(&error) => {
            let switched = change.merge(cluster, object, &patch(object, true)).await?;
            Ok(tidy(cluster, object, switched, change).await)
        }
        ended => ended,
    }
}

/// Takes the confirmation off again, or it would confirm the next time too.
async fn tidy(
    cluster: &Cluster,
    before: &ServiceAccount,
    switched: ServiceAccount,
    change: ChangeArgs,
) -> ServiceAccount {
    if before.annotations().contains_key(CONFIRM_DEACTIVATION) {
        return switched;
    }
    let off = json!({"metadata": {"annotations": {CONFIRM_DEACTIVATION: null}}});
    match change.merge(cluster, &switched, &off).await {
        Ok(tidied) => tidied,
        Err(error) => {
            screen::warn(&format!(
                "its annotation {CONFIRM_DEACTIVATION} stays, and confirms the next time too: {error}"
            ));
            switched
        }
    }
}

/// The chart's policy requires the annotation that confirms it.
fn wants_confirmation(error: &Error) -> bool {
    error
        .status()
        .is_some_and(|status| status.is_forbidden() && status.message.contains(CONFIRM_DEACTIVATION))
}

fn is_used(object: &ServiceAccount) -> bool {
    !in_use(object).is_empty()
}

fn in_use(object: &ServiceAccount) -> &[String] {
    let resources = object.status.as_ref().and_then(|status| status.associated_resources.as_ref());
    resources.map(|resources| resources.in_use.as_slice()).unwrap_or_default()
}

/// What still uses it, and what stops with it.
fn usage(object: &ServiceAccount, keys: Result<&[AccessKey], String>, now: DateTime<Utc>) -> String {
    let mut lines = Vec::new();
    let name = object.spec.display_name.clone().unwrap_or_else(|| object.name_any());
    let title = paint(Tone::Strong, &format!("{} ({name})", reference(object)));
    match in_use(object) {
        [] => lines.push(format!("{title}: nothing that is granted to it says that it is still used.")),
        sentences => {
            lines.push(format!("{title} is still used:"));
            lines.extend(sentences.iter().map(|sentence| format!("  {}", paint(Tone::Warn, sentence))));
        }
    }
    match keys {
        Ok(keys) => lines.extend(key_lines(keys, now)),
        Err(error) => lines.push(format!("Its access keys could not be looked at: {error}")),
    }
    lines.join("\n")
}

fn key_lines(keys: &[AccessKey], now: DateTime<Utc>) -> Vec<String> {
    let state = |key: &AccessKey| key.status.as_ref().and_then(|status| status.state);
    let active = keys.iter().filter(|key| state(key) == Some(KeyState::Active));
    let mut lines = vec![match active.clone().count() {
        0 => "None of its access keys is active.".to_owned(),
        1 => "Its one active access key stops at once, and is kept.".to_owned(),
        count => format!("Its {count} active access keys stop at once, and are kept."),
    }];
    let since = RECENT.before(now);
    let used = |key: &AccessKey| key.status.as_ref().and_then(|status| status.last_used_at);
    let mut recent: Vec<_> = active.filter_map(|key| used(key).map(|at| (at, key.name_any()))).collect();
    recent.retain(|(at, _)| since.is_some_and(|since| *at >= since));
    recent.sort_by(|a, b| b.cmp(a));
    let more = recent.len().saturating_sub(NAMED);
    let named = recent.into_iter().take(NAMED);
    lines.extend(named.map(|(at, name)| {
        format!("  {} was used {}", paint(Tone::Warn, &format!("Key \"{name}\"")), times::away(at, now))
    }));
    if more > 0 {
        lines.push(format!("  and {more} more within the last 7 days"));
    }
    if keys.iter().any(|key| used(key).is_none() && state(key) == Some(KeyState::Active) && !is_recorded(key))
    {
        lines.push("  Of keys whose use nobody records it is unknown whether they are used.".into());
    }
    lines
}

fn is_recorded(key: &AccessKey) -> bool {
    key.status.as_ref().is_some_and(|status| status.usage_recorded_since.is_some())
}

#[cfg(test)]
mod tests {
    //! What a user is shown who switches a service account off.

    use serde_json::json;

    use super::*;
    use crate::kubectl::output::table::plain;
    use crate::kubectl::samples::{issued, key, now, service_account};

    fn bot(in_use: &[&str]) -> ServiceAccount {
        let resources = json!({"total": in_use.len(), "impersonation": "Disabled", "inUse": in_use});
        service_account("ci-bot", json!({"displayName": "CI bot"}), json!({"associatedResources": resources}))
    }

    fn used(name: &str, state: &str, last_used_at: Option<&str>) -> AccessKey {
        let mut status = issued(state, "l75doUeBBMSL", "2027-05-23T12:00:00Z");
        status["usageRecordedSince"] = json!("2026-11-01T00:00:00Z");
        if let Some(at) = last_used_at {
            status["lastUsedAt"] = json!(at);
        }
        key(name, json!({}), status)
    }

    fn shown(in_use: &[&str], keys: Result<&[AccessKey], String>) -> String {
        plain(&usage(&bot(in_use), keys, now()))
    }

    #[test]
    fn what_still_uses_it_and_which_keys_were_used_lately_is_shown_first() {
        let keys = [
            used("old", "Active", Some("2026-11-01T12:00:00Z")),
            used("nightly", "Active", Some("2026-11-22T12:00:00Z")),
            used("off", "Inactive", Some("2026-11-23T11:59:00Z")),
            used("deploy", "Active", Some("2026-11-23T11:57:00Z")),
            used("never", "Active", None),
        ];
        assert_eq!(
            shown(&["integrations that run as it (1): App \"mail\""], Ok(&keys)),
            "serviceaccount.iam.keyward.dev/ci-bot (CI bot) is still used:\n  \
           integrations that run as it (1): App \"mail\"\n\
         Its 4 active access keys stop at once, and are kept.\n  \
           Key \"deploy\" was used 3m ago\n  \
           Key \"nightly\" was used 24h ago"
        );
    }

    #[test]
    fn what_nobody_knows_is_not_taken_for_unused() {
        let key = key("deploy", json!({}), issued("Active", "l75doUeBBMSL", "2027-05-23T12:00:00Z"));
        assert_eq!(
            shown(&[], Ok(&[key])),
            "serviceaccount.iam.keyward.dev/ci-bot (CI bot): nothing that is granted to it says that it is still used.\n\
         Its one active access key stops at once, and is kept.\n  \
           Of keys whose use nobody records it is unknown whether they are used."
        );
    }

    #[test]
    fn keys_that_may_not_be_seen_are_no_reason_to_stop_and_are_mentioned() {
        let said = shown(&[], Err("not allowed: user \"bob\"".into()));
        assert!(
            said.ends_with("\nIts access keys could not be looked at: not allowed: user \"bob\""),
            "{said}"
        );
        assert!(shown(&[], Ok(&[])).ends_with("\nNone of its access keys is active."));
    }

    #[test]
    fn more_keys_than_a_screen_takes_are_counted() {
        let keys: Vec<AccessKey> =
            (0..12).map(|n| used(&format!("key-{n:02}"), "Active", Some("2026-11-23T11:57:00Z"))).collect();
        assert!(shown(&[], Ok(&keys)).ends_with("\n  and 2 more within the last 7 days"));
    }

    #[test]
    fn only_a_confirmed_switch_carries_the_annotation_that_confirms_it() {
        assert_eq!(patch(&bot(&[]), false), json!({"spec": {"state": "Inactive"}}));
        assert_eq!(
            patch(&bot(&[]), true),
            json!({
                "metadata": {"annotations": {"iam.keyward.dev/confirm-deactivation": "ci-bot"}},
                "spec": {"state": "Inactive"},
            })
        );
    }

    #[test]
    fn a_refusal_that_asks_for_the_annotation_is_told_from_any_other() {
        let refused = |message: &str| {
            let status = json!({"code": 403, "reason": "Forbidden", "message": message});
            Error::Server(Box::new(serde_json::from_value(status).unwrap()))
        };
        assert!(wants_confirmation(&refused(
            "is still used: x; to switch it off all the same, set its annotation iam.keyward.dev/confirm-deactivation to \"ci\""
        )));
        assert!(!wants_confirmation(&refused(
            "user \"bob\" may not change ServiceAccount.iam.keyward.dev \"ci\""
        )));
    }
}
