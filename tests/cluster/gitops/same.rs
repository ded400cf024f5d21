//! A second sync of the same manifests finds nothing to do, nothing of what tools track objects by reaches a
//! Secret, and a key that is pruned leaves nothing.

use std::path::{Path, PathBuf};

use keyward::api::AccessKey;
use keyward::api::shared::KeyCounts;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::customizations::{names_in, read};
use super::{Scene, TIMEOUT, eventually, text};

const RESOURCES: &str = "accounts.iam.keyward.dev,kwsa,kwkey,kwgrant";

/// The manifests of a folder in `examples/`.
fn examples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(folder);
    let paths = names_in(&folder).into_iter().map(|name| folder.join(name));
    paths.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect()
}

/// Those that make up one account, the Account first: otherwise the controller may make one first, too.
fn account() -> Vec<PathBuf> {
    let mut files = [examples(""), examples("publish")].concat();
    files.sort_by_key(|file| !file.ends_with("04-account.yaml"));
    files
}

/// Those to try things out with, and what they need.
fn try_out() -> Vec<PathBuf> {
    [examples("try-out"), vec![examples("").into_iter().next().unwrap()]].concat()
}

fn manifests(files: &[PathBuf]) -> String {
    files.iter().map(|file| read(file)).collect::<Vec<_>>().join("\n---\n")
}

/// All objects of the kinds, without what the controller changes.
fn live(scene: &Scene) -> Vec<Value> {
    listed(&scene.kubectl_text(&["get", RESOURCES, "-o", "json"]))
}

/// What kubectl printed: a list, or a single object.
fn listed(printed: &str) -> Vec<Value> {
    let printed: Value = serde_json::from_str(printed).unwrap();
    let mut items = printed["items"].as_array().cloned().unwrap_or_else(|| vec![printed]);
    for item in &mut items {
        item.as_object_mut().unwrap().remove("status");
        item["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    }
    items
}

fn find<'a>(objects: &'a [Value], like: &Value) -> &'a Value {
    let is_it = |object: &&Value| {
        object["kind"] == like["kind"] && object["metadata"]["name"] == like["metadata"]["name"]
    };
    objects.iter().find(is_it).unwrap()
}

/// Waits until each has what its manifest asks for, or has expired as it should.
fn settle(scene: &Scene) {
    for kind in RESOURCES.split(',') {
        scene.kubectl_text(&["wait", "--for=condition=Ready", "--all", TIMEOUT, kind]);
    }
}

/// Waits until the account counts its keys so. It is the last to hear of a change, so a difference between
/// two looks is then nobody's status on its way.
async fn account_counts(scene: &Scene, is_so: impl Fn(&KeyCounts) -> bool) {
    scene
        .account_once("counts its keys", |account| {
            account.status.as_ref().and_then(|status| status.keys.as_ref()).is_some_and(&is_so)
        })
        .await;
}

/// No one but those who apply it has a part in a spec, and it is as it was applied.
fn specs_are_their_owners(scene: &Scene) {
    let printed = scene.kubectl_text(&["get", RESOURCES, "-o", "json", "--show-managed-fields"]);
    for object in listed(&printed) {
        let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
        assert_eq!(object["metadata"]["generation"], 1, "{name}");
        let fields = object["metadata"]["managedFields"].as_array().unwrap();
        let of_status = fields.iter().filter(|entry| entry["subresource"] == "status");
        assert!(of_status.clone().count() > 0, "{name} is observed: {fields:#?}");
        for entry in of_status {
            assert_eq!(entry["fieldsV1"]["f:spec"], Value::Null, "{name}: {entry}");
        }
        for entry in fields.iter().filter(|entry| entry["subresource"] != "status") {
            let manager = entry["manager"].as_str().unwrap();
            assert!(!manager.contains("keyward"), "{name}: {entry}");
        }
    }
}

#[tokio::test]
async fn what_kubectl_applied_it_can_apply_again_and_nothing_changes() {
    let (scene, _controller) = Scene::with_controller("twice").await;
    let manifests = manifests(&account());
    text(&scene.kubectl_with(&["apply", "-f", "-"], &manifests));
    settle(&scene);
    account_counts(&scene, |keys| keys.active == 7).await;
    let before = live(&scene);
    let again = text(&scene.kubectl_with(&["apply", "-f", "-"], &manifests));
    assert!(again.lines().all(|line| line.ends_with(" unchanged")), "{again}");
    no_difference(&scene, &[], &manifests);
    assert_eq!(live(&scene), before);
    specs_are_their_owners(&scene);
}

#[tokio::test]
async fn a_server_side_apply_can_be_repeated_too_also_of_keys_that_expire_at_once() {
    let (scene, _controller) = Scene::with_controller("twice-by-server").await;
    let manifests = manifests(&try_out());
    text(&scene.kubectl_with(&["apply", "--server-side", "-f", "-"], &manifests));
    scene.key_when("short", "Expired").await;
    account_counts(&scene, |keys| keys.expired == 1).await;
    let before = live(&scene);
    text(&scene.kubectl_with(&["apply", "--server-side", "-f", "-"], &manifests));
    no_difference(&scene, &["--server-side"], &manifests);
    assert_eq!(live(&scene), before);
    specs_are_their_owners(&scene);
}

fn no_difference(scene: &Scene, arguments: &[&str], manifests: &str) {
    let diff = scene.kubectl_with(&[&["diff", "-f", "-"], arguments].concat(), manifests);
    assert!(diff.status.success() && diff.stdout.is_empty(), "{}", String::from_utf8_lossy(&diff.stdout));
}

/// A tool that applies manifests on the server side, with what it marks them with, and how it deletes.
struct Tool {
    manager: &'static str,
    labels: &'static [(&'static str, &'static str)],
    annotations: &'static [(&'static str, &'static str)],
    cascade: &'static str,
}

const ARGO_CD: Tool = Tool {
    manager: "argocd-controller",
    labels: &[("app.kubernetes.io/instance", "shop")],
    annotations: &[
        ("argocd.argoproj.io/tracking-id", "shop:iam.keyward.dev/AccessKey:team-a/deploy"),
        ("argocd.argoproj.io/sync-wave", "1"),
    ],
    cascade: "foreground",
};

const FLUX: Tool = Tool {
    manager: "kustomize-controller",
    labels: &[
        ("kustomize.toolkit.fluxcd.io/name", "shop"),
        ("kustomize.toolkit.fluxcd.io/namespace", "flux-system"),
    ],
    annotations: &[("kustomize.toolkit.fluxcd.io/ssa", "Merge")],
    cascade: "background",
};

impl Tool {
    fn marked(&self, manifests: &str) -> Vec<Value> {
        let mut objects: Vec<Value> = serde_yaml::from_multiple(manifests).unwrap();
        for object in &mut objects {
            object["metadata"]["labels"] = self.labels.iter().copied().collect();
            object["metadata"]["annotations"] = self.annotations.iter().copied().collect();
        }
        objects
    }

    /// What is applied is what the API server then has.
    fn apply(&self, scene: &Scene, objects: &[Value], more: &[&str]) -> Vec<Value> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
        let command = ["apply", "--server-side", "--force-conflicts", "-o", "json", "-f", "-"];
        let manager = ["--field-manager", self.manager];
        listed(&text(&scene.kubectl_with(&[&command[..], &manager, more].concat(), &list)))
    }

    /// Compares what the objects would be after another sync, as the API server foretells it, with what they
    /// are.
    fn finds_no_difference(&self, scene: &Scene, objects: &[Value]) {
        let live = live(scene);
        for foretold in self.apply(scene, objects, &["--dry-run=server"]) {
            assert_eq!(&foretold, find(&live, &foretold));
        }
    }

    async fn syncs_twice_and_prunes(&self) {
        let (scene, _controller) = Scene::with_controller(self.manager).await;
        let objects = self.marked(&manifests(&account()));
        self.apply(&scene, &objects, &[]);
        settle(&scene);
        self.finds_no_difference(&scene, &objects);
        self.apply(&scene, &objects, &[]);
        self.finds_no_difference(&scene, &objects);
        specs_are_their_owners(&scene);

        let keys = scene.keys().await;
        let secrets = self.untracked(&scene).await;
        let published: usize = keys.iter().map(|key| key.status.as_ref().unwrap().published.len()).sum();
        assert_eq!((keys.len(), published, secrets), (7, 5, 12));
        self.prune(&scene, &keys).await;
    }

    /// How many Secrets there are; none of them carries a mark.
    async fn untracked(&self, scene: &Scene) -> usize {
        let secrets = scene.secrets().await;
        for secret in &secrets {
            let marks = self.labels.iter().chain(self.annotations).map(|(name, _)| *name);
            for mark in marks {
                assert!(!secret.labels().contains_key(mark), "{}: {mark}", secret.name_any());
                assert!(!secret.annotations().contains_key(mark), "{}: {mark}", secret.name_any());
            }
        }
        secrets.len()
    }

    async fn prune(&self, scene: &Scene, keys: &[AccessKey]) {
        scene.kubectl_text(&["delete", "kwkey", "--all", &format!("--cascade={}", self.cascade)]);
        eventually("all Secrets are gone", async || {
            let left = scene.secrets().await;
            if left.is_empty() {
                Ok(())
            } else {
                Err(left.iter().map(ResourceExt::name_any).collect::<Vec<_>>())
            }
        })
        .await;
        for key in keys {
            // The garbage collector may take the Secret first.
            let reasons = scene.event_reasons(key).await;
            assert!(!reasons.contains(&"Reissued".to_owned()), "{}: {reasons:?}", key.name_any());
        }
    }
}

#[tokio::test]
async fn a_second_sync_by_argo_cd_finds_no_difference_and_pruning_leaves_no_secret() {
    ARGO_CD.syncs_twice_and_prunes().await;
}

#[tokio::test]
async fn a_second_sync_by_flux_finds_no_difference_and_pruning_leaves_no_secret() {
    FLUX.syncs_twice_and_prunes().await;
}

#[tokio::test]
async fn what_git_leaves_open_may_be_changed_by_hand_and_a_sync_leaves_it() {
    let (scene, _controller) = Scene::with_controller("by-hand").await;
    scene.service_account("ci").await;
    let key = |more: Value| {
        let mut spec = json!({"serviceAccountName": "ci", "validFor": "P6M"});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let metadata = json!({"name": "deploy"});
        json!({"apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey", "metadata": metadata, "spec": spec})
    };
    let open = [key(json!({}))];
    ARGO_CD.apply(&scene, &open, &[]);
    scene.key_when("deploy", "Issued").await;
    scene.set::<AccessKey>("deploy", json!({"revision": 2, "state": "Inactive"})).await;
    ARGO_CD.finds_no_difference(&scene, &open);
    ARGO_CD.apply(&scene, &open, &[]);
    assert_eq!(scene.get::<AccessKey>("deploy").await.spec.revision, Some(2));

    // What it says is another matter: the state is put back, and so is the revision, which does nothing.
    let list = key(json!({"state": "Active"})).to_string();
    let diff = ["diff", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-"];
    let diff = scene.kubectl_with(&diff, &list);
    assert_eq!(diff.status.code(), Some(1), "{}", String::from_utf8_lossy(&diff.stderr));
    text(&scene.kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &list));
    let behind = key(json!({"state": "Active", "revision": 1})).to_string();
    text(&scene.kubectl_with(&["apply", "--server-side", "--force-conflicts", "-f", "-"], &behind));
    assert_eq!(scene.get::<AccessKey>("deploy").await.spec.revision, Some(1));
}

#[tokio::test]
async fn an_account_that_the_controller_made_can_be_taken_over() {
    for apply in [&["apply", "-f", "-"][..], &["apply", "--server-side", "-f", "-"]] {
        let (scene, _controller) = Scene::with_controller("taken-over").await;
        scene.service_account("ci").await;
        scene.service_account_when("ci", "Admitted").await;
        text(&scene.kubectl_with(apply, &manifests(&account()[..1])));
        scene
            .account_once("has its limits", |account| {
                let ready = account.status.as_ref().and_then(|status| status.conditions.first());
                ready.is_some_and(|ready| {
                    ready.message.starts_with("Limits in force: 10 service accounts, 10 access keys")
                })
            })
            .await;
    }
}
