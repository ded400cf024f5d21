//! The examples work as they stand.

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Secret;

use super::support::{Scene, TIMEOUT, text, token_of};

fn manifests(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    files.sort();
    assert!(files.len() >= 5);
    files
}

fn apply(scene: &Scene, files: &[PathBuf]) {
    for file in files {
        text(&scene.kubectl(&["apply", "--validate=strict", "-f", file.to_str().unwrap()]));
    }
}

#[tokio::test]
async fn every_example_is_applied_and_becomes_ready() {
    let (scene, _controller) = Scene::with_controller("examples").await;
    apply(&scene, &manifests("examples"));
    for kind in ["accounts.iam.keyward.dev", "kwsa", "kwkey", "kwgrant"] {
        scene.kubectl_text(&["wait", "--for=condition=Ready", "--all", TIMEOUT, kind]);
    }
}

#[tokio::test]
async fn each_gateway_finds_the_token_in_the_form_that_it_reads() {
    let (scene, _controller) = Scene::with_controller("gateways").await;
    scene.service_account("ci-bot").await;
    apply(&scene, &manifests("examples/publish"));
    scene.kubectl_text(&["wait", "--for=condition=Ready", "--all", TIMEOUT, "kwkey"]);
    for (name, type_, label, entry) in [
        ("ci-bot-kong", "Opaque", Some(("konghq.com/credential", "key-auth")), "key"),
        ("ci-bot-authorino", "Opaque", Some(("authorino.kuadrant.io/managed-by", "authorino")), "api_key"),
        ("ci-bot-envoy", "Opaque", None, "ci-bot"),
        ("ci-bot-apisix", "Opaque", None, "key"),
        ("ci-bot-nginx", "nginx.org/apikey", None, "ci-bot"),
    ] {
        let secret: Secret = scene.get(name).await;
        assert!(token_of(&secret, entry).is_some(), "{name} holds a token");
        assert_eq!(secret.data.iter().flatten().count(), 1, "{name} holds nothing else");
        assert_eq!(secret.type_.as_deref(), Some(type_));
        let labels = secret.metadata.labels.unwrap_or_default();
        assert!(
            label.is_none_or(|(key, value)| labels.get(key).map(String::as_str) == Some(value)),
            "{name}"
        );
    }
}
