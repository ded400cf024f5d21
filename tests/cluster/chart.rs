//! The chart: what it makes of its values, and what the API server and the programs say to that.

use std::process::Output;

use clap::{Args as _, Command};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Container;
use keyward::runtime::config::{ControllerArgs, VerifierArgs};
use serde_json::{Value, json};

use super::support::policies::{helm, helm_template};
use super::support::{Scene, run, text};

const WITH_TLS: &str = "verifier.enabled=true,verifier.tls.secretName=verifier-tls";
const RULES: &str = include_str!("../../charts/keyward/files/verifier-rules.yaml");

/// The objects that the chart makes with these values.
fn objects(values: &str) -> Vec<Value> {
    let rendered = helm_template(&["--set", values]);
    let documents = rendered.split("\n---\n").map(|text| serde_yaml::from_str::<Value>(text).unwrap());
    documents.filter(|object| object["kind"].is_string()).collect()
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
}

/// The Deployment of a process, and its one container.
fn deployed(objects: &[Value], process: &str) -> (Deployment, Container) {
    let object = find(objects, "Deployment", &format!("keyward-{process}")).expect("it is deployed");
    let deployment: Deployment = serde_json::from_value(object.clone()).unwrap();
    let mut pod = deployment.spec.clone().unwrap().template.spec.unwrap();
    assert_eq!(pod.containers.len(), 1);
    (deployment, pod.containers.remove(0))
}

/// What the flags of `command` come to under the container's environment.
fn parsed(command: Command, container: &Container) -> clap::ArgMatches {
    let flags: Vec<(String, String)> = command
        .get_arguments()
        .filter_map(|flag| Some((flag.get_env()?.to_str()?.to_owned(), format!("--{}", flag.get_long()?))))
        .collect();
    let set = container.env.iter().flatten().filter_map(|variable| {
        let flag = flags.iter().find(|(name, _)| *name == variable.name);
        let (_, flag) = flag.unwrap_or_else(|| panic!("no flag reads {}", variable.name));
        Some(format!("{flag}={}", variable.value.as_ref()?))
    });
    command.try_get_matches_from(["keyward".to_owned()].into_iter().chain(set)).unwrap()
}

fn refused(values: &str, words: &str) {
    let Output { status, stderr, .. } = helm(&["--set", values]);
    let said = String::from_utf8_lossy(&stderr);
    assert!(!status.success() && said.contains(words), "{values}: {said}");
}

#[test]
fn there_is_no_verifier_until_it_is_asked_for() {
    let objects = objects("");
    assert!(find(&objects, "Deployment", "keyward-controller").is_some());
    assert!(!serde_json::to_string(&objects).unwrap().contains("keyward-verifier"));
}

#[test]
fn a_verifier_needs_a_certificate_or_that_plain_http_is_meant() {
    let words = "needs exactly one of: verifier.tls.secretName";
    refused("verifier.enabled=true", words);
    refused(&format!("{WITH_TLS},verifier.allowPlainHttp=true"), words);
    refused(&format!("{WITH_TLS},verifier.maxStalnessSeconds=5"), "maxStalnessSeconds");
    refused(&format!("{WITH_TLS},verifier.tls.secret=x"), "secret");
    refused(&format!("{WITH_TLS},verifier.maxStalenessSeconds=2"), "maxStalenessSeconds");
    refused(&format!("{WITH_TLS},verifier.trustedProxies={{gateway}}"), "trustedProxies");
}

#[test]
fn the_programs_understand_what_the_chart_sets() {
    let values = "verifier.enabled=true,verifier.allowPlainHttp=true,watchNamespace=shop,\
                  verifier.trustedProxies={10.0.0.0/8,192.0.2.7},verifier.maxStalenessSeconds=30";
    let objects = objects(values);
    let (_, controller) = deployed(&objects, "controller");
    parsed(ControllerArgs::augment_args(Command::new("controller")), &controller);
    let (_, verifier) = deployed(&objects, "verifier");
    let flags = parsed(VerifierArgs::augment_args(Command::new("verifier")), &verifier);
    assert_eq!(flags.get_one("max_staleness_seconds"), Some(&30_u64));
    assert_eq!(flags.get_one("allow_plain_http"), Some(&true));
    assert_eq!(flags.get_one::<String>("namespace").map(String::as_str), Some("shop"));
    let trusted: Vec<String> =
        flags.get_raw("trusted_proxies").unwrap().map(|text| text.to_str().unwrap().to_owned()).collect();
    assert_eq!(trusted, ["10.0.0.0/8", "192.0.2.7"]);
}

#[test]
fn the_certificate_is_where_the_verifier_looks_for_it() {
    let (deployment, verifier) = deployed(&objects(WITH_TLS), "verifier");
    let flags = parsed(VerifierArgs::augment_args(Command::new("verifier")), &verifier);
    let mount = &verifier.volume_mounts.unwrap()[0];
    for (flag, file) in [("tls_cert_file", "tls.crt"), ("tls_key_file", "tls.key")] {
        let path = flags.get_one::<std::path::PathBuf>(flag).unwrap();
        assert_eq!(*path, std::path::Path::new(&mount.mount_path).join(file));
    }
    let volume = deployment.spec.unwrap().template.spec.unwrap().volumes.unwrap().remove(0);
    assert_eq!(
        (volume.name, volume.secret.unwrap().secret_name.as_deref()),
        (mount.name.clone(), Some("verifier-tls"))
    );
}

#[test]
fn the_verifier_gets_its_own_rules_everywhere_or_in_one_namespace() {
    let rules: Value = serde_yaml::from_str(RULES).unwrap();
    for (more, kind) in [("", "ClusterRole"), (",watchNamespace=shop", "Role")] {
        let objects = objects(&format!("{WITH_TLS}{more}"));
        let role = find(&objects, kind, "keyward-verifier").unwrap();
        assert_eq!(role["rules"], rules);
        let binding = find(&objects, &format!("{kind}Binding"), "keyward-verifier").unwrap();
        assert_eq!(binding["roleRef"]["kind"], kind);
        let subject = json!({"kind": "ServiceAccount", "name": "keyward-verifier", "namespace": "default"});
        assert_eq!(binding["subjects"], json!([subject]));
        assert_eq!(role["metadata"]["namespace"], binding["metadata"]["namespace"]);
        assert_eq!(role["metadata"]["namespace"].as_str(), (!more.is_empty()).then_some("shop"));
    }
}

#[test]
fn who_sends_to_a_verifier_finds_verifiers_only() {
    let objects = objects(WITH_TLS);
    let labels = |process: &str| {
        let (deployment, _) = deployed(&objects, process);
        serde_json::to_value(deployment.spec.unwrap().template.metadata.unwrap().labels).unwrap()
    };
    let selects = |name: &str, labels: &Value| {
        let selector = &find(&objects, "Service", name).unwrap()["spec"]["selector"];
        selector.as_object().unwrap().iter().all(|(name, value)| labels[name] == *value)
    };
    for (service, controller, verifier) in [
        ("keyward-verifier", false, true),
        ("keyward-verifier-metrics", false, true),
        ("keyward-metrics", true, false),
    ] {
        let found = (selects(service, &labels("controller")), selects(service, &labels("verifier")));
        assert_eq!(found, (controller, verifier), "{service}");
    }
}

#[tokio::test]
async fn the_api_server_takes_all_of_it_and_pod_security_has_nothing_against_it() {
    let scene = Scene::new("chart").await;
    let label = "pod-security.kubernetes.io/warn=restricted";
    scene.kubectl_text(&["label", "namespace", &scene.namespace, label]);
    let values = format!(
        "{WITH_TLS},verifier.networkPolicy.enabled=true,networkPolicy.enabled=true,crds.enabled=false"
    );
    let from = r#"verifier.networkPolicy.from=[{"podSelector": {"matchLabels": {"app": "gateway"}}}]"#;
    let rendered = helm_template(&["--namespace", &scene.namespace, "--set", &values, "--set-json", from]);
    let arguments = ["create", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-f", "-"];
    // What the tests have installed already would be there twice.
    let rendered = rendered.split("\n---\n").filter(|text| !text.contains("kind: ClusterRole\n"));
    let rendered: Vec<&str> = rendered.filter(|text| !text.contains("AdmissionPolicy")).collect();
    let taken = text(&run("kubectl", &arguments, &rendered.join("\n---\n")));
    for kind in
        ["deployment.apps", "service", "networkpolicy.networking.k8s.io", "poddisruptionbudget.policy"]
    {
        assert!(taken.contains(&format!("{kind}/keyward-verifier created")), "{taken}");
    }
}
