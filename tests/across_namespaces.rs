//! What reaches from one namespace into another: Secrets that a key publishes where they are accepted. It
//! takes a controller for all namespaces, and so a control plane of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod own_cluster;

use keyward_dev::Options;
use own_cluster::Cluster;

const MANIFESTS: &str = "
apiVersion: iam.keyward.dev/v1alpha1
kind: ServiceAccount
metadata: {name: ci, namespace: team-a}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: AccessKey
metadata: {name: deploy, namespace: team-a}
spec:
  serviceAccountName: ci
  validFor: P6M
  publish:
    - {name: ci-key, namespace: gateway, data: {key: $(token)}}
";

async fn reason(cluster: &Cluster, wanted: &str) {
    let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}";
    cluster.until(&["-n", "team-a", "get", "kwkey", "deploy", "-o", path], wanted).await;
}

async fn copies(cluster: &Cluster, wanted: &str) {
    let arguments = ["-n", "gateway", "get", "secrets", "-o", "jsonpath={.items[*].metadata.name}"];
    cluster.until(&arguments, wanted).await;
}

fn accept(cluster: &Cluster, namespaces: &str) {
    cluster.apply(&format!(
        "apiVersion: iam.keyward.dev/v1alpha1\nkind: Account\nmetadata: {{name: account, namespace: gateway}}\nspec: \
         {{acceptSecretsFrom: [{namespaces}]}}\n"
    ));
}

#[tokio::test]
async fn a_copy_in_another_namespace_stands_as_long_as_it_is_accepted_and_its_key_is_good() {
    let cluster = Cluster::start(Options::default()).await;
    cluster.install(&["team-a", "gateway"]);
    let controller = cluster.controller();
    cluster.apply(MANIFESTS);
    reason(&cluster, "PublishNotAccepted").await;
    copies(&cluster, "").await;
    accept(&cluster, "team-a");
    reason(&cluster, "Issued").await;
    copies(&cluster, "ci-key").await;
    accept(&cluster, "team-b");
    reason(&cluster, "PublishNotAccepted").await;
    copies(&cluster, "").await;
    accept(&cluster, "team-b, team-a");
    copies(&cluster, "ci-key").await;
    reason(&cluster, "Issued").await;

    cluster.kubectl(&["-n", "team-a", "delete", "kwkey", "deploy"]);
    copies(&cluster, "").await;

    // Deleted while nobody watched.
    cluster.apply(&MANIFESTS.replace("deploy", "again"));
    copies(&cluster, "ci-key").await;
    drop(controller);
    cluster.kubectl(&["-n", "team-a", "delete", "kwkey", "again"]);
    let _controller = cluster.controller();
    copies(&cluster, "").await;
    cluster.plane.stop().await.unwrap();
}
