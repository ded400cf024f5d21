//! An API server that refuses the controller one kind of write: by a policy, or for want of a right.

use keyward::api::GROUP;
use serde_json::{Value, json};

use super::command::{run, text};
use super::identity::CONTROLLER;
use super::scene::Scene;
use super::wait::eventually;

/// What the policy says.
pub const REFUSED: &str = "no such writes here";

/// A policy that refuses the controller one kind of write in the scene's namespace.
pub struct Refusal(String);

impl Refusal {
    /// Of that verb of that resource, as a rule of RBAC has them. In force when it returns.
    pub async fn of(scene: &Scene, resource: &str, verb: &str) -> Self {
        let name = format!("{}-{verb}.{}", resource.replace('/', "-"), scene.namespace);
        let version = "admissionregistration.k8s.io/v1";
        let group = match resource {
            "secrets" | "resourcequotas" => "",
            "roles" | "rolebindings" => "rbac.authorization.k8s.io",
            _ => GROUP,
        };
        let operation = match verb {
            "create" => "CREATE",
            "delete" => "DELETE",
            _ => "UPDATE",
        };
        // A write of everybody's shows when it is in force.
        let rule = |group: &str, operation: &str, resource: &str| {
            json!({
                "apiGroups": [group], "apiVersions": ["*"], "operations": [operation], "resources": [resource],
            })
        };
        let probe = format!("probe-{}-{verb}", resource.replace('/', "-"));
        let whose = format!(
            "request.userInfo.username.endsWith(':{CONTROLLER}') || (request.resource.resource == 'configmaps' && \
             request.name == '{probe}')"
        );
        let policy = json!({"apiVersion": "v1", "kind": "List", "items": [
            {
                "apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
                "spec": {
                    "matchConstraints": {"resourceRules": [
                        rule(group, operation, resource), rule("", "CREATE", "configmaps"),
                    ]},
                    "matchConditions": [{"name": "whose", "expression": whose}],
                    "validations": [{"expression": "false", "message": REFUSED}],
                },
            },
            {
                "apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
                "spec": {
                    "policyName": name, "validationActions": ["Deny"],
                    "matchResources": {"namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": scene.namespace},
                    }},
                },
            },
        ]})
        .to_string();
        text(&run("kubectl", &["apply", "-f", "-"], &policy));
        eventually("the policy is in force", async || {
            let output = scene.kubectl(&["create", "configmap", &probe, "--dry-run=server"]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if said.contains(REFUSED) { Ok(()) } else { Err(said) }
        })
        .await;
        Self(policy)
    }

    /// Lets it through again.
    pub fn lift(self) {
        text(&run("kubectl", &["delete", "-f", "-"], &self.0));
    }
}

/// A right that the controller's role does not have for a while.
pub struct Right(Value);

impl Right {
    /// Takes a verb of a resource from the controller; gone when it returns.
    pub async fn take(scene: &Scene, resource: &str, verb: &str) -> Self {
        let role: Value =
            serde_json::from_str(&scene.kubectl_text(&["get", "role", CONTROLLER, "-o", "json"])).unwrap();
        let mut less = role.clone();
        for rule in less["rules"].as_array_mut().unwrap() {
            if rule["resources"].as_array().unwrap().contains(&json!(resource)) {
                rule["verbs"].as_array_mut().unwrap().retain(|known| known != verb);
            }
        }
        text(&scene.kubectl_with(&["replace", "-f", "-"], &less.to_string()));
        eventually("the right is gone", async || {
            let user = format!("system:serviceaccount:{}:{CONTROLLER}", scene.namespace);
            let output = scene.kubectl_as(&user, &["auth", "can-i", verb, resource]);
            if output.status.success() { Err("still there") } else { Ok(()) }
        })
        .await;
        Self(role)
    }

    pub fn give_back(mut self, scene: &Scene) {
        self.0["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        text(&scene.kubectl_with(&["replace", "-f", "-"], &self.0.to_string()));
    }
}
