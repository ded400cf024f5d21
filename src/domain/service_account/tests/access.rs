//! Admins and grants of a service account: what RBAC is made to say, in which order, and what the log tells.

use super::*;
use crate::api::resource_grant::{Category, Impersonation, Resource, Role as GrantRole, Usage};
use crate::api::shared::{Subject, SubjectKind};
use crate::domain::object::Stamps;

fn user(name: &str) -> Subject {
    Subject { kind: SubjectKind::User, name: name.into(), namespace: None }
}

fn with_secret(name: &str) -> ObservedKey {
    let object = access_key(name, at("2026-01-01T00:00:00Z"), AccessKeySpec::default());
    ObservedKey::new(Arc::new(object), Some(name.into()), true, Stamps::Trusted)
}

fn administered(keys: &[&str], admins: &[&str]) -> Observed {
    let mut observed = observed(keys.iter().map(|name| with_secret(name)).collect());
    observed.spec.admins = Some(admins.iter().map(|name| user(name)).collect());
    observed
}

/// What is done about RBAC, in words, and the object as it stands then.
fn carried_out(mut observed: Observed) -> (Vec<String>, Observed) {
    let mut words = Vec::new();
    for action in plan(&observed, at(NOW)).actions {
        match action {
            Action::Role(Change::Create(role)) => {
                words.push("create role".into());
                observed.role = Some(*role);
            }
            Action::Role(Change::Replace(role)) => {
                words.push("replace role".into());
                observed.role = Some(*role);
            }
            Action::Role(Change::Delete(_)) => {
                words.push("delete role".into());
                observed.role = None;
            }
            Action::Binding(Change::Create(binding)) => {
                words.push("create binding".into());
                observed.binding = Some(*binding);
            }
            Action::Binding(Change::Replace(binding)) => {
                words.push("replace binding".into());
                observed.binding = Some(*binding);
            }
            Action::Binding(Change::Delete(_)) => {
                words.push("delete binding".into());
                observed.binding = None;
            }
            Action::WriteStatus(status) => observed.status = *status,
            Action::Audit(entry) if entry.reason == "AdminsChanged" => {
                words.push(format!("tell by {}: {}", entry.actor, entry.message));
            }
            Action::Audit(_) | Action::CreateAccount => {}
        }
    }
    (words, observed)
}

#[test]
fn admins_get_their_role_before_the_binding_to_it_and_lose_the_binding_first() {
    let (words, bound) = carried_out(administered(&["deploy"], &["alice"]));
    assert_eq!(words, ["create role", "create binding"]);
    assert_eq!(bound.status.admin_names, None, "nobody is said to be bound before RBAC says so");
    let (words, mut bound) = carried_out(bound);
    assert_eq!(words, ["tell by alice: Service account is now managed by User/alice"]);
    assert_eq!(bound.status.admin_names.as_deref(), Some("User/alice"));
    assert_eq!(carried_out(bound.clone()).0, Vec::<String>::new());

    bound.spec.admins = None;
    let (words, gone) = carried_out(bound);
    assert_eq!(
        words,
        ["delete binding", "delete role", "tell by alice: Service account has no admins of its own any more"]
    );
    assert_eq!(carried_out(gone).0, Vec::<String>::new());
}

#[test]
fn the_role_follows_the_secrets_that_keys_own_and_the_binding_the_admins() {
    let (_, mut observed) = carried_out(administered(&["deploy"], &["alice"]));
    observed.keys.push(with_secret("another"));
    let (words, mut observed) = carried_out(observed);
    assert!(words.contains(&"replace role".to_owned()), "{words:?}");
    let readable: Vec<&String> = admins::readable(observed.role.as_ref().unwrap()).collect();
    assert_eq!(readable, ["another", "deploy"]);
    observed.spec.admins = Some(vec![user("alice"), user("bob")]);
    let (words, mut observed) = carried_out(observed);
    assert_eq!(words, ["replace binding"]);
    observed.keys.clear();
    let (_, observed) = carried_out(observed);
    assert_eq!(admins::readable(observed.role.as_ref().unwrap()).count(), 0);
}

#[test]
fn a_grant_that_came_or_went_is_told_with_who_gave_it() {
    let grant = GrantView {
        spec: ResourceGrantSpec {
            service_account_name: "ci".into(),
            resource: Resource { category: Category::Process, name: "claims".into(), display_name: None },
            role: GrantRole::Member,
            impersonation: Impersonation::Enabled,
            usage: Usage::Integration,
        },
        changed_by: "carol".into(),
    };
    let granted = Observed { grants: vec![grant], ..settled(observed(Vec::new())) };
    let told = |observed: &Observed| -> Vec<String> {
        outcome(observed).0.iter().map(|e| format!("{} by {}: {}", e.reason, e.actor, e.message)).collect()
    };
    let which = "(role Member, impersonation Enabled, usage Integration)";
    assert_eq!(told(&granted), [format!("ResourceGranted by carol: Process \"claims\" was granted {which}")]);
    let revoked = Observed { grants: Vec::new(), ..settled(granted) };
    assert_eq!(
        told(&revoked),
        [format!("ResourceRevoked by unknown: Process \"claims\" is no longer granted {which}")]
    );
}

#[test]
fn a_service_account_that_is_being_deleted_gets_nothing_back() {
    let mut observed = administered(&["deploy"], &["alice"]);
    observed.object.deleting = true;
    assert_eq!(plan(&observed, at(NOW)), Plan::default());
}
