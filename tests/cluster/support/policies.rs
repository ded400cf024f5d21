//! The chart's admission policies and user roles, as an administrator installs them.

use std::panic::AssertUnwindSafe;
use std::process::Output;

use futures::FutureExt as _;
use serde_json::json;
use tokio::sync::OnceCell;

use super::{Scene, eventually, run, text};

/// What helm asks a cluster for, and is told here.
const MUTATING: &str = "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy";

/// What the chart makes of some of its templates, for a cluster that serves mutating policies.
pub fn render(templates: &[&str], values: &str) -> String {
    let templates: Vec<String> = templates.iter().map(|name| format!("templates/{name}.yaml")).collect();
    let shown = templates.iter().flat_map(|template| ["--show-only", template.as_str()]);
    let arguments: Vec<&str> =
        ["--api-versions", MUTATING, "--set", values].into_iter().chain(shown).collect();
    helm_template(&arguments)
}

pub fn helm_template(arguments: &[&str]) -> String {
    text(&helm(arguments))
}

/// What Helm makes of the chart, or what it has against it.
pub fn helm(arguments: &[&str]) -> Output {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/keyward");
    let arguments: Vec<&str> =
        ["template", "keyward", chart].into_iter().chain(arguments.iter().copied()).collect();
    run("helm", &arguments, "")
}

/// Installs them once, and waits until they are in force: the API server looks for new ones every second.
pub(super) async fn install_policies() {
    static DONE: OnceCell<bool> = OnceCell::const_new();
    // A failure is remembered, so that the other tests need not wait for it again.
    let done = DONE.get_or_init(async || AssertUnwindSafe(install()).catch_unwind().await.is_ok()).await;
    assert!(done, "the policies are not in force; the first test that failed says why");
}

async fn install() {
    apply(&render(&["policies", "user-roles"], ""));
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

/// The policies that have a deactivation confirmed, in the scene's namespace alone.
pub struct Guard(String);

impl Guard {
    /// They are in force a moment later.
    pub fn install(scene: &Scene) -> Self {
        let values = format!("deactivationGuard=Confirm,watchNamespace={}", scene.namespace);
        let rendered = render(&["policies"], &values);
        let wanted = rendered.split("---\n").filter(|part| part.contains("serviceaccount-deactivation"));
        let wanted = wanted.collect::<Vec<_>>().join("---\n");
        assert_eq!(wanted.matches("deactivation-confirmed.iam.keyward.dev\n").count(), 3, "{wanted}");
        apply(&wanted);
        Self(wanted)
    }

    pub fn remove(self) {
        text(&run("kubectl", &["delete", "-f", "-"], &self.0));
    }
}

fn apply(manifests: &str) {
    text(&run("kubectl", &["apply", "--server-side", "-f", "-"], manifests));
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
