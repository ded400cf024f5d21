//! What to do about an account: the seats and display names of its service accounts, its counts and its log.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::rbac::v1::RoleBinding;

use crate::api::shared::Subject;
use crate::api::{AccountSpec, Reason};
use crate::domain::account::entries::entries;
use crate::domain::account::observed::{Observed, QuotaView};
use crate::domain::account::plan::{Action, Plan};
use crate::domain::account::seating::allotment;
use crate::domain::account::status::status;
use crate::domain::account::{quota, snapshot};
use crate::domain::admins;
use crate::domain::change::{Change, change};
use crate::domain::conditions::{Progress, Summary};
use crate::domain::value::time::whole_seconds;

/// Decides. `now` is cut to whole seconds.
pub fn plan(observed: &Observed, now: DateTime<Utc>) -> Plan {
    let now = whole_seconds(now);
    // What belongs to it goes with it, and must not be put back meanwhile.
    if observed.object.deleting {
        return Plan::default();
    }
    let allotment = allotment(observed);
    let summary = summary(observed, now);
    let glances = observed.service_accounts.iter().map(|view| view.at_a_glance.clone()).collect();
    let (snapshot, newer_at) = snapshot::take(observed.status.snapshot.as_ref(), glances, now);
    let entries = entries(observed, &allotment, &summary, now);
    let summary = observed.failed.over(summary);
    let status = status(observed, &allotment, &summary, snapshot, &entries, now);
    // What takes rights away comes before what reports it, and one that fails holds up no other.
    let bindings = bindings(observed).into_iter().flatten().map(Action::Binding);
    let (of_quota, quota_at) = quota_change(observed, now);
    let writes = bindings.chain(of_quota.map(Action::Quota));
    let open = writes.filter(|action| action.step().is_none_or(|step| !observed.failed.has(step)));
    let audits = entries.into_iter().map(Box::new).map(Action::Audit);
    let mut actions: Vec<Action> = open.chain(audits).collect();
    if status != observed.status {
        actions.push(Action::WriteStatus(Box::new(status)));
    }
    Plan { actions, look_again_at: [newer_at, quota_at].into_iter().flatten().min() }
}

/// What has RBAC allow the account's admins what the chart's cluster roles say.
fn bindings(observed: &Observed) -> [Option<Change<RoleBinding>>; 2] {
    let AccountSpec { super_admins, iam_admins, .. } = &observed.spec;
    let of = |required: &Option<Vec<Subject>>, name, role, found: &Option<RoleBinding>| {
        let admins = required.as_deref().unwrap_or_default();
        let wanted = admins::account_binding(observed.owner(), name, role, admins);
        change(wanted, found.as_ref(), admins::same_binding)
    };
    [
        of(super_admins, admins::SUPER_ADMINS, admins::SUPER_ADMIN_ROLE, &observed.super_admins),
        of(iam_admins, admins::IAM_ADMINS, admins::IAM_ADMIN_ROLE, &observed.iam_admins),
    ]
}

/// The quota's next change, or when it may first be made.
fn quota_change(
    observed: &Observed,
    now: DateTime<Utc>,
) -> (Option<Change<ResourceQuota>>, Option<DateTime<Utc>>) {
    let found = match &observed.quota {
        QuotaView::Unwanted => return (None, None),
        QuotaView::Wanted(found) => found.as_ref(),
    };
    let from = quota::from_when(observed.service_accounts.iter().map(|view| view.created));
    match (found, from) {
        (None, None) => (None, None),
        (None, Some(from)) if from > now => (None, Some(from)),
        _ => {
            let wanted = quota::quota(observed.owner(), observed.policy.limits.service_accounts);
            (change(Some(wanted), found, quota::same), None)
        }
    }
}

fn summary(observed: &Observed, now: DateTime<Utc>) -> Summary {
    let (progress, reason, message) = match observed.policy.problem(now) {
        Some(problem) => (Progress::Stalled, Reason::InvalidLimits, problem),
        None => (Progress::Settled, Reason::Accepted, observed.policy.sentence()),
    };
    Summary { active: None, progress, reason, message }
}
