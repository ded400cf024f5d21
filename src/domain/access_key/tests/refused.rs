//! What is true of a key whose Secrets could not be written: for each step that failed, with the API server's
//! words and without.

use super::*;
use crate::api::shared::RefusedWrite;

const WORDS: &str = "secrets \"deploy\" is forbidden: exceeded quota";
const SAID: &str = "The API server refused to create Secret: secrets \"deploy\" is forbidden: exceeded quota";
const TOLD: &str = "tell Refuse SecretRefused of - by controller: The API server refused to create Secret: \
                    secrets \"deploy\" is forbidden: exceeded quota";

fn refused(mut observed: Observed, step: Step) -> Observed {
    let write = RefusedWrite {
        reason: Some(step.refused()),
        operation: "create Secret".into(),
        message: WORDS.into(),
    };
    observed.failed.note(step, Some(write));
    observed
}

fn unanswered(mut observed: Observed, step: Step) -> Observed {
    observed.failed.note(step, None);
    observed
}

fn without_secret() -> Observed {
    Observed { secret: SecretView::Absent, ..issued() }
}

fn rotated() -> Observed {
    let mut observed = issued();
    observed.key.spec.revision = Some(2);
    observed.key.object.generation = 2;
    observed
}

#[test]
fn each_pass_ends_with_a_status_that_is_true_whatever_of_the_secret_is_refused() {
    let ready_false = "Ready=False Active=True Stalled=True WriteRefused=True";
    for (what, observed, now, wanted) in [
        (
            "the first token",
            unissued(),
            NOW,
            format!(
                "status Rejected - @- Ready=False Active=False Stalled=True WriteRefused=True SecretRefused: {SAID}"
            ),
        ),
        (
            "a rotation",
            rotated(),
            "2026-10-01T00:00:00Z",
            format!("status Active k1 @7 {ready_false} SecretRefused: {SAID}"),
        ),
        (
            "one in place of a lost Secret",
            without_secret(),
            "2026-10-01T00:00:00Z",
            format!("status Active k1 @- {ready_false} SecretRefused: {SAID}"),
        ),
        (
            "a rotation whose token has expired",
            rotated(),
            EXPIRY,
            format!(
                "status Expired k1 @- Ready=False Active=False Stalled=True WriteRefused=True Expired: Key expired at {EXPIRY}; \
                 no new token can be issued: {SAID}"
            ),
        ),
        (
            "taking the token out after its time",
            issued(),
            EXPIRY,
            format!(
                "status Expired k1 @- Ready=False Active=False Stalled=True WriteRefused=True Expired: Key expired at {EXPIRY}; \
                 raise spec.revision for a new token, or delete the key"
            ),
        ),
    ] {
        let steps = steps(&refused(observed.clone(), Step::Secret), now);
        assert_eq!(steps.last(), Some(&wanted), "{what}");
        assert!(steps.contains(&TOLD.to_owned()), "{what}: {steps:?}");
        let after = settled(refused(observed, Step::Secret), now);
        assert_eq!(super::steps(&after, now), Vec::<String>::new(), "{what} refused again changes nothing");
    }
}

#[test]
fn what_had_no_answer_is_left_out_and_not_called_refused() {
    for (what, observed, now, wanted) in [
        ("the first token", unissued(), NOW, None),
        (
            "a rotation whose token has expired",
            rotated(),
            EXPIRY,
            Some(
                "status Expired k1 @- Ready=False Active=False Stalled=True Expired: Key expired at 2027-02-28T12:00:00Z; raise \
                  spec.revision for a new token, or delete the key",
            ),
        ),
    ] {
        let steps = steps(&unanswered(observed, Step::Secret), now);
        assert_eq!(steps.last().map(String::as_str), wanted, "{what}");
    }
}

#[test]
fn it_is_tried_again_in_the_next_pass_and_forgotten_once_it_succeeds() {
    let mut after = settled(refused(unissued(), Step::Secret), NOW);
    after.failed = Failed::default();
    let issue =
        "issue r1 2026-08-31T12:00:00Z to 2027-02-28T12:00:00Z for sa-uid, replaces nothing, stage false";
    assert_eq!(steps(&after, NOW), [issue]);
    after.secret = holding("7", &token("k1"));
    let after = settled(after, NOW).key.status;
    assert_eq!((after.reason, after.refused.len()), (Some(Reason::Issued), 0));
}

#[test]
fn what_was_refused_is_tried_before_status_says_that_nothing_is_refused() {
    for (what, observed, now, write) in [
        ("taking the token out", issued(), EXPIRY, "empty"),
        ("deletion", Observed { service_account: Parent::Gone, ..issued() }, NOW, "delete"),
    ] {
        let step = if write == "delete" { Step::Key } else { Step::Secret };
        let mut again = settled(refused(observed, step), now);
        again.failed = Failed::default();
        assert_eq!(steps(&again, now), [write], "{what}");
    }
}

#[test]
fn a_key_that_cannot_be_deleted_says_so() {
    let gone = Observed { service_account: Parent::Gone, ..issued() };
    let steps = steps(&refused(gone, Step::Key), NOW);
    assert!(steps.iter().any(|step| step.starts_with("tell Refuse DeletionRefused of - by controller:")));
    assert!(!steps.contains(&"delete".to_owned()), "{steps:?}");
}
