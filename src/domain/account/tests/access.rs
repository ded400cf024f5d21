//! Admins and quota of an account.

use super::*;
use crate::api::shared::SubjectKind;

fn user(name: &str) -> Subject {
    Subject { kind: SubjectKind::User, name: name.into(), namespace: None }
}

#[test]
fn admins_of_the_account_are_bound_to_the_charts_cluster_roles_and_then_told() {
    let mut observed = settled(observed(25, Vec::new()));
    observed.spec.super_admins = Some(vec![user("sue")]);
    observed.spec.iam_admins = Some(vec![user("ian")]);
    let mut bound = Vec::new();
    for action in plan(&observed, at(NOW)).actions {
        if let Action::Binding(Change::Create(binding)) = action {
            bound.push((binding.metadata.name.clone().unwrap(), binding.role_ref.name.clone()));
            let of_super = binding.metadata.name.as_deref() == Some("keyward:super-admins");
            *(if of_super { &mut observed.super_admins } else { &mut observed.iam_admins }) = Some(*binding);
        }
    }
    let expected =
        [("keyward:super-admins", "keyward-super-admin"), ("keyward:iam-admins", "keyward-iam-admin")];
    assert_eq!(bound, expected.map(|(name, role)| (name.to_owned(), role.to_owned())));
    let (told, status) = outcome(&observed);
    assert_eq!(
        told,
        [
            "Delegate AdminsChanged of Account/account by carol: Super admins are now User/sue; IAM admins are now User/ian"
        ]
    );
    observed.status = status.unwrap();
    assert_eq!(plan(&observed, at(NOW)).actions, []);
    observed.spec.super_admins = None;
    let actions = plan(&observed, at(NOW)).actions;
    assert!(
        matches!(actions.first(), Some(Action::Binding(Change::Delete(_)))),
        "before it is reported: {actions:?}"
    );
}

#[test]
fn whom_secrets_are_accepted_from_is_part_of_the_policy() {
    let mut observed = settled(observed(25, Vec::new()));
    observed.policy.accepts_from = vec!["team-b".into()];
    let (told, _) = outcome(&observed);
    assert_eq!(
        told,
        [
            "Change PolicyChanged of Account/account by carol: Limits in force: 25 service accounts, 50 access keys each, \
          valid for P6M to P2Y; Secrets are accepted from team-b"
        ]
    );
}

#[test]
fn the_quota_comes_once_the_oldest_service_account_is_a_minute_old_and_follows_the_limit() {
    let mut young = settled(observed(25, vec![view("ci", "CI", 1)]));
    young.service_accounts[0].created = at(NOW) - TimeDelta::seconds(59);
    young.quota = QuotaView::Wanted(None);
    let waiting = plan(&young, at(NOW));
    assert_eq!((waiting.actions, waiting.look_again_at), (vec![], Some(at(NOW) + TimeDelta::seconds(1))));
    let [Action::Quota(Change::Create(quota))] = &plan(&young, at(NOW) + TimeDelta::seconds(1)).actions[..]
    else {
        panic!("no quota");
    };
    let hard = quota.spec.as_ref().unwrap().hard.as_ref().unwrap();
    assert_eq!(hard["count/serviceaccounts.iam.keyward.dev"].0, "25");
    young.quota = QuotaView::Wanted(Some((**quota).clone()));
    assert_eq!(plan(&young, at(NOW)).actions, []);
    young.policy.limits.service_accounts = 30;
    let changes = plan(&young, at(NOW)).actions;
    assert!(matches!(changes.first(), Some(Action::Quota(Change::Replace(_)))), "{changes:?}");
    young.quota = QuotaView::Unwanted;
    assert!(plan(&young, at(NOW)).actions.iter().all(|action| !matches!(action, Action::Quota(_))));
    let nobody = Observed { quota: QuotaView::Wanted(None), ..settled(observed(25, Vec::new())) };
    assert_eq!(plan(&nobody, at(NOW)), Plan::default());
}

#[test]
fn an_account_that_is_being_deleted_gets_nothing_back() {
    let mut observed = settled(observed(25, Vec::new()));
    observed.spec.super_admins = Some(vec![user("sue")]);
    observed.object.deleting = true;
    assert_eq!(plan(&observed, at(NOW)), Plan::default());
}
