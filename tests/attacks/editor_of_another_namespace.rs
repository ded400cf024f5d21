//! An editor of one namespace, who attacks another: with a controller that works in all of them, and so on a
//! control plane of its own.

use keyward_dev::Options;
use serde_json::{Value, json};

use crate::own_cluster::{Cluster, eventually};

/// The victim's namespace, and the attacker's.
const OURS: &str = "ours";
const THEIRS: &str = "theirs";

fn objects(namespace: &str, publish: &Value) -> String {
    let object = |kind: &str, name: &str, spec: &Value| {
        json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": kind,
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        })
    };
    let key = json!({"serviceAccountName": "ci", "validFor": "P6M", "publish": publish});
    json!({"apiVersion": "v1", "kind": "List", "items": [
        object("ServiceAccount", "ci", &json!({})), object("AccessKey", "deploy", &key),
    ]})
    .to_string()
}

/// The attacker has the cluster role `edit` there, and what the chart adds to it.
fn edits(cluster: &Cluster) {
    let rules = cluster
        .command("helm")
        .args(["template", "keyward", "charts/keyward", "--show-only", "templates/user-roles.yaml"])
        .output()
        .unwrap();
    assert!(rules.status.success(), "{}", String::from_utf8_lossy(&rules.stderr));
    cluster.apply(&String::from_utf8_lossy(&rules.stdout));
    for role in ["edit", "keyward-edit", "keyward-view"] {
        let name = format!("eve-{role}");
        cluster.kubectl(&[
            "-n",
            THEIRS,
            "create",
            "rolebinding",
            &name,
            "--clusterrole",
            role,
            "--user",
            "eve",
        ]);
    }
}

/// What the attacker is told.
fn as_eve(cluster: &Cluster, arguments: &[&str]) -> (bool, String) {
    let output = cluster.command("kubectl").args(["--as", "eve"]).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}

fn forbidden(cluster: &Cluster, arguments: &[&str]) {
    let (done, said) = as_eve(cluster, arguments);
    assert!(!done && said.contains("forbidden"), "{arguments:?}: {said}");
}

fn field(cluster: &Cluster, namespace: &str, object: &str, path: &str) -> String {
    let path = format!("jsonpath={path}");
    cluster.kubectl(&["-n", namespace, "get", object, "-o", &path])
}

async fn reason(cluster: &Cluster, namespace: &str, wanted: &str) {
    let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}";
    cluster.until(&["-n", namespace, "get", "kwkey", "deploy", "-o", path], wanted).await;
}

#[tokio::test]
async fn an_editor_of_another_namespace_reads_writes_and_ends_nothing_here() {
    let cluster = Cluster::start(Options::default()).await;
    cluster.install(&[OURS, THEIRS]);
    edits(&cluster);
    let _controller = cluster.controller();
    let victim = json!([{"name": "gateway", "namespace": THEIRS, "data": {"key": "$(token)"}}]);
    let accepted = json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "Account",
        "metadata": {"name": "account", "namespace": THEIRS}, "spec": {"acceptSecretsFrom": [OURS]},
    });
    cluster.apply(&accepted.to_string());
    cluster.apply(&objects(OURS, &victim));
    reason(&cluster, OURS, "Issued").await;
    let id = field(&cluster, OURS, "kwkey/deploy", "{.status.token.id}");

    for arguments in [
        &["get", "secrets"][..],
        &["get", "accesskeys.iam.keyward.dev"],
        &["delete", "accesskeys.iam.keyward.dev", "deploy"],
        &["delete", "secret", "deploy"],
        &[
            "patch",
            "serviceaccounts.iam.keyward.dev",
            "ci",
            "--type=merge",
            "-p",
            "{\"spec\":{\"state\":\"Inactive\"}}",
        ],
    ] {
        forbidden(&cluster, &[&["-n", OURS], arguments].concat());
    }

    // A key of theirs writes no Secret here, whatever it asks for.
    let intruding = json!([
        {"name": "intruder", "namespace": OURS, "data": {"key": "$(token)"}},
        {"name": "deploy", "namespace": OURS, "data": {"token": "$(token)"}},
    ]);
    cluster.apply(&objects(THEIRS, &intruding));
    reason(&cluster, THEIRS, "PublishNotAccepted").await;

    // What is published to them leads nowhere else, whatever they write on it: neither to another's Secret,
    // nor out of the path to a key.
    let owner = json!({"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "name": "deploy",
        "uid": field(&cluster, OURS, "kwkey/deploy", "{.metadata.uid}"), "controller": true});
    for by in ["ours/../../../namespaces/ours", "ours/deploy?x=y", "/", "ours/"] {
        let patch = json!({"metadata": {"annotations": {"iam.keyward.dev/published-by": by}}}).to_string();
        let (done, said) =
            as_eve(&cluster, &["-n", THEIRS, "patch", "secret", "gateway", "--type=merge", "-p", &patch]);
        assert!(done, "{by}: {said}");
    }
    // A Secret with the id of a token from here, for a key of theirs, and as if of the key here.
    for (name, owners) in [("deploy", None), ("claim", Some(owner))] {
        let mut patch = json!({"metadata": {"annotations": {
            "iam.keyward.dev/key-id": id, "iam.keyward.dev/serial": "99999999999", "iam.keyward.dev/seal": "0000000000000000:AAAA",
        }}});
        if let Some(owner) = owners {
            patch["metadata"]["ownerReferences"] = json!([owner]);
            let (done, said) = as_eve(&cluster, &["-n", THEIRS, "create", "secret", "generic", name]);
            assert!(done, "{said}");
        }
        let (done, said) = as_eve(
            &cluster,
            &["-n", THEIRS, "patch", "secret", name, "--type=merge", "-p", &patch.to_string()],
        );
        assert!(done, "{name}: {said}");
    }
    let (done, said) = as_eve(&cluster, &["-n", THEIRS, "delete", "accesskeys.iam.keyward.dev", "deploy"]);
    assert!(done, "{said}");
    eventually("their key is gone", async || {
        let found = cluster.kubectl(&["-n", THEIRS, "get", "kwkey", "-o", "name"]);
        if found.is_empty() { Ok(()) } else { Err(found) }
    })
    .await;

    // The controller has seen all of it and works on: a change here is carried out, with the same token.
    let change = "{\"spec\":{\"description\":\"still here\",\"state\":\"Inactive\"}}";
    cluster.kubectl(&["-n", OURS, "patch", "kwkey", "deploy", "--type=merge", "-p", change]);
    reason(&cluster, OURS, "Inactive").await;
    cluster.kubectl(&[
        "-n",
        OURS,
        "patch",
        "kwkey",
        "deploy",
        "--type=merge",
        "-p",
        "{\"spec\":{\"state\":\"Active\"}}",
    ]);
    reason(&cluster, OURS, "Issued").await;
    assert_eq!(field(&cluster, OURS, "kwkey/deploy", "{.status.token.id}"), id);
    assert_eq!(
        cluster.kubectl(&["-n", OURS, "get", "secrets", "-o", "jsonpath={.items[*].metadata.name}"]),
        "deploy"
    );
    cluster.plane.stop().await.unwrap();
}
