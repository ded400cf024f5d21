//! Copies of a token for gateways: there while the key is good, gone when it is not, and never in someone
//! else's place.

use k8s_openapi::api::core::v1::Secret;
use keyward::api::{AccessKey, Account};
use keyward::domain::value::token::Token;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::support::{Scene, condition_states, eventually, message, text, token_of};

fn kong(name: &str, token: &str) -> Value {
    json!({"name": name, "labels": {"konghq.com/credential": "key-auth"}, "data": {"key": token}})
}

async fn published(scene: &Scene, name: &str, entry: &str) -> Token {
    eventually(&format!("{name} holds a token"), async || {
        let secret = scene.api::<Secret>().get_opt(name).await.unwrap();
        secret.and_then(|secret| token_of(&secret, entry)).ok_or("no token")
    })
    .await
}

async fn gone(scene: &Scene, name: &str) {
    eventually(&format!("{name} is gone"), async || {
        let secret = scene.api::<Secret>().get_opt(name).await.unwrap();
        match secret {
            None => Ok(()),
            Some(secret) => Err(secret.metadata.name),
        }
    })
    .await;
}

#[tokio::test]
async fn a_copy_stands_while_the_key_is_good() {
    let (scene, _controller) = Scene::with_controller("publish").await;
    scene.service_account("ci").await;
    let spec = json!({"validFor": "P6M", "publish": [kong("ci-kong", "$(token)")]});
    scene.key_with("deploy", "ci", spec).await;
    let key = scene.key_when("deploy", "Issued").await;
    let status = key.status.clone().unwrap();
    assert_eq!(status.published.iter().map(|copy| copy.name.as_str()).collect::<Vec<_>>(), ["ci-kong"]);
    let copy: Secret = scene.get("ci-kong").await;
    assert!(token_of(&copy, "key").unwrap().has_sha256(&status.token.unwrap().sha256));
    assert_eq!(copy.type_.as_deref(), Some("Opaque"));
    assert_eq!(copy.labels()["konghq.com/credential"], "key-auth");
    assert_eq!(copy.owner_references()[0].uid, key.uid().unwrap());

    scene.set::<AccessKey>("deploy", json!({"state": "Inactive"})).await;
    scene.key_when("deploy", "Inactive").await;
    gone(&scene, "ci-kong").await;
    scene
        .key_once("deploy", "lists no copies", |key| key.status.as_ref().unwrap().published.is_empty())
        .await;
    scene.token("deploy").await;
    scene.set::<AccessKey>("deploy", json!({"state": "Active"})).await;
    scene.key_when("deploy", "Issued").await;
    published(&scene, "ci-kong", "key").await;

    // Edited, deleted, asked for otherwise: always as asked for in the end.
    scene.kubectl_text(&["patch", "secret", "ci-kong", "--type=merge", "-p", r#"{"data":{"key":"eA=="}}"#]);
    published(&scene, "ci-kong", "key").await;
    scene.kubectl_text(&["delete", "secret", "ci-kong"]);
    published(&scene, "ci-kong", "key").await;
    let nginx = json!([{"name": "ci-kong", "type": "nginx.org/apikey", "data": {"ci-bot": "$(token)"}}]);
    scene.set::<AccessKey>("deploy", json!({"publish": nginx})).await;
    published(&scene, "ci-kong", "ci-bot").await;
    let copy: Secret = scene.get("ci-kong").await;
    assert_eq!((copy.type_.as_deref(), copy.data.unwrap().len()), (Some("nginx.org/apikey"), 1));
    scene.set::<AccessKey>("deploy", json!({"publish": null})).await;
    gone(&scene, "ci-kong").await;
    // The last Event comes after the Secret has gone.
    eventually("each is told of", async || {
        let reasons = scene.event_reasons(&key).await;
        let copies: Vec<&str> =
            reasons.iter().map(String::as_str).filter(|reason| reason.ends_with("ublished")).collect();
        if copies == ["Published", "Unpublished", "Published", "Unpublished"] { Ok(()) } else { Err(reasons) }
    })
    .await;
}

#[tokio::test]
async fn both_tokens_are_published_while_a_rotation_overlaps() {
    let (scene, _controller) = Scene::with_controller("publish-overlap").await;
    scene.short_lived().await;
    scene.service_account("ci").await;
    let publish = json!([
        kong("one", "$(token)"),
        kong("one-previous", "$(previousToken)"),
        {"name": "map", "data": {"ci": "$(token)", "ci-previous": "$(previousToken)"}},
    ]);
    let rotation = json!({"renewBefore": "P1D", "overlap": "PT20S"});
    let spec = json!({"validFor": "P30D", "rotation": rotation, "publish": publish});
    scene.key_with("deploy", "ci", spec).await;
    scene.key_when("deploy", "Issued").await;
    let first = published(&scene, "one", "key").await.sha256();
    let map: Secret = scene.get("map").await;
    assert_eq!(map.data.unwrap().into_keys().collect::<Vec<_>>(), ["ci"]);

    scene.set::<AccessKey>("deploy", json!({"revision": 2})).await;
    assert!(published(&scene, "one-previous", "key").await.has_sha256(&first));
    scene
        .key_once("deploy", "is rotated", |key| {
            key.status.as_ref().unwrap().token.as_ref().unwrap().revision == 2
        })
        .await;
    let second = scene.token("deploy").await.sha256();
    assert_ne!(first, second);
    assert!(published(&scene, "one", "key").await.has_sha256(&second));
    let map: Secret = scene.get("map").await;
    assert!(token_of(&map, "ci").unwrap().has_sha256(&second));
    assert!(token_of(&map, "ci-previous").unwrap().has_sha256(&first));

    gone(&scene, "one-previous").await;
    eventually("the map has the new token alone", async || {
        let map: Secret = scene.get("map").await;
        let entries: Vec<String> = map.data.unwrap().into_keys().collect();
        if entries == ["ci"] { Ok(()) } else { Err(entries) }
    })
    .await;
    scene.key_when("deploy", "Issued").await;
}

#[tokio::test]
async fn a_secret_of_someone_else_is_left_alone_and_the_key_says_so() {
    let (scene, _controller) = Scene::with_controller("publish-conflict").await;
    scene.service_account("ci").await;
    scene.kubectl_text(&["create", "secret", "generic", "theirs", "--from-literal=password=x"]);
    let publish = json!([kong("theirs", "$(token)"), kong("mine", "$(token)")]);
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "publish": publish})).await;
    let key = scene.key_when("deploy", "PublishConflict").await;
    assert_eq!(
        condition_states(&key.status.as_ref().unwrap().conditions),
        ["Ready=False", "Active=True", "Stalled=True"]
    );
    let said = format!(
        "Secret \"theirs\" (spec.publish) exists in namespace \"{}\" and is not owned by this AccessKey; delete it or choose \
         another name",
        scene.namespace
    );
    assert_eq!(message(&key), said);
    published(&scene, "mine", "key").await;
    assert_eq!(
        scene.kubectl_text(&["get", "secret", "theirs", "-o", "jsonpath={.data}"]),
        r#"{"password":"eA=="}"#
    );
    scene.kubectl_text(&["delete", "secret", "theirs"]);
    scene.key_when("deploy", "Issued").await;
    published(&scene, "theirs", "key").await;
}

#[tokio::test]
async fn another_namespace_has_to_accept_and_the_control_planes_own_types_are_refused() {
    let (scene, _controller) = Scene::with_controller("publish-refused").await;
    scene.service_account("ci").await;
    let mut elsewhere = kong("copy", "$(token)");
    elsewhere["namespace"] = json!("default");
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "publish": [elsewhere]})).await;
    let key = scene.key_when("deploy", "PublishNotAccepted").await;
    assert!(
        message(&key).contains("the Account of namespace \"default\" does not accept Secrets from"),
        "{}",
        message(&key)
    );
    for (change, words) in [
        (json!({"type": "kubernetes.io/service-account-token"}), "may not begin with 'kubernetes.io/'"),
        (json!({"type": "bootstrap.kubernetes.io/token"}), "may not begin with 'kubernetes.io/'"),
        (json!({"type": "helm.sh/release.v1"}), "may not begin with 'kubernetes.io/'"),
        (json!({"name": "sh.helm.release.v1.shop.v2"}), "by which Helm finds its releases"),
        (json!({"labels": {"owner": "helm"}}), "by which Helm finds its releases"),
        (json!({"name": "deploy"}), "spec.publish may not name the key's own Secret 'deploy'"),
        (json!({"data": {"key": "x"}}), "at least one entry must hold $(token) or $(previousToken)"),
        (
            json!({"labels": {"argocd.argoproj.io/instance": "x"}}),
            "may not hold keys by which deployment tools",
        ),
    ] {
        let mut copy = kong("copy", "$(token)");
        copy.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let patch = json!({"spec": {"publish": [copy]}}).to_string();
        let refused = scene.kubectl(&["patch", "kwkey", "deploy", "--type=merge", "-p", &patch]);
        let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && errors.contains(words), "{words} in {errors}");
    }
}

#[tokio::test]
async fn only_types_labels_and_annotations_that_the_account_allows_are_published() {
    let (scene, _controller) = Scene::with_controller("publish-allowed").await;
    scene.service_account("ci").await;
    let mut copy = kong("copy", "$(token)");
    copy["type"] = json!("example.com/key");
    copy["labels"]["example.com/a"] = json!("b");
    let secret = json!({"labels": {"example.com/a": "b", "team": "a"}});
    let spec = json!({"validFor": "P6M", "secret": secret, "publish": [copy, kong("good", "$(token)")]});
    scene.key_with("deploy", "ci", spec).await;
    let refused = |what: &str, why: &str, field: &str| {
        let namespace = &scene.namespace;
        format!(
            "Secret {what}: the Account of namespace \"{namespace}\" does not allow the {why} (spec.publishing.{field})"
        )
    };
    let says = async |words: String| {
        scene.key_once("deploy", &format!("says {words}"), |key| message(key) == words).await;
    };
    says(refused("\"deploy\" (spec.secret) is not as requested", "label \"example.com/a\"", "labelPrefixes"))
        .await;
    published(&scene, "good", "key").await;
    gone(&scene, "copy").await;
    let own: Secret = scene.get("deploy").await;
    assert_eq!((own.labels().get("example.com/a"), own.labels()["team"].as_str()), (None, "a"));

    let allow = |publishing: Value| scene.set::<Account>("account", json!({"publishing": publishing}));
    allow(json!({"labelPrefixes": ["example.com/"]})).await;
    says(refused("\"copy\" (spec.publish) is not published", "type \"example.com/key\"", "types")).await;
    allow(json!({"types": ["example.com/key"]})).await;
    scene.key_when("deploy", "Issued").await;
    published(&scene, "copy", "key").await;
    let labelled = async |is: bool| {
        eventually(&format!("the key's own Secret has the label: {is}"), async || {
            let own: Secret = scene.get("deploy").await;
            if own.labels().contains_key("example.com/a") == is { Ok(()) } else { Err(own.metadata.labels) }
        })
        .await;
    };
    labelled(true).await;

    allow(json!({"types": null, "labelPrefixes": null})).await;
    labelled(false).await;
    gone(&scene, "copy").await;
    scene.key_when("deploy", "PublishNotAccepted").await;
    for never in
        ["helm.sh/release.v1", "kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"]
    {
        let patch = json!({"spec": {"publishing": {"types": [never]}}}).to_string();
        let output =
            scene.kubectl(&["patch", "accounts.iam.keyward.dev", "account", "--type=merge", "-p", &patch]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains("cannot be allowed"), "{never}: {errors}");
    }
    let patch = json!({"spec": {"publishing": {"labelPrefixes": ["argocd.argoproj.io/"]}}}).to_string();
    let output =
        scene.kubectl(&["patch", "accounts.iam.keyward.dev", "account", "--type=merge", "-p", &patch]);
    assert!(!output.status.success(), "Argo CD's labels cannot be allowed");
}

/// As Kong's admission webhook does: no two credentials with the same token.
fn each_token_once(scene: &Scene) -> String {
    let name = format!("each-token-once.{}", scene.namespace);
    let version = "admissionregistration.k8s.io/v1";
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
            "spec": {
                "paramKind": {"apiVersion": "v1", "kind": "Secret"},
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                    "resources": ["secrets"], "resourceNames": ["one-previous"],
                }]},
                "validations": [{
                    "expression": "object.data.key != params.data.key", "message": "unique key constraint violated",
                }],
            },
        },
        {
            "apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
            "spec": {
                "policyName": name, "validationActions": ["Deny"],
                "paramRef": {"name": "one", "namespace": scene.namespace, "parameterNotFoundAction": "Allow"},
                "matchResources": {"namespaceSelector": {
                    "matchLabels": {"kubernetes.io/metadata.name": scene.namespace},
                }},
            },
        },
    ]})
    .to_string()
}

#[tokio::test]
async fn a_gateway_that_takes_each_token_once_gets_the_previous_one_after_its_place_is_free() {
    let (scene, _controller) = Scene::with_controller("publish-once").await;
    scene.service_account("ci").await;
    let publish = json!([kong("one", "$(token)"), kong("one-previous", "$(previousToken)")]);
    let rotation = json!({"renewBefore": "P1D", "overlap": "P7D"});
    scene
        .key_with("deploy", "ci", json!({"validFor": "P6M", "rotation": rotation, "publish": publish}))
        .await;
    scene.key_when("deploy", "Issued").await;
    let first = published(&scene, "one", "key").await.sha256();
    text(&scene.kubectl_with(&["apply", "-f", "-"], &each_token_once(&scene)));
    let twice =
        scene.kubectl_text(&["get", "secret", "one", "-o", "json"]).replace("\"one\"", "\"one-previous\"");
    let mut twice: Value = serde_json::from_str(&twice).unwrap();
    for field in ["ownerReferences", "resourceVersion", "uid"] {
        twice["metadata"].as_object_mut().unwrap().remove(field);
    }
    eventually("a token is refused a second time", async || {
        let output = scene.kubectl_with(&["create", "--dry-run=server", "-f", "-"], &twice.to_string());
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if errors.contains("unique key constraint violated") { Ok(()) } else { Err(errors) }
    })
    .await;

    scene.set::<AccessKey>("deploy", json!({"revision": 2})).await;
    assert!(published(&scene, "one-previous", "key").await.has_sha256(&first));
    scene
        .key_once("deploy", "is rotated", |key| {
            key.status.as_ref().unwrap().token.as_ref().unwrap().revision == 2
        })
        .await;
    assert!(published(&scene, "one", "key").await.has_sha256(&scene.token("deploy").await.sha256()));
    scene.key_when("deploy", "Issued").await;
}
