//! The chart on a cluster of its own, by real Helm: what the API server says to everything that it can make,
//! the programs under the rights that it gives them and no others, and what an upgrade and an uninstallation
//! do to live keys: nothing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod own_cluster;

mod install {
    pub mod certificate;
    pub mod release;
    pub mod taken;
}

use install::{
    certificate,
    release::{Release, keys},
    taken,
};
use keyward_dev::{Options, TIMEOUT};
use own_cluster::Cluster;

const ACCOUNT: &str = "
apiVersion: iam.keyward.dev/v1alpha1
kind: ServiceAccount
metadata: {name: ci, namespace: shop}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: AccessKey
metadata: {name: deploy, namespace: shop}
spec:
  serviceAccountName: ci
  validFor: P6M
  publish:
    - {name: for-the-gateway, data: {key: $(token)}}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: AccessKey
metadata: {name: spare, namespace: shop}
spec: {serviceAccountName: ci, validFor: P6M, state: Inactive}
---
apiVersion: iam.keyward.dev/v1alpha1
kind: ResourceGrant
metadata: {name: claims, namespace: shop}
spec:
  serviceAccountName: ci
  resource: {category: Process, name: expense-claims}
  role: Member
";

/// A chart of a user's own, whose only object is a key.
const OF_A_USER: &str = "apiVersion: v2\nname: app\nversion: 0.1.0\n";

fn of_a_user(cluster: &Cluster, template: &str) -> std::path::PathBuf {
    let chart = cluster.plane.dir().join("app");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    std::fs::write(chart.join("Chart.yaml"), OF_A_USER).unwrap();
    std::fs::write(chart.join("templates/key.yaml"), template).unwrap();
    chart
}

fn key(name: &str) -> String {
    format!(
        "apiVersion: iam.keyward.dev/v1alpha1\nkind: AccessKey\nmetadata: {{name: {name}}}\nspec: {{serviceAccountName: ci, \
         validFor: P6M}}\n"
    )
}

#[tokio::test]
async fn live_keys_outlast_upgrades_and_uninstallations() {
    let cluster = Cluster::start(Options::default()).await;
    cluster.kubectl(&["create", "namespace", "shop"]);
    let mut release = Release::install(&cluster, &["--set", "verifier.usageIntervalSeconds=1"]);
    release.start_programs().await;
    release.apply_once_the_policies_know_the_kinds(ACCOUNT).await;
    cluster.kubectl(&["-n", "shop", "wait", "--for=condition=Ready", "kwkey", "--all", TIMEOUT]);
    release.lets_in("deploy").await;
    let before = keys(&cluster);
    assert_eq!(before.len(), 4, "two keys, a Secret and one for the gateway: {before:#?}");

    release.upgrade(&["--set", "concurrency=7", "--set", "replicaCount=3", "--set", "metrics.port=9090"]);
    release.start_programs().await;
    assert_eq!(keys(&cluster), before, "after an upgrade to other values");
    release.lets_in("deploy").await;

    release.next_version();
    release.upgrade(&["--reset-then-reuse-values"]);
    let version =
        ["get", "crd", "accesskeys.iam.keyward.dev", "-o", "jsonpath={.metadata.labels.helm\\.sh/chart}"];
    assert_eq!(cluster.kubectl(&version), "keyward-99.0.0", "the CRDs are upgraded too");
    release.start_programs().await;
    assert_eq!(keys(&cluster), before, "after an upgrade to the next version");
    release.lets_in("deploy").await;

    release.uninstall();
    release.stop_programs();
    assert_eq!(keys(&cluster), before, "after the uninstallation");

    release.install_again(&[]);
    release.start_programs().await;
    release.lets_in("deploy").await;
    assert_eq!(keys(&cluster), before, "after it was installed again");

    release.uninstall();
    release.stop_programs();
    cluster.kubectl(&["delete", "namespace", "shop", TIMEOUT]);
    cluster.plane.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_word_on_tls_clients_can_check_the_verifiers_certificate() {
    let cluster = Cluster::start(Options::default()).await;
    cluster.kubectl(&["create", "namespace", "shop"]);
    let mut release = Release::install_by_default(&cluster);
    certificate::comes_while_the_verifier_waits(&cluster, &mut release).await;
    release.apply_once_the_policies_know_the_kinds(ACCOUNT).await;
    cluster.kubectl(&["-n", "shop", "wait", "--for=condition=Ready", "kwkey", "--all", TIMEOUT]);
    certificate::is_accepted_by_clients(&cluster, &release).await;
    certificate::is_renewed_when_it_is_lost(&cluster).await;
    release.stop_programs();
    cluster.plane.stop().await.unwrap();
}

#[tokio::test]
async fn helm_waits_for_a_users_key_and_without_the_crds_no_key_is_left() {
    let cluster = Cluster::start(Options::default()).await;
    cluster.kubectl(&["create", "namespace", "shop"]);
    let mut release = Release::install(&cluster, &[]);
    release.start_programs().await;
    release.apply_once_the_policies_know_the_kinds(ACCOUNT).await;
    let helm = |arguments: &[&str]| {
        let output = cluster.command("helm").args(["-n", "shop"]).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let chart = of_a_user(&cluster, &key("first"));
    let chart = chart.to_str().unwrap();
    let (installed, said) = helm(&["install", "app", chart, "--wait", TIMEOUT]);
    assert!(installed, "{said}");
    let ready = ["-n", "shop", "get", "kwkey", "first", "-o", "jsonpath={.status.conditions[0].status}"];
    assert_eq!(cluster.kubectl(&ready), "True", "as soon as Helm is done");

    cluster.kubectl(&["-n", "shop", "create", "secret", "generic", "second"]);
    of_a_user(&cluster, &key("second"));
    let (installed, said) = helm(&["install", "other", chart, "--wait", TIMEOUT]);
    assert!(
        !installed && said.contains("AccessKey/shop/second") && !said.contains("deadline"),
        "at once: {said}"
    );
    cluster.kubectl(&["-n", "shop", "delete", "secret", "second"]);

    let (uninstalled, said) = helm(&["uninstall", "app"]);
    assert!(uninstalled, "{said}");
    let secrets =
        ["-n", "shop", "get", "secrets", "--field-selector", "type=iam.keyward.dev/access-key", "-o", "name"];
    cluster.until(&secrets, "secret/deploy\nsecret/second").await;

    release.upgrade(&["--set", "crds.keep=false"]);
    release.uninstall();
    release.stop_programs();
    cluster.until(&["get", "crd", "-o", "name"], "").await;
    cluster.until(&secrets, "").await;
    for namespace in ["shop", "keyward-system"] {
        cluster.kubectl(&["delete", "namespace", namespace, TIMEOUT]);
    }
    cluster.plane.stop().await.unwrap();
}

#[tokio::test]
async fn the_api_server_takes_everything_that_the_chart_can_make() {
    let cluster = Cluster::start(Options::default()).await;
    taken::as_it_is(&cluster);
    taken::with_every_option(&cluster).await;
    taken::as_pods(&cluster);
    taken::as_plain_manifests(&cluster);
    cluster.plane.stop().await.unwrap();
}
