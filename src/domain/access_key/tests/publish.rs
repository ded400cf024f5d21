//! Copies for gateways: good is recorded first, then published, then called ready; what is not good is taken
//! back.

use super::*;
use crate::api::access_key::{DataTemplate, PublishSpec};
use crate::api::shared::NamespaceName;
use crate::domain::access_key::publish::secrets::{NamespacedName, PublishedSecret, desired};

fn entry(name: &str, text: &str) -> PublishSpec {
    PublishSpec {
        name: name.into(),
        namespace: None,
        type_: None,
        labels: None,
        annotations: None,
        data: [("key".to_owned(), DataTemplate(text.into()))].into(),
    }
}

fn place(name: &str) -> NamespacedName {
    NamespacedName { namespace: "team-a".into(), name: name.into() }
}

/// The key as `observed`, with every Secret that it asks for standing as the status says.
fn standing(mut observed: Observed) -> Observed {
    let status = &observed.key.status;
    let previous = status.previous_token.as_ref().map(|previous| &previous.token);
    let accepting = observed.published.accepting.clone();
    let wanted = desired(&observed.key.owner(), status.token.as_ref().unwrap(), previous, &accepting);
    let stand = |wanted: &crate::domain::access_key::publish::secrets::DesiredSecret<'_>| PublishedSecret {
        id: wanted.id.clone(),
        uid: "copy-uid".into(),
        resource_version: "20".into(),
        made_of: Some(wanted.made_of.clone()),
        checked: true,
    };
    observed.published.secrets = wanted.iter().map(stand).collect();
    observed
}

/// A key that asks for one copy, and has nothing published yet.
fn asking_for(entries: Vec<PublishSpec>) -> Observed {
    let mut observed = unissued();
    observed.key.spec.publish = Some(entries);
    Observed { secret: holding("7", &token("k1")), ..observed }
}

fn published() -> Observed {
    settled(standing(settled(asking_for(vec![entry("kong", "$(token)")]), NOW)), NOW)
}

#[test]
fn a_first_token_is_recorded_as_good_before_it_is_published_and_ready_only_then() {
    let fresh = asking_for(vec![entry("kong", "$(token)")]);
    assert_eq!(
        steps(&fresh, NOW),
        [
            "tell Issue Issued of k1 by controller: Key k1 issued into Secret \"deploy\"; expires 2027-02-28T12:00:00Z",
            "status Active k1 @- Ready=False Active=True Reconciling=True Publishing: Key k1 is good and on its way into \
             the Secrets of spec.publish",
            "publish",
        ]
    );
    let done = standing(settled(fresh, NOW));
    assert_eq!(
        steps(&done, NOW),
        [
            "tell Publish Published of k1 by controller: Secret \"kong\" in namespace \"team-a\" was published for a gateway",
            "status Active k1 @7 Ready=True Active=True Issued: Key k1 issued; expires 2027-02-28T12:00:00Z",
        ]
    );
    assert_eq!(steps(&settled(done, NOW), NOW), Vec::<String>::new());
}

#[test]
fn what_differs_from_what_is_asked_for_is_published_before_anything_is_written() {
    let mut edited = published();
    edited.published.secrets[0].checked = false;
    let mut lost = published();
    lost.published.secrets.clear();
    let mut changed = published();
    changed.key.spec.publish = Some(vec![entry("kong", "Bearer $(token)")]);
    let mut dropped = published();
    dropped.key.spec.publish = None;
    for (what, observed) in [("edited", edited), ("lost", lost), ("changed", changed), ("dropped", dropped)] {
        assert_eq!(steps(&observed, NOW), ["publish"], "{what}");
    }
}

#[test]
fn a_key_that_is_not_good_any_more_is_first_said_so_and_then_taken_back() {
    let mut off = published();
    off.key.spec.state = DesiredState::Inactive;
    let mut resting = published();
    resting.service_account = Parent::Found(FoundParent { state: DesiredState::Inactive, ..parent() });
    let mut rejected = published();
    rejected.service_account = Parent::Found(FoundParent { seat: None, seats_taken: 50, ..parent() });
    for (what, observed, now) in [
        ("off", off, NOW),
        ("resting", resting, NOW),
        ("rejected", rejected, NOW),
        ("expired", published(), EXPIRY),
    ] {
        let steps = steps(&observed, now);
        assert!(steps[1].starts_with("status "), "{what}: {steps:?}");
        assert_eq!(steps[2], "unpublish", "{what}");
        let mut taken = settled(observed, now);
        taken.published.secrets.clear();
        let told = "tell Unpublish Unpublished of k1 by controller: Secret \"kong\" in namespace \"team-a\" is no longer \
                    published";
        assert!(super::steps(&taken, now).contains(&told.to_owned()), "{what}");
    }
    let mut gone = published();
    gone.service_account = Parent::Gone;
    assert_eq!(steps(&gone, NOW)[2..], ["unpublish", "delete"]);
}

#[test]
fn both_tokens_of_an_overlap_stand_and_the_previous_one_goes_with_it() {
    let entries = vec![entry("now", "$(token)"), entry("before", "$(previousToken)")];
    let mut observed = published();
    observed.key.spec.publish = Some(entries);
    observed.key.status.previous_token =
        Some(PreviousTokenStatus { token: token("k0"), valid_until: at("2026-09-07T12:00:00Z") });
    let overlapping = settled(standing(observed), NOW);
    let listed: Vec<&str> = overlapping.key.status.published.iter().map(|copy| copy.name.as_str()).collect();
    assert_eq!(listed, ["before", "now"]);
    assert_eq!(steps(&overlapping, NOW), Vec::<String>::new());
    let over = steps(&overlapping, "2026-09-07T12:00:00Z");
    assert_eq!(over[0], "tell Retire PreviousTokenRetired of k0 by controller: Key k0 is no longer accepted");
    assert_eq!(over[2], "publish");
}

#[test]
fn a_place_that_someone_else_holds_and_a_namespace_that_does_not_accept_are_said() {
    let mut taken = published();
    taken.published.secrets.clear();
    taken.published.conflicts = vec![place("kong")];
    let mut elsewhere = entry("kong", "$(token)");
    elsewhere.namespace = Some(NamespaceName("gateway".into()));
    let refused = settled(asking_for(vec![elsewhere]), NOW);
    for (observed, reason, message) in [
        (
            taken,
            "PublishConflict",
            "Secret \"kong\" (spec.publish) exists in namespace \"team-a\" and is not owned by this AccessKey; delete it or \
             choose another name",
        ),
        (
            refused,
            "PublishNotAccepted",
            "Secret \"kong\" (spec.publish) is not published: the Account of namespace \"gateway\" does not accept Secrets \
             from \"team-a\" (spec.acceptSecretsFrom)",
        ),
    ] {
        let status = settled(observed.clone(), NOW).key.status;
        let shown: Vec<_> = status.conditions.iter().map(|c| format!("{}={}", c.type_, c.status)).collect();
        assert_eq!(shown, ["Ready=False", "Active=True", "Stalled=True"]);
        let ready = &status.conditions[0];
        assert_eq!((ready.reason.as_str(), ready.message.as_str()), (reason, message));
        assert_eq!(plan(&observed, at(NOW)).look_again_at, Some(at("2026-08-31T12:00:15Z")));
    }
}

#[test]
fn a_previous_token_that_is_found_nowhere_makes_no_one_wait() {
    let mut observed = published();
    observed.key.spec.publish = Some(vec![entry("before", "$(previousToken)")]);
    observed.key.status.previous_token =
        Some(PreviousTokenStatus { token: token("k0"), valid_until: at("2026-09-07T12:00:00Z") });
    observed.published.secrets.clear();
    assert_eq!(steps(&observed, NOW), ["publish"]);
    observed.published.lost = vec![place("before")];
    let status = settled(observed, NOW).key.status;
    assert_eq!(status.conditions[0].reason, "Issued");
}

#[test]
fn a_first_token_waits_while_admins_of_another_could_read_a_secret_of_its_name() {
    let observed = Observed { name_granted: true, ..unissued() };
    let Plan { actions, look_again_at } = plan(&observed, at(NOW));
    assert_eq!((actions, look_again_at), (vec![], Some(at("2026-08-31T12:00:01Z"))));
}

#[test]
fn a_token_that_nothing_renews_is_told_to_expire_once_at_each_notice() {
    let mut observed = issued();
    let mut told = Vec::new();
    for day in 0..32 {
        let now = at("2027-01-28T00:00:00Z") + chrono::TimeDelta::days(day);
        let now = now.to_rfc3339();
        let expiring = |step: &&String| step.contains(" Expiring of ");
        told.extend(
            steps(&observed, &now).iter().filter(expiring).map(|step| format!("{} {step}", &now[..10])),
        );
        observed = settled(observed, &now);
    }
    let message = |within: &str| {
        format!(
            "tell Warn Expiring of k1 by controller: Key k1 expires within {within}, at 2027-02-28T12:00:00Z; raise \
             spec.revision or set spec.rotation for a new token"
        )
    };
    assert_eq!(
        told,
        [
            format!("2027-01-30 {}", message("30 days")),
            format!("2027-02-22 {}", message("7 days")),
            format!("2027-02-28 {}", message("1 day")),
        ]
    );
    let mut off = issued();
    off.key.spec.state = DesiredState::Inactive;
    let mut renewed = issued();
    renewed.key.spec.rotation = Some(RotationSpec { renew_before: duration("P1D"), overlap: None });
    for observed in [off, renewed] {
        let status = settled(observed, "2027-02-27T00:00:00Z").key.status;
        assert_eq!(status.expiry_notice, None);
        assert!(status.conditions.iter().all(|condition| condition.type_ != "Expiring"));
    }
}

#[test]
fn a_key_that_is_being_deleted_takes_its_copies_away_and_gets_nothing_back() {
    let mut observed = published();
    observed.key.object.deleting = true;
    assert_eq!(plan(&observed, at(NOW)), Plan { actions: vec![Action::Unpublish], look_again_at: None });
    observed.published.secrets.clear();
    observed.secret = SecretView::Absent;
    assert_eq!(plan(&observed, at(NOW)), Plan::default());
}
