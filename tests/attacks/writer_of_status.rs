//! Whoever may write the status of access keys, as a verifier that is taken over where nothing guards status,
//! or an administrator's script.

use keyward::api::AccessKey;
use serde_json::json;

use crate::creator_of_secrets::{at_work, forged};

#[tokio::test]
async fn a_token_that_another_manager_writes_into_status_is_never_good_and_is_taken_out() {
    let (scene, _controller, verifier) = at_work("forged-status").await;
    let good = scene.issued("ci").await;
    verifier.answers(&good, 200).await;
    let planted = forged("111111111111");
    let token = json!({
        "id": planted.id(), "sha256": planted.sha256(), "revision": 1,
        "issuedAt": "2026-01-01T00:00:00Z", "expiresAt": "2099-01-01T00:00:00Z",
    });
    for field in ["nextToken", "token"] {
        let patch = json!({"status": {field: token}}).to_string();
        scene.kubectl_text(&[
            "patch",
            "kwkey",
            "ci-key",
            "--subresource=status",
            "--type=merge",
            "--field-manager=eve",
            "-p",
            &patch,
        ]);
        let key = scene
            .key_once("ci-key", "is put right", |key| {
                let status = key.status.as_ref().unwrap();
                let current = status.token.as_ref().map(|token| token.id.as_str());
                current == Some(good.id()) && status.next_token.is_none()
            })
            .await;
        let log = key.status.unwrap().audit_log;
        assert!(log.iter().any(|entry| entry.reason == "NotSealed"), "{log:?}");
        verifier.answers(&good, 200).await;
        verifier.answers(&planted, 401).await;
    }
    // Later writes of the controller work.
    scene.set::<AccessKey>("ci-key", json!({"state": "Inactive"})).await;
    scene.key_when("ci-key", "Inactive").await;
}
