//! What a real API server says to what the chart makes, by a dry run on the server.

use std::path::Path;
use std::process::{Output, Stdio};

use keyward_dev::TIMEOUT;
use serde_json::{Value, json};

use crate::own_cluster::{Cluster, eventually};

const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/keyward");
const ALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/keyward/ci/all-values.yaml");
/// CRDs of the Prometheus Operator, with the fields that the chart may set and no others.
const OPERATOR: &str = include_str!("prometheus-operator.yaml");
const CERT_MANAGER: &str = include_str!("cert-manager.yaml");
const MUTATING: [&str; 2] = ["--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"];
const RESTRICTED: &str = "pod-security.kubernetes.io/";

/// What the chart makes, in a file.
fn rendered(cluster: &Cluster, arguments: &[&str]) -> String {
    let mut helm = cluster.command("helm");
    let output = helm.args(["template", "keyward", CHART]).args(MUTATING).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = cluster.plane.dir().join("rendered.yaml");
    std::fs::write(&file, output.stdout).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Has the API server look at every object as if it were to create it; gives their names.
fn taken(cluster: &Cluster, file: &str) -> Vec<String> {
    let dry_run = ["create", "--dry-run=server", "--validate=strict", "--warnings-as-errors", "-o", "name"];
    cluster.kubectl(&[&dry_run[..], &["-f", file]].concat()).lines().map(str::to_owned).collect()
}

fn count(file: &str) -> usize {
    let text = std::fs::read_to_string(file).unwrap();
    text.split("\n---").filter(|document| document.contains("\nkind: ")).count()
}

fn namespace(cluster: &Cluster, name: &str, mode: &str) {
    cluster.kubectl(&["create", "namespace", name]);
    cluster.kubectl(&["label", "namespace", name, &format!("{RESTRICTED}{mode}=restricted")]);
}

pub fn as_it_is(cluster: &Cluster) {
    namespace(cluster, "plain", "warn");
    let file = rendered(cluster, &["--namespace", "plain"]);
    assert_eq!(taken(cluster, &file).len(), count(&file));
}

/// The kinds of the Prometheus Operator and of cert-manager must be known first, as their own installations
/// would have them.
pub async fn with_every_option(cluster: &Cluster) {
    namespace(cluster, "keyward-system", "warn");
    cluster.kubectl(&["create", "namespace", "shop"]);
    cluster.apply(OPERATOR);
    cluster.apply(CERT_MANAGER);
    cluster.kubectl(&["wait", "--for=condition=Established", "crd", "--all", TIMEOUT]);
    let file = rendered(cluster, &["--namespace", "keyward-system", "--values", ALL]);
    eventually("the new kinds are served", async || {
        let output = cluster
            .command("kubectl")
            .args(["get", "servicemonitors,prometheusrules,certificates"])
            .output()
            .unwrap();
        if output.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    })
    .await;
    let names = taken(cluster, &file);
    assert_eq!(names.len(), count(&file));
    for name in [
        "deployment.apps/keyward-verifier",
        "certificate.cert-manager.io/keyward-verifier",
        "servicemonitor.monitoring.coreos.com/keyward-verifier-metrics",
        "prometheusrule.monitoring.coreos.com/keyward",
        "networkpolicy.networking.k8s.io/keyward-controller",
        "poddisruptionbudget.policy/keyward-controller",
        "mutatingadmissionpolicy.admissionregistration.k8s.io/shop.changed-by.iam.keyward.dev",
        "role.rbac.authorization.k8s.io/keyward-controller",
        "configmap/keyward-dashboard",
        "customresourcedefinition.apiextensions.k8s.io/accounts.iam.keyward.dev",
    ] {
        assert!(names.iter().any(|found| found == name), "{name} in {names:#?}");
    }
}

/// A namespace that enforces the restricted Pod Security Standard takes the pods. The kinds that only a
/// running cluster's controllers make are made here by hand.
pub fn as_pods(cluster: &Cluster) {
    namespace(cluster, "restricted", "enforce");
    for account in ["keyward", "keyward-verifier"] {
        cluster.kubectl(&["-n", "restricted", "create", "serviceaccount", account]);
    }
    for values in ["", "runAsUser=null"] {
        let with_verifier = "verifier.tls.secretName=verifier-tls";
        let file = rendered(cluster, &["--namespace", "restricted", "--set", with_verifier, "--set", values]);
        let text = std::fs::read_to_string(&file).unwrap();
        let objects = text.split("\n---\n").map(|text| serde_yaml::from_str::<Value>(text).unwrap());
        let deployments = objects.filter(|object| object["kind"] == "Deployment");
        let mut pods = 0;
        for deployment in deployments {
            pods += 1;
            let mut pod = deployment["spec"]["template"].clone();
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            pod["metadata"]["name"] = json!(format!("pod-{pods}"));
            let output = create(cluster, "restricted", &pod);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
            let output = create(cluster, "restricted", &pod);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("violates PodSecurity \"restricted"), "the standard is enforced: {said}");
        }
        assert_eq!(pods, 2);
    }
}

fn create(cluster: &Cluster, namespace: &str, object: &Value) -> Output {
    let file = cluster.plane.dir().join("pod.json");
    std::fs::write(&file, object.to_string()).unwrap();
    let mut command = cluster.command("kubectl");
    command.args(["-n", namespace, "create", "--dry-run=server", "-f"]).arg(file);
    command.stdin(Stdio::null()).output().unwrap()
}

/// Without Helm on the cluster's side: one file, and a kustomization.
pub fn as_plain_manifests(cluster: &Cluster) {
    let out = cluster.plane.dir().join("dist");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/manifests.sh");
    let made = cluster.command("bash").arg(script).arg(&out).args(MUTATING).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    cluster.kubectl(&["apply", "--server-side", "-k", out.to_str().unwrap()]);
    cluster.kubectl(&["wait", "--for=condition=Established", "crd", "--all", TIMEOUT]);
    let found = cluster.kubectl(&["-n", "keyward-system", "get", "deployments", "-o", "name"]);
    assert_eq!(found.trim(), "deployment.apps/keyward-controller\ndeployment.apps/keyward-verifier");
}
