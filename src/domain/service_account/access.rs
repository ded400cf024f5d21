//! Who may manage a service account and what it may reach: what RBAC is made to say, and what the log tells
//! of changes.

use crate::api::ResourceGrantSpec;
use crate::api::reason::Reason;
use crate::api::service_account::{AssociatedResource, AssociatedResources};
use crate::domain::admins;
use crate::domain::audit;
use crate::domain::change::change;
use crate::domain::service_account::associated::{LISTED, associated, label};
use crate::domain::service_account::observed::{GrantView, Observed};
use crate::domain::service_account::plan::Action;
use crate::domain::value::text::saturating;

/// What has RBAC allow the admins what they may do, and nobody else.
pub(super) fn access(observed: &Observed) -> Vec<Action> {
    let Observed { spec, keys, role, binding, .. } = observed;
    let owner = observed.owner();
    let mut secrets: Vec<String> = keys.iter().filter_map(|key| key.secret.clone()).collect();
    secrets.sort();
    let wanted = admins::binding(owner, spec.admins.as_deref().unwrap_or_default());
    let wanted_role = wanted.as_ref().map(|_| admins::role(owner, &secrets));
    let of_binding = change(wanted, binding.as_ref(), admins::same_binding).map(Action::Binding);
    let of_role = change(wanted_role, role.as_ref(), admins::same_role).map(Action::Role);
    // Never a binding to a Role that is not there.
    let order = if spec.admins.is_some() { [of_role, of_binding] } else { [of_binding, of_role] };
    order.into_iter().flatten().collect()
}

/// What the grants give.
pub(super) fn specs(grants: &[GrantView]) -> Vec<ResourceGrantSpec> {
    grants.iter().map(|grant| grant.spec.clone()).collect()
}

pub(super) fn changed_admins(observed: &Observed) -> Option<String> {
    let admins = observed.bound_admins();
    (admins != observed.status.admins).then(|| match admins::line(&admins) {
        Some(line) => format!("Service account is now managed by {line}"),
        None => "Service account has no admins of its own any more".to_owned(),
    })
}

/// Grants that came or went, where all of them are listed: beyond that nothing is known of those before.
pub(super) fn changed_grants(observed: &Observed) -> Vec<(Reason, String, String)> {
    let none = AssociatedResources::default();
    let before = observed.status.associated_resources.as_ref().unwrap_or(&none);
    if observed.grants.len() > LISTED || before.total > saturating(LISTED) {
        return Vec::new();
    }
    let now = associated(&specs(&observed.grants));
    let who = |item: &AssociatedResource| {
        let is = |grant: &&GrantView| {
            grant.spec.resource.category == item.category && grant.spec.resource.name == item.name
        };
        observed
            .grants
            .iter()
            .find(is)
            .map_or_else(|| audit::UNKNOWN.to_owned(), |grant| grant.changed_by.clone())
    };
    let sentence = |item: &AssociatedResource, what: &str| {
        let AssociatedResource { role, impersonation, usage, .. } = item;
        format!("{} {what} (role {role:?}, impersonation {impersonation:?}, usage {usage:?})", label(item))
    };
    let came = now.items.iter().filter(|item| !before.items.contains(item));
    let went = before.items.iter().filter(|item| !now.items.contains(item));
    let came = came.map(|item| (Reason::ResourceGranted, who(item), sentence(item, "was granted")));
    let went = went.map(|item| (Reason::ResourceRevoked, who(item), sentence(item, "is no longer granted")));
    went.chain(came).collect()
}
