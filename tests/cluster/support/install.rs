//! What every test needs on the cluster, installed once: the CRDs, and the chart's admission policies and
//! user roles as an administrator installs them.

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;

use futures::FutureExt as _;
use keyward_dev::TIMEOUT;
use serde_json::json;
use tokio::sync::OnceCell;

use super::command::{run, text};
use super::policies::{apply, for_all_scenes, render};
use super::wait::eventually;

pub(super) fn install_crds() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let crds = keyward::api::crds::yaml().unwrap();
        text(&run("kubectl", &["apply", "--server-side", "-f", "-"], &crds));
        text(&run("kubectl", &["wait", "--for=condition=Established", "crd", "--all", TIMEOUT], ""));
    });
}

/// Installs the policies once, and waits until they are in force: the API server looks for new ones every
/// second.
pub(super) async fn install_policies() {
    static DONE: OnceCell<bool> = OnceCell::const_new();
    // A failure is remembered, so that the other tests need not wait for it again.
    let done = DONE.get_or_init(async || AssertUnwindSafe(install()).catch_unwind().await.is_ok()).await;
    assert!(done, "the policies are not in force; the first test that failed says why");
}

async fn install() {
    apply(&for_all_scenes(&render(&["policies", "user-roles"], "")));
    apply(&probe_rights());
    let key = json!({"serviceAccountName": "probe", "validFor": "P6M"});
    for (user, kind, spec, answer) in [
        ("probe", "ServiceAccount", json!({"admins": [{"kind": "User", "name": "probe"}]}), "spec.admins"),
        ("probe", "Account", json!({"limits": {"serviceAccounts": 1}}), "spec.limits"),
        ("probe", "AccessKey", key.clone(), "may not create"),
        // It gets through once the API server watches the service accounts, which a policy needs.
        ("", "AccessKey", key, "changed-by"),
    ] {
        let object = json!({
            "apiVersion": "iam.keyward.dev/v1alpha1", "kind": kind,
            "metadata": {"name": "account", "namespace": "default"}, "spec": spec,
        });
        let mut command = vec!["create", "--dry-run=server", "-o", "yaml", "-f", "-"];
        if !user.is_empty() {
            command.extend(["--as", user]);
        }
        eventually(&format!("a {kind} of {user:?} meets the policies"), async || {
            let output = run("kubectl", &command, &object.to_string());
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            if said.contains(answer) { Ok(()) } else { Err(said) }
        })
        .await;
    }
}

/// Lets a user ask for everything, with none of the rights that the policies look for.
fn probe_rights() -> String {
    let metadata = json!({"name": "policy-probe", "namespace": "default"});
    let (group, version) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
    let rules = json!([{
        "apiGroups": ["iam.keyward.dev"], "verbs": ["create"],
        "resources": ["accounts", "serviceaccounts", "accesskeys"],
    }]);
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": version, "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": version, "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "policy-probe"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "probe"}],
        },
    ]})
    .to_string()
}
