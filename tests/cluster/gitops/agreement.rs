//! That tools agree. All states are brought about on the real API server, and the objects as they were then
//! are the test data of `docs/argo-cd`.

use std::collections::BTreeSet;

use keyward::domain::audit::catalog::{self, KINDS};
use serde_json::Value;

use super::argo;
use super::checker::{Answer, ask};
use super::recorded::{Seen, keep, recording, told};
use super::situations;
use super::states::{STATES, State};

#[tokio::test]
async fn kstatus_argo_cd_and_flux_agree_about_every_state() {
    let seen = situations::all().await;
    let states: BTreeSet<(&str, String)> =
        seen.iter().map(|seen| (seen.state.kind, seen.state.file_name())).collect();
    let known = STATES.iter().map(|state| (state.kind, state.file_name())).collect();
    assert_eq!(states, known, "every state is brought about");
    assert_eq!(ready_reasons(&seen), of_ready(), "every reason that Ready may have is seen");

    let objects: Vec<Value> = seen.iter().map(|seen| seen.object.clone()).collect();
    for ((answer, object), seen) in ask(&objects).iter().zip(&objects).zip(&seen) {
        let State { kind, health, name, message } = seen.state;
        let Answer { kstatus, argo, flux, .. } = answer;
        assert_eq!([&kstatus.error, &argo.error, &flux.error], [""; 3], "{kind} {name}");
        assert_eq!(
            [argo.status.as_str(), &told(&argo.message, object), &kstatus.status, &flux.status],
            [health.argo(), message, health.kstatus(), health.kstatus()],
            "{kind} {name}: {answer:#?}"
        );
    }
    if recording() {
        keep(&seen);
        argo::derive();
    }
}

fn ready_reasons(seen: &[Seen]) -> BTreeSet<String> {
    let of_object = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready")?;
        Some(ready["reason"].as_str().unwrap().to_owned())
    };
    seen.iter().filter_map(|seen| of_object(&seen.object)).collect()
}

fn of_ready() -> BTreeSet<String> {
    KINDS
        .into_iter()
        .flat_map(|(_, reasons)| catalog::of_ready(reasons))
        .map(|reason| reason.to_string())
        .collect()
}

#[test]
fn an_object_that_has_no_status_at_all_is_in_progress_for_argo_cd() {
    for kind in super::customizations::KINDS {
        let object = serde_json::json!({
            "apiVersion": keyward::api::API_VERSION, "kind": kind, "metadata": {"name": "a", "generation": 1}, "spec": {},
        });
        let answer = &ask(&[object])[0];
        assert_eq!(answer.argo.status, "Progressing");
        assert_eq!(answer.argo.message, format!("Waiting for {kind}"));
    }
}
