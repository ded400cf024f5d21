//! What an installation stands on is written by its controller alone, whatever RBAC allows in its namespace.

use serde_json::{Value, json};

use super::super::support::{Scene, eventually, run, text};

/// Of the release that the policies are rendered for.
const HOME: &str = "default";
const CONTROLLER: &str = "system:serviceaccount:default:keyward-controller";

/// Has both users write all of that kind there.
fn allow(user: &str) {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": user, "namespace": HOME},
        "rules": [
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create", "get", "patch"]},
            {"apiGroups": [""], "resources": ["secrets", "configmaps"], "verbs": ["create", "get", "patch"]},
        ],
    });
    text(&run("kubectl", &["create", "-f", "-"], &role.to_string()));
    let bind =
        ["-n", HOME, "create", "rolebinding", user, "--role", user, "--user", user, "--user", CONTROLLER];
    text(&run("kubectl", &bind, ""));
}

fn as_user(user: &str, arguments: &[&str], input: &Value) -> String {
    let arguments = [&["-n", HOME, "--as", user, "--dry-run=server"], arguments].concat();
    let output = run("kubectl", &arguments, &input.to_string());
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn nobody_but_the_controller_writes_the_lease_the_sealing_key_and_the_certificate() {
    let scene = Scene::new("installation").await;
    let user = format!("thief-of-{}", scene.namespace);
    allow(&user);
    let create = |user: &str, kind: &str, name: &str| {
        let version = if kind == "Lease" { "coordination.k8s.io/v1" } else { "v1" };
        let object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
        as_user(user, &["create", "-f", "-"], &object)
    };
    for (kind, name) in [
        ("Lease", "keyward-controller"),
        ("Secret", "keyward-sealing"),
        ("ConfigMap", "keyward-sealing"),
        ("Secret", "keyward-verifier-ca"),
        ("ConfigMap", "keyward-verifier-ca"),
        ("Secret", "keyward-verifier-self-signed"),
    ] {
        let words =
            format!("may not write {kind} \"{name}\" in namespace \"{HOME}\", which only the controller");
        eventually(&format!("{kind} {name} is refused"), async || {
            let said = create(&user, kind, name);
            if said.contains(&words) { Ok(()) } else { Err(said) }
        })
        .await;
        let said = create(CONTROLLER, kind, name);
        assert!(said.contains("created"), "the controller, {kind} {name}: {said}");
        let said = create(&user, kind, "another");
        assert!(said.contains("created"), "another {kind}: {said}");
    }
    // What is there is not changed either.
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "keyward-controller", "namespace": HOME}, "spec": {"holderIdentity": "controller"},
    });
    text(&run("kubectl", &["apply", "--server-side", "-f", "-"], &lease.to_string()));
    let patch = json!({"spec": {"holderIdentity": user}}).to_string();
    let said =
        as_user(&user, &["patch", "lease", "keyward-controller", "--type=merge", "-p", &patch], &json!(null));
    text(&run("kubectl", &["-n", HOME, "delete", "lease", "keyward-controller"], ""));
    assert!(said.contains("may not write Lease \"keyward-controller\""), "{said}");
}
