//! Who may do what, as the chart's policies ask RBAC, on requests of users that have no more than a test
//! gives them.

mod changed_by;
mod deactivation;
mod every_patch;
mod installation;
mod metadata;
mod rights;
mod status;

use std::process::Output;

use serde_json::{Value, json};

use super::support::policies::helm_template;
use super::support::{Scene, eventually, text};

const GROUP: &str = "iam.keyward.dev";

/// A rule of RBAC on Keyward's kinds. No names: all of them.
fn rule(resource: &str, names: &[&str], verbs: &[&str]) -> Value {
    let mut rule = json!({"apiGroups": [GROUP], "resources": [resource], "verbs": verbs});
    if !names.is_empty() {
        rule["resourceNames"] = json!(names);
    }
    rule
}

/// What the admins of these service accounts have, but for reading Secrets.
fn manager_of(service_accounts: &[&str]) -> Vec<Value> {
    vec![
        rule("serviceaccounts", service_accounts, &["manage", "reveal", "get", "update", "patch"]),
        rule("accesskeys", &[], &["get", "list", "watch", "create", "update", "patch", "delete"]),
    ]
}

/// Gives a user rights in the namespace, and waits until the API server knows.
async fn allow(scene: &Scene, user: &str, rules: &[Value]) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"generateName": "test-"}, "rules": rules,
    });
    let created = text(&scene.kubectl_with(&["create", "-o", "name", "-f", "-"], &role.to_string()));
    let name = created.trim().rsplit('/').next().unwrap();
    scene.kubectl_text(&["create", "rolebinding", name, "--role", name, "--user", user]);
    let [verb, resource] = ["verbs", "resources"].map(|field| rules[0][field][0].as_str().unwrap());
    let object = match rules[0]["resourceNames"][0].as_str() {
        Some(name) => format!("{resource}.{GROUP}/{name}"),
        None => format!("{resource}.{GROUP}"),
    };
    may(scene, user, verb, &object).await;
}

/// Binds a user to a cluster role of the chart, and waits until the API server knows.
async fn bind(scene: &Scene, user: &str, role: &str) {
    let name = format!("{role}-{user}");
    scene.kubectl_text(&["create", "rolebinding", &name, "--clusterrole", role, "--user", user]);
    may(scene, user, "manage", &format!("serviceaccounts.{GROUP}/any")).await;
}

pub async fn may(scene: &Scene, user: &str, verb: &str, object: &str) {
    eventually(&format!("{user} may {verb} {object}"), async || {
        let answer = scene.kubectl_as(user, &["auth", "can-i", verb, object]);
        if answer.status.success() { Ok(()) } else { Err(answer) }
    })
    .await;
}

/// Creates an object as a user.
pub fn create_as(scene: &Scene, user: &str, kind: &str, name: &str, spec: &Value) -> Output {
    let object = json!({
        "apiVersion": format!("{GROUP}/v1alpha1"), "kind": kind, "metadata": {"name": name}, "spec": spec,
    });
    scene.kubectl_with(&["--as", user, "create", "-f", "-"], &object.to_string())
}

pub fn create_key_as(scene: &Scene, user: &str, name: &str, service_account: &str) -> Output {
    let spec = json!({"serviceAccountName": service_account, "validFor": "P6M"});
    create_as(scene, user, "AccessKey", name, &spec)
}

/// Merges into an object as a user.
pub fn patch_as(scene: &Scene, user: &str, object: &str, patch: &Value) -> Output {
    scene.kubectl_as(user, &["patch", object, "--type=merge", "-p", &patch.to_string()])
}

/// Checks that a request was refused with these words.
#[track_caller]
pub fn refused(output: &Output, words: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it is allowed, but should be refused: {words}");
    assert!(errors.contains(words), "refused with other words than {words}: {errors}");
}

#[test]
fn without_mutating_policies_in_the_cluster_the_controller_does_not_trust_the_annotation() {
    let told = |said: &[&str]| {
        let rendered = helm_template(said);
        let trusted = rendered.contains("- name: KEYWARD_TRUST_CHANGED_BY\n              value: \"true\"");
        let written = rendered.contains("kind: MutatingAdmissionPolicy\n");
        assert_eq!(trusted, written, "{said:?}");
        trusted
    };
    let served = ["--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"];
    assert!(told(&served));
    assert!(!told(&[]));
    assert!(told(&["--set", "admission.changedBy=enabled"]));
    assert!(!told(&[&served[..], &["--set", "admission.changedBy=disabled"]].concat()));
    assert!(!told(&[&served[..], &["--set", "admission.enabled=false"]].concat()));
}
