//! Bad input: what kubectl shows names the field, what was given and what is allowed.

use serde_json::{Value, json};

use super::support::{Scene, message};

fn manifest(kind: &str, spec: &Value) -> String {
    let name = if kind == "Account" { "account" } else { "bad" };
    json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
    })
    .to_string()
}

/// The API server refuses the manifest, and says all of `expected`.
fn refused(scene: &Scene, case: &str, manifest: &str, expected: &[&str]) {
    let output = scene.kubectl_with(&["apply", "-f", "-"], manifest);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{case}: was accepted");
    for part in expected {
        assert!(errors.contains(part), "{case}: expected {part:?} in:\n{errors}");
    }
}

#[tokio::test]
async fn the_api_server_refuses_what_the_schema_can_know() {
    let scene = Scene::new("schema-refuses").await;
    let key = |more: Value| {
        let mut spec = json!({"serviceAccountName": "ci"});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        manifest("AccessKey", &spec)
    };
    let account = |spec: Value| manifest("ServiceAccount", &spec);
    let secret = |secret: Value| key(json!({"validFor": "P6M", "secret": secret}));
    let published = |more: Value| {
        let mut entry = json!({"name": "copy", "data": {"t": "$(token)"}});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key(json!({"validFor": "P6M", "publish": [entry]}))
    };
    for (case, manifest, expected) in [
        (
            "empty display name",
            account(json!({"displayName": ""})),
            vec!["spec.displayName", "\"\"", "at least 1 chars long"],
        ),
        ("80 characters", account(json!({"displayName": "x".repeat(80)})), vec!["spec.displayName", "79"]),
        (
            "80 four-byte characters",
            account(json!({"displayName": "🤖".repeat(80)})),
            vec!["spec.displayName", "79"],
        ),
        (
            "unknown icon",
            account(json!({"icon": "Unicorn"})),
            vec!["spec.icon", "\"Unicorn\"", "\"Bot\"", "\"Terminal\""],
        ),
        (
            "unknown state",
            account(json!({"state": "Off"})),
            vec!["spec.state", "\"Off\"", "\"Active\", \"Inactive\""],
        ),
        (
            "empty key display name",
            key(json!({"validFor": "P6M", "displayName": ""})),
            vec!["spec.displayName", "\"\"", "at least 1 chars long"],
        ),
        (
            "six months in words",
            key(json!({"validFor": "6 months"})),
            vec![
                "spec.validFor",
                "must be an ISO 8601 duration such as P6M, P1Y, P30D or PT1H, not '6 months'",
            ],
        ),
        (
            "both",
            key(json!({"validFor": "P6M", "expiresAt": "2027-12-31T00:00:00Z"})),
            vec![
                "exactly one of `validFor` (such as P6M) and `expiresAt` (such as 2027-05-31T00:00:00Z) must be set; both are",
            ],
        ),
        ("neither", key(json!({})), vec!["exactly one of `validFor`", "must be set; neither is"]),
        (
            "no time",
            key(json!({"expiresAt": "tomorrow"})),
            vec!["spec.expiresAt", "\"tomorrow\"", "date-time"],
        ),
        (
            "revision 0",
            key(json!({"validFor": "P6M", "revision": 0})),
            vec!["spec.revision", "0", "greater than or equal to 1"],
        ),
        (
            "rotation of an absolute expiry",
            key(json!({"expiresAt": "2027-12-31T00:00:00Z", "rotation": {"renewBefore": "P7D"}})),
            vec!["`rotation` needs `validFor`"],
        ),
        (
            "secret name",
            secret(json!({"name": "Not_DNS"})),
            vec!["spec.secret.name", "must be a DNS name", "it is 'Not_DNS'"],
        ),
        (
            "a release of Helm's",
            secret(json!({"name": "sh.helm.release.v1.shop.v2"})),
            vec!["spec.secret.name", "may not begin with 'sh.helm.release.'"],
        ),
        (
            "Helm's label",
            secret(json!({"labels": {"owner": "helm"}})),
            vec!["spec.secret.labels", "may not hold the label 'owner' with the value 'helm'"],
        ),
        (
            "a published release of Helm's",
            published(json!({"name": "sh.helm.release.v1.shop.v2"})),
            vec!["spec.publish[0].name", "may not begin with 'sh.helm.release.'"],
        ),
        (
            "Helm's type",
            published(json!({"type": "helm.sh/release.v1"})),
            vec!["spec.publish[0].type", "may not begin with", "it is 'helm.sh/release.v1'"],
        ),
        (
            "Helm's label on a published Secret",
            published(json!({"labels": {"owner": "helm", "status": "deployed"}})),
            vec!["spec.publish[0].labels", "may not hold the label 'owner' with the value 'helm'"],
        ),
        (
            "a token in a template",
            published(json!({"data": {"t": format!("$(token) kw_{}_{}", "a".repeat(12), "b".repeat(49))}})),
            vec!["spec.publish[0].data", "may not hold a token; write $(token)"],
        ),
        (
            "a delete character",
            key(json!({"validFor": "P6M", "displayName": "x\u{7f}"})),
            vec!["spec.displayName", "may not hold control, direction or zero-width characters"],
        ),
        (
            "text that turns its direction",
            key(json!({"validFor": "P6M", "description": "safe\u{202e}efas"})),
            vec!["spec.description", "may not hold control, direction or zero-width characters"],
        ),
        (
            "label value",
            secret(json!({"labels": {"team": "not valid!"}})),
            vec!["spec.secret.labels", "must be a label value", "it is 'not valid!'"],
        ),
        ("label key", secret(json!({"labels": {"a b": "x"}})), vec!["spec.secret.labels", "one is 'a b'"]),
        (
            "tracking label",
            secret(json!({"labels": {"argocd.argoproj.io/instance": "x"}})),
            vec!["spec.secret.labels", "one is 'argocd.argoproj.io/instance'"],
        ),
        (
            "tracking annotation",
            secret(json!({"annotations": {"meta.helm.sh/release-name": "x"}})),
            vec!["spec.secret.annotations", "one is 'meta.helm.sh/release-name'"],
        ),
        (
            "no token",
            secret(json!({"data": {"a": "b"}})),
            vec!["spec.secret.data", "at least one entry must hold $(token)"],
        ),
        ("data key", secret(json!({"data": {"a/b": "$(token)"}})), vec!["spec.secret.data", "one is 'a/b'"]),
        (
            "unknown field",
            key(json!({"validFor": "P6M", "stat": "Active"})),
            vec!["unknown field \"spec.stat\""],
        ),
        (
            "limits",
            manifest("Account", &json!({"limits": {"serviceAccounts": -1}})),
            vec!["spec.limits.serviceAccounts", "-1", "0"],
        ),
        (
            "another account",
            manifest("Account", &json!({})).replace("\"account\"", "\"other\""),
            vec!["metadata.name must be 'account', the one Account of a namespace; it is 'other'"],
        ),
    ] {
        refused(&scene, case, &manifest, &expected);
    }
}

#[tokio::test]
async fn seventy_nine_four_byte_characters_are_accepted() {
    let (scene, _controller) = Scene::with_controller("four-byte").await;
    let name = "🤖".repeat(79);
    let spec = json!({"displayName": name});
    super::support::text(&scene.kubectl_with(&["apply", "-f", "-"], &manifest("ServiceAccount", &spec)));
    let object = scene.service_account_when("bad", "Admitted").await;
    assert_eq!(object.status.unwrap().display_name, Some(name));
}

#[tokio::test]
async fn what_may_not_change_is_refused() {
    let scene = Scene::new("may-not-change").await;
    let apply = |spec: Value| manifest("AccessKey", &spec);
    let base =
        json!({"serviceAccountName": "ci", "validFor": "P6M", "revision": 3, "secret": {"name": "one"}});
    super::support::text(&scene.kubectl_with(&["apply", "-f", "-"], &apply(base.clone())));
    let with = |field: &str, value: Value| {
        let mut spec = base.clone();
        spec[field] = value;
        apply(spec)
    };
    refused(
        &scene,
        "service account",
        &with("serviceAccountName", json!("other")),
        &[
            "spec.serviceAccountName",
            "may not be changed after creation: it is 'ci' and may not become 'other'",
        ],
    );
    refused(
        &scene,
        "secret name",
        &with("secret", json!({"name": "two"})),
        &["`secret.name` may not be changed after creation"],
    );
}

#[tokio::test]
async fn an_expiry_outside_the_limits_is_rejected_with_what_is_allowed() {
    let (scene, _controller) = Scene::with_controller("expiry").await;
    scene.service_account("ci").await;
    for (name, spec, given) in [
        ("p5m", json!({"validFor": "P5M"}), "spec.validFor P5M is outside the account's limits"),
        ("p25m", json!({"validFor": "P25M"}), "spec.validFor P25M is outside the account's limits"),
        ("p2y1d", json!({"validFor": "P2Y1D"}), "spec.validFor P2Y1D is outside the account's limits"),
        (
            "past",
            json!({"expiresAt": "2020-01-01T00:00:00Z"}),
            "spec.expiresAt 2020-01-01T00:00:00Z is in the past, and outside the account's limits",
        ),
    ] {
        scene.key_with(name, "ci", spec).await;
        let key = scene.key_when(name, "ExpiryOutOfRange").await;
        let said = message(&key);
        assert!(said.starts_with(given), "{said}");
        assert!(said.ends_with("a token must be valid for P6M to P2Y from its issue"), "{said}");
        assert_eq!(scene.event_reasons(&key).await, ["ExpiryOutOfRange"]);
    }
    for (name, valid_for) in [("least", "P6M"), ("most", "P2Y"), ("most-in-months", "P24M")] {
        scene.key_with(name, "ci", json!({"validFor": valid_for})).await;
        scene.key_when(name, "Issued").await;
    }
}

#[tokio::test]
async fn a_corrected_expiry_is_issued_by_itself() {
    let (scene, _controller) = Scene::with_controller("corrected").await;
    scene.service_account("ci").await;
    scene.key_with("deploy", "ci", json!({"validFor": "P5M"})).await;
    scene.key_when("deploy", "ExpiryOutOfRange").await;
    scene.limits(json!({"minValidFor": "P1M"})).await;
    let key = scene.key_when("deploy", "Issued").await;
    assert_eq!(scene.event_reasons(&key).await, ["ExpiryOutOfRange", "Issued"]);
}
