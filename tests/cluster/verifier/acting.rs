//! Acting for users: audited line by line, counted in the service account's log, and reported as one Event a
//! day.

use k8s_openapi::api::events::v1::Event;
use keyward::api::{AccessKey, ServiceAccount};
use keyward::domain::value::token::Token;
use kube::api::ListParams;
use serde_json::json;

use crate::support::{Scene, Verifier, eventually};

fn entries<'a>(object: &'a ServiceAccount, reason: &str) -> Vec<&'a keyward::api::shared::AuditEntry> {
    let log = object.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default();
    log.iter().filter(|entry| entry.reason == reason).collect()
}

#[tokio::test]
async fn every_act_is_audited_and_repeats_are_counted() {
    let (scene, _controller) = Scene::with_controller("acting").await;
    let token = scene.issued("ci").await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({"impersonation": "Enabled"})).await;
    scene.grant("leave", "ci", "Process", "leave", json!({})).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let claims = "/for/Process/expense-claims";
    for number in 0..5 {
        let id = format!("act-{number}");
        let headers = [("x-keyward-on-behalf-of", "ann@example.org"), ("x-request-id", id.as_str())];
        assert_eq!(verifier.auth(claims, &token, &headers).await.status, 200);
        let line = verifier.audit_line("of the act", |line| line["request_id"] == id).await;
        assert_eq!(line["actor"], format!("keyward:{}:ci", scene.namespace));
        assert_eq!(
            (&line["subject"], &line["on_behalf_of"]),
            (&json!("ann@example.org"), &json!("ann@example.org"))
        );
        assert_eq!(
            (&line["resource"], &line["reason"]),
            (&json!("Process/expense-claims"), &json!("ActedOnBehalf"))
        );
    }
    let ben = [("x-keyward-on-behalf-of", "ben@example.org")];
    assert_eq!(verifier.auth("/for/Process/leave", &token, &ben).await.status, 403);
    // The controller writes the same log meanwhile.
    scene.key("second", "ci").await;
    scene.key_when("second", "Issued").await;
    scene.set::<AccessKey>("ci-key", json!({"state": "Inactive"})).await;

    let object = scene
        .service_account_once("ci", "has five acts and a refusal", |object| {
            let acted = entries(object, "ActedOnBehalf");
            acted.len() == 1 && acted[0].count == Some(5) && entries(object, "ActingRefused").len() == 1
        })
        .await;
    let acted = entries(&object, "ActedOnBehalf")[0].clone();
    assert_eq!(acted.on_behalf_of.as_deref(), Some("ann@example.org"));
    assert_eq!(acted.key_id.as_deref(), Some(token.id()));
    let refused = entries(&object, "ActingRefused")[0];
    assert!(refused.message.contains("does not allow acting for others"), "{}", refused.message);

    let reasons = ["Issued", "Inactive"];
    let object = scene
        .service_account_once("ci", "has what the controller reports as well", |object| {
            reasons.iter().all(|reason| !entries(object, reason).is_empty())
        })
        .await;
    assert_eq!(entries(&object, "ActedOnBehalf")[0].count, Some(5));

    let event = eventually("an event counts the acts", async || {
        let events = scene.api::<Event>().list(&ListParams::default()).await.unwrap().items;
        let found = events.into_iter().find(|event| event.reason.as_deref() == Some("ActedOnBehalf"));
        let count = |event: &Event| event.series.as_ref().map_or(1, |series| series.count);
        found.filter(|event| count(event) == 5).ok_or("not yet")
    })
    .await;
    assert_eq!(event.reporting_controller.as_deref(), Some("iam.keyward.dev/verifier"));
    let shown = scene.kubectl_text(&["events", "--for", "kwsa/ci"]);
    assert!(shown.contains("acted for ann@example.org on Process/expense-claims"), "{shown}");
}

/// A well-formed token with the id of `token`.
fn with_another_secret(token: &Token) -> Token {
    let letter = |byte: u8| Token::from_random(&[byte; 64]).unwrap().id().chars().next();
    let byte_of = |wanted: char| (0..62).find(|byte| letter(*byte) == Some(wanted)).unwrap();
    let mut bytes: Vec<u8> = token.id().chars().map(byte_of).collect();
    bytes.extend([7; 43]);
    let forged = Token::from_random(&bytes).unwrap();
    assert_eq!(forged.id(), token.id());
    forged
}

#[tokio::test]
async fn acts_that_are_reported_at_once_are_counted_in_their_first_event() {
    let (scene, _controller) = Scene::with_controller("at-once").await;
    let token = scene.issued("ci").await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({"impersonation": "Enabled"})).await;
    let mut verifier = Verifier::start(&scene, &["--usage-interval-seconds", "3600"]).await;
    for _ in 0..3 {
        let headers = [("x-keyward-on-behalf-of", "ann@example.org")];
        assert_eq!(verifier.auth("/for/Process/expense-claims", &token, &headers).await.status, 200);
    }
    // What it knows is written at its end.
    assert!(verifier.terminate().success());
    let events = scene.api::<Event>().list(&ListParams::default()).await.unwrap().items;
    let event = events.iter().find(|event| event.reason.as_deref() == Some("ActedOnBehalf")).unwrap();
    assert_eq!(event.series.as_ref().map(|series| series.count), Some(3));
}

#[tokio::test]
async fn a_stranger_who_names_a_user_adds_nothing_to_a_log() {
    let (scene, _controller) = Scene::with_controller("stranger").await;
    let token = scene.issued("ci").await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({"impersonation": "Enabled"})).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let forged = with_another_secret(&token);
    let headers = [("x-keyward-on-behalf-of", "ann@example.org"), ("x-request-id", "forged")];
    let answer = verifier.auth("/for/Process/expense-claims", &forged, &headers).await;
    assert_eq!(answer.status, 401);
    let line = verifier.audit_line("of the request", |line| line["request_id"] == "forged").await;
    assert_eq!((&line["cause"], &line["actor"]), (&json!("WrongSecret"), &json!("verifier")));
    // A later act of the key itself is there, and nothing else.
    let headers = [("x-keyward-on-behalf-of", "ben@example.org")];
    assert_eq!(verifier.auth("/for/Process/expense-claims", &token, &headers).await.status, 200);
    let object = scene
        .service_account_once("ci", "has the act", |object| !entries(object, "ActedOnBehalf").is_empty())
        .await;
    assert!(entries(&object, "ActingRefused").is_empty());
}
