//! Every write that the chart lets the controller make, refused by the API server, one at a time: status says
//! so and is true meanwhile, and all comes right by itself afterwards.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::support::refusal::{REFUSED, Refusal, Right};
use crate::support::{Controller, Flags, Scene, eventually, text};

const RULES: &str = include_str!("../../../charts/keyward/files/controller-rules.yaml");

/// A kubectl command, with the manifest that it reads.
type Deed = (&'static str, &'static str);

/// One refused write.
struct Row {
    /// As the rule in `controller-rules.yaml` has them.
    resource: &'static str,
    verb: &'static str,
    /// What is there before.
    before: &'static [Deed],
    /// What has the controller write.
    deed: Deed,
    /// What tells of it, where that is possible: the object, the reason, and what was refused.
    told: Option<(&'static str, &'static str, &'static str)>,
    /// What is true meanwhile, as a JSON path of the object and its value.
    meanwhile: (&'static str, &'static str),
    /// What is so once it is let through: the same, of any object; an empty value where it is gone.
    after: (&'static str, &'static str, &'static str),
}

const ACCOUNT: Deed = (
    "create -f -",
    r#"{"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "Account", "metadata": {"name": "account"},
        "spec": {"limits": {"minValidFor": "PT1S"}}}"#,
);
const OWNER: Deed = (
    "create -f -",
    r#"{"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "ServiceAccount", "metadata": {"name": "ci"}, "spec": {}}"#,
);
const KEY: Deed = (
    "create -f -",
    r#"{"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": "deploy"},
        "spec": {"serviceAccountName": "ci", "validFor": "P6M", "revision": 1}}"#,
);
const SHORT_KEY: Deed = (
    "create -f -",
    r#"{"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": "deploy"},
        "spec": {"serviceAccountName": "ci", "validFor": "PT8S", "revision": 1}}"#,
);
const PUBLISHED_KEY: Deed = (
    "create -f -",
    r#"{"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": {"name": "deploy"},
        "spec": {"serviceAccountName": "ci", "validFor": "P6M", "publish": [
          {"name": "copy", "labels": {"konghq.com/credential": "key-auth"}, "data": {"key": "$(token)"}}]}}"#,
);
const ISSUED: Deed = ("wait --for=condition=Ready kwkey/deploy --timeout=120s", "");
const ADMITTED: Deed = ("wait --for=condition=Ready kwsa/ci --timeout=120s", "");
const ROTATE: Deed = (r#"patch kwkey deploy --type=merge -p {"spec":{"revision":2}}"#, "");
const UNPUBLISH: Deed = (r#"patch kwkey deploy --type=merge -p {"spec":{"publish":null}}"#, "");
const DELETE_OWNER: Deed = ("delete kwsa ci --cascade=orphan", "");
const ALICE: Deed =
    (r#"patch kwsa ci --type=merge -p {"spec":{"admins":[{"kind":"User","name":"alice"}]}}"#, "");
const NOBODY: Deed = (r#"patch kwsa ci --type=merge -p {"spec":{"admins":null}}"#, "");
const ALICE_BOUND: Deed = ("wait --for=jsonpath={.status.adminNames}=User/alice kwsa/ci --timeout=120s", "");
const SUPER: Deed = (
    r#"patch accounts.iam.keyward.dev account --type=merge -p {"spec":{"superAdmins":[{"kind":"User","name":"root"}]}}"#,
    "",
);

const READY: &str = "{.status.conditions[?(@.type==\"Ready\")].status}";
const STATE: &str = "{.status.state}";

/// Each workflow in which the controller writes something of that kind in that way.
const ROWS: &[Row] = &[
    Row {
        resource: "secrets",
        verb: "create",
        before: &[OWNER, ADMITTED],
        deed: KEY,
        told: Some(("kwkey/deploy", "SecretRefused", "create Secret")),
        meanwhile: (STATE, "Rejected"),
        after: ("kwkey/deploy", READY, "True"),
    },
    Row {
        resource: "secrets",
        verb: "update",
        before: &[OWNER, KEY, ISSUED],
        deed: ROTATE,
        told: Some(("kwkey/deploy", "SecretRefused", "update Secret")),
        meanwhile: (STATE, "Active"),
        after: ("kwkey/deploy", "{.status.token.revision}", "2"),
    },
    // A key past its time is expired, however its Secret fares.
    Row {
        resource: "secrets",
        verb: "update",
        before: &[ACCOUNT, OWNER, SHORT_KEY, ISSUED],
        deed: ("get kwkey deploy", ""),
        told: Some(("kwkey/deploy", "SecretRefused", "update Secret")),
        meanwhile: (STATE, "Expired"),
        after: ("secret/deploy", "{.data.token}", ""),
    },
    Row {
        resource: "secrets",
        verb: "create",
        before: &[OWNER, ADMITTED],
        deed: PUBLISHED_KEY,
        told: Some(("kwkey/deploy", "SecretRefused", "create Secret")),
        meanwhile: (READY, "False"),
        after: ("kwkey/deploy", READY, "True"),
    },
    Row {
        resource: "secrets",
        verb: "delete",
        before: &[OWNER, PUBLISHED_KEY, ISSUED],
        deed: UNPUBLISH,
        told: Some(("kwkey/deploy", "PublishRefused", "delete Secret")),
        meanwhile: (STATE, "Active"),
        after: ("secret/copy", "{.metadata.name}", ""),
    },
    Row {
        resource: "accesskeys",
        verb: "delete",
        before: &[OWNER, KEY, ISSUED],
        deed: DELETE_OWNER,
        told: Some(("kwkey/deploy", "DeletionRefused", "delete AccessKey")),
        meanwhile: (STATE, "Rejected"),
        after: ("kwkey/deploy", "{.metadata.name}", ""),
    },
    Row {
        resource: "accounts",
        verb: "create",
        before: &[],
        deed: OWNER,
        told: Some(("kwsa/ci", "AccountRefused", "create Account")),
        meanwhile: (STATE, "Rejected"),
        after: ("kwsa/ci", READY, "True"),
    },
    // The seat has to name the new token first.
    Row {
        resource: "serviceaccounts/status",
        verb: "patch",
        before: &[OWNER, KEY, ISSUED],
        deed: ROTATE,
        told: Some(("kwkey/deploy", "SecretRefused", "patch ServiceAccount status")),
        meanwhile: (STATE, "Active"),
        after: ("kwkey/deploy", "{.status.token.revision}", "2"),
    },
    // A status that is refused can tell of nothing.
    Row {
        resource: "accesskeys/status",
        verb: "patch",
        before: &[OWNER, ADMITTED],
        deed: KEY,
        told: None,
        meanwhile: ("{.status.token}", ""),
        after: ("kwkey/deploy", READY, "True"),
    },
    Row {
        resource: "accounts/status",
        verb: "patch",
        before: &[],
        deed: OWNER,
        told: None,
        meanwhile: (STATE, ""),
        after: ("kwsa/ci", READY, "True"),
    },
    Row {
        resource: "resourcegrants/status",
        verb: "patch",
        before: &[OWNER, ADMITTED],
        deed: (
            "create -f -",
            r#"{"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "ResourceGrant", "metadata": {"name": "store"},
                "spec": {"serviceAccountName": "ci", "resource": {"category": "App", "name": "store"}, "role": "Member"}}"#,
        ),
        told: None,
        meanwhile: (STATE, "Active"),
        after: ("kwgrant/store", READY, "True"),
    },
    Row {
        resource: "roles",
        verb: "create",
        before: &[OWNER, ADMITTED],
        deed: ALICE,
        told: Some(("kwsa/ci", "AdminsRefused", "create Role")),
        meanwhile: (STATE, "Active"),
        after: ("kwsa/ci", "{.status.adminNames}", "User/alice"),
    },
    Row {
        resource: "roles",
        verb: "update",
        before: &[OWNER, ADMITTED, ALICE, ALICE_BOUND],
        deed: KEY,
        told: Some(("kwsa/ci", "AdminsRefused", "update Role")),
        meanwhile: (STATE, "Active"),
        after: ("kwsa/ci", READY, "True"),
    },
    Row {
        resource: "roles",
        verb: "delete",
        before: &[OWNER, ADMITTED, ALICE, ALICE_BOUND],
        deed: NOBODY,
        told: Some(("kwsa/ci", "AdminsRefused", "delete Role")),
        meanwhile: ("{.status.adminNames}", ""),
        after: ("kwsa/ci", READY, "True"),
    },
    Row {
        resource: "rolebindings",
        verb: "create",
        before: &[OWNER, ADMITTED],
        deed: SUPER,
        told: Some(("accounts.iam.keyward.dev/account", "AdminsRefused", "create RoleBinding")),
        meanwhile: ("{.status.superAdmins}", ""),
        after: ("accounts.iam.keyward.dev/account", "{.status.superAdmins[0].name}", "root"),
    },
    Row {
        resource: "rolebindings",
        verb: "update",
        before: &[OWNER, ADMITTED, ALICE, ALICE_BOUND],
        deed: (r#"patch kwsa ci --type=merge -p {"spec":{"admins":[{"kind":"User","name":"bob"}]}}"#, ""),
        told: Some(("kwsa/ci", "AdminsRefused", "update RoleBinding")),
        meanwhile: ("{.status.adminNames}", ""),
        after: ("kwsa/ci", "{.status.adminNames}", "User/bob"),
    },
    Row {
        resource: "rolebindings",
        verb: "delete",
        before: &[OWNER, ADMITTED, ALICE, ALICE_BOUND],
        deed: NOBODY,
        told: Some(("kwsa/ci", "AdminsRefused", "delete RoleBinding")),
        meanwhile: (STATE, "Active"),
        after: ("kwsa/ci", READY, "True"),
    },
    Row {
        resource: "resourcequotas",
        verb: "create",
        before: &[],
        deed: OWNER,
        told: Some(("accounts.iam.keyward.dev/account", "QuotaRefused", "create ResourceQuota")),
        meanwhile: (READY, "False"),
        after: ("accounts.iam.keyward.dev/account", READY, "True"),
    },
    Row {
        resource: "resourcequotas",
        verb: "update",
        before: &[OWNER, ("wait --for=create resourcequota/keyward --timeout=240s", "")],
        deed: (
            r#"patch accounts.iam.keyward.dev account --type=merge -p {"spec":{"limits":{"serviceAccounts":7}}}"#,
            "",
        ),
        told: Some(("accounts.iam.keyward.dev/account", "QuotaRefused", "update ResourceQuota")),
        meanwhile: ("{.status.policy.limits.serviceAccounts}", "7"),
        after: ("resourcequota/keyward", "{.spec.hard.count/serviceaccounts\\.iam\\.keyward\\.dev}", "7"),
    },
];

/// Rights that the controller has only to hand them on, or whose refusal no object's status can be about.
const WITHOUT_ROW: &[(&str, &str, &str)] = &[
    ("events", "create", "the audit stream has what an Event would say"),
    ("clusterroles", "bind", "asked where a binding is written, which has a row"),
    ("serviceaccounts", "update", "handed on"),
    ("serviceaccounts", "patch", "handed on"),
    ("serviceaccounts", "manage", "handed on"),
    ("serviceaccounts", "reveal", "handed on"),
    ("accesskeys", "create", "handed on"),
    ("accesskeys", "update", "handed on"),
    ("accesskeys", "patch", "handed on"),
];

#[test]
fn every_write_that_the_chart_allows_the_controller_has_a_row() {
    let rules: Vec<Value> = serde_yaml::from_str(RULES).unwrap();
    let words = |rule: &Value, field: &str| -> Vec<String> {
        rule[field].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let allowed: BTreeSet<(String, String)> = rules
        .iter()
        .flat_map(|rule| {
            let verbs = words(rule, "verbs");
            let pairs = words(rule, "resources").into_iter().flat_map(move |resource| {
                verbs.clone().into_iter().map(move |verb| (resource.clone(), verb))
            });
            pairs.collect::<Vec<_>>()
        })
        .filter(|(_, verb)| !["get", "list", "watch"].contains(&verb.as_str()))
        .collect();
    let rows = ROWS.iter().map(|row| (row.resource, row.verb));
    let known = rows.chain(WITHOUT_ROW.iter().map(|(resource, verb, _)| (*resource, *verb)));
    let known: BTreeSet<(String, String)> =
        known.map(|(resource, verb)| (resource.to_owned(), verb.to_owned())).collect();
    assert_eq!(known, allowed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_write_is_refused_status_says_so_and_is_true_and_comes_right_by_itself() {
    stream::iter(ROWS.iter().enumerate())
        .for_each_concurrent(4, async |(number, row)| {
            let scene = Scene::new(&format!("refused-{number}")).await;
            let _controller = Controller::start(&scene, Flags::default()).await;
            refused(&scene, row).await;
        })
        .await;
}

async fn refused(scene: &Scene, row: &Row) {
    for deed in row.before {
        doing(scene, deed);
    }
    let policy = Refusal::of(scene, row.resource, row.verb).await;
    doing(scene, &row.deed);
    let (path, value) = row.meanwhile;
    if let Some((object, reason, operation)) = row.told {
        let said = told(scene, object, reason, operation).await;
        let expected = format!("The API server refused to {operation}: ");
        assert!(said.starts_with(&expected) && said.contains(REFUSED), "{said}");
        holds(scene, object, path, value).await;
    }
    policy.lift();
    let (object, path, value) = row.after;
    holds(scene, object, path, value).await;
    if let Some((object, reason, operation)) = row.told {
        if !value.is_empty() || object.starts_with("kwsa") {
            holds(scene, object, "{.status.refused}", "").await;
        }
        let events = scene.kubectl_text(&["get", "events.events.k8s.io", "-o", "json"]);
        let events: Value = serde_json::from_str(&events).unwrap();
        let of_it = |event: &&Value| {
            event["reason"] == json!(reason) && event["note"].as_str().unwrap().contains(operation)
        };
        let events: Vec<&Value> = events["items"].as_array().unwrap().iter().filter(of_it).collect();
        assert_eq!(events.len(), 1, "{object}: told once, however often it is tried: {events:#?}");
    }
}

fn doing(scene: &Scene, (command, manifest): &Deed) {
    let arguments: Vec<&str> = command.split(' ').collect();
    text(&scene.kubectl_with(&arguments, manifest));
}

/// What the condition says, once it has that reason and status names that write.
async fn told(scene: &Scene, object: &str, reason: &str, operation: &str) -> String {
    eventually(&format!("{object} tells {reason}"), async || {
        let output = scene.kubectl(&["get", object, "-o", "json"]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let conditions = found["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let said = conditions.iter().find(|said| said["type"] == "WriteRefused" && said["reason"] == reason);
        let recorded = &found["status"]["refused"][0];
        let is_it = recorded["reason"] == reason && recorded["operation"] == operation;
        said.filter(|_| is_it)
            .map(|said| said["message"].as_str().unwrap().to_owned())
            .ok_or(found["status"].clone())
    })
    .await
}

/// Waits until the object has that value there; an empty one also where there is no object.
async fn holds(scene: &Scene, object: &str, path: &str, value: &str) {
    eventually(&format!("{object} has {value:?} at {path}"), async || {
        let template = format!("jsonpath={path}");
        let output = scene.kubectl(&["get", object, "--ignore-not-found", "-o", &template]);
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && found == value { Ok(()) } else { Err((found, output.stderr)) }
    })
    .await;
}

#[tokio::test]
async fn a_right_that_rbac_does_not_give_is_called_a_missing_permission() {
    let (scene, _controller) = Scene::with_controller("refused-rbac").await;
    scene.service_account("ci").await;
    let right = Right::take(&scene, "roles", "create").await;
    doing(&scene, &ALICE);
    let said = told(&scene, "kwsa/ci", "PermissionDenied", "create Role").await;
    assert!(said.contains("cannot create resource \"roles\""), "{said}");
    right.give_back(&scene);
    doing(&scene, &ALICE_BOUND);
}
