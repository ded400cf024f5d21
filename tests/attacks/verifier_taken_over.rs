//! Whoever has the core service account of a verifier: what the chart lets it do in all namespaces, under the
//! chart's policies. Another verifier and the controller are still in good hands.

use std::fmt::Debug;

use http::{HeaderName, HeaderValue};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret, ServiceAccount as CoreServiceAccount};
use k8s_openapi::api::rbac::v1::RoleBinding;
use keyward::api::access_key::TokenStatus;
use keyward::api::{AccessKey, AccessKeyStatus, Account, ResourceGrant, ServiceAccount};
use keyward::domain::access_key::record::Record;
use keyward::domain::value::seal::{SEED_BYTES, SigningKey};
use keyward::domain::value::time::rfc3339;
use keyward::domain::value::token::Token;
use keyward::runtime::clock::Clock;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Config, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::creator_of_secrets::{at_work, forged};
use crate::support::identity::VERIFIER;
use crate::support::policies::helm_template;
use crate::support::{Controller, Flags, Scene, eventually, from_json, text};

/// A client with the rights of the scene's verifier, which are those in the scene's namespace.
async fn taken(scene: &Scene) -> Client {
    let user = format!("system:serviceaccount:{}:{VERIFIER}", scene.namespace);
    let mut config = Config::infer().await.unwrap();
    let name = HeaderName::from_static("impersonate-user");
    config.headers.push((name, HeaderValue::from_str(&user).unwrap()));
    Client::try_from(config).unwrap()
}

/// As [`taken`], with the rights that the chart gives where it watches all namespaces.
async fn taken_everywhere(scene: &Scene) -> Client {
    let values = format!(
        "fullnameOverride={},verifier.serviceAccount.create=false,verifier.serviceAccount.name={VERIFIER}",
        scene.namespace,
    );
    let rights = helm_template(&[
        "--namespace",
        &scene.namespace,
        "--set",
        &values,
        "--show-only",
        "templates/verifier-rbac.yaml",
    ]);
    text(&scene.kubectl_with(&["apply", "--server-side", "-f", "-"], &rights));
    let client = taken(scene).await;
    eventually("it has its rights", async || {
        Api::<AccessKey>::all(client.clone()).list(&ListParams::default().limit(1)).await.map(drop)
    })
    .await;
    client
}

fn refused<T>(answer: kube::Result<T>, words: &str) {
    match answer.map(drop) {
        Err(kube::Error::Api(status)) => {
            let said = &status.message;
            assert!(status.code == 403 && said.contains(words), "{words}: {} {said}", status.code);
        }
        other => panic!("{words}: {other:?}"),
    }
}

fn merge(patch: Value) -> Patch<Value> {
    Patch::Merge(patch)
}

async fn write_status<K>(client: &Client, namespace: &str, name: &str, status: &Value) -> kube::Result<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + DeserializeOwned,
{
    let objects: Api<K> = Api::namespaced(client.clone(), namespace);
    objects.patch_status(name, &PatchParams::default(), &merge(json!({"status": status}))).await
}

/// What says which tokens of a key are good.
fn verdict(key: &AccessKey) -> impl PartialEq + Debug + use<> {
    let status = key.status.clone().unwrap();
    (Record::of_status(&status), status.seal, status.state)
}

/// The record of the key as it would be with another token, sealed with a key of the attacker's own, which
/// says that it is the one with that id.
fn sealed(key: &AccessKey, token: &Token, signed_by: Option<&str>) -> Value {
    let status = key.status.clone().unwrap();
    let planted =
        TokenStatus { id: token.id().into(), sha256: token.sha256(), ..status.token.clone().unwrap() };
    let serial = status.serial.map(|serial| serial + 1);
    let status = AccessKeyStatus { token: Some(planted), next_token: None, serial, ..status };
    let own = SigningKey::from_seed(&[9; SEED_BYTES]).unwrap();
    let mut seal = Record::of_status(&status).unwrap().seal(&key.uid().unwrap(), &own);
    if let Some(signed_by) = signed_by {
        signed_by.clone_into(&mut seal.signed_by);
    }
    json!({"token": status.token, "serial": serial, "seal": seal})
}

#[tokio::test]
async fn it_writes_nothing_that_says_which_token_is_good_in_any_namespace() {
    let (scene, _controller, verifier) = at_work("taken").await;
    let (elsewhere, _their_controller) = Scene::with_controller("not-taken").await;
    let client = taken_everywhere(&scene).await;
    let good = scene.issued("ci").await;
    elsewhere.issued("ci").await;
    let planted = forged("111111111111");
    for scene in [&scene, &elsewhere] {
        let before: AccessKey = scene.get("ci-key").await;
        let own = sealed(&before, &planted, None);
        let previous = json!({"previousToken": {
            "id": planted.id(), "sha256": planted.sha256(), "revision": 1, "validUntil": "2099-01-01T00:00:00Z",
            "issuedAt": "2026-01-01T00:00:00Z", "expiresAt": "2099-01-01T00:00:00Z",
        }});
        for status in [
            json!({"token": own["token"]}),
            json!({"nextToken": own["token"]}),
            previous,
            own.clone(),
            json!({"seal": own["seal"]}),
            json!({"serial": 99_999_999_999_i64}),
            json!({"serviceAccountUID": "another"}),
            json!({"state": "Inactive"}),
        ] {
            let answer = write_status::<AccessKey>(&client, &scene.namespace, "ci-key", &status).await;
            refused(answer, "may not change status.");
            // Under the controller's own name for its fields, too.
            let body = json!({
                "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "AccessKey",
                "metadata": {"name": "ci-key"}, "status": status,
            });
            let keys: Api<AccessKey> = Api::namespaced(client.clone(), &scene.namespace);
            let params = PatchParams::apply("keyward-controller").force();
            refused(
                keys.patch_status("ci-key", &params, &Patch::Apply(body)).await,
                "may not change status.",
            );
        }
        let none = json!({"token": null, "seal": null});
        let answer = write_status::<AccessKey>(&client, &scene.namespace, "ci-key", &none).await;
        refused(answer, "may not change status.");
        for status in [json!({"seats": []}), json!({"state": "Inactive"}), json!({"displayName": "x"})] {
            let answer = write_status::<ServiceAccount>(&client, &scene.namespace, "ci", &status).await;
            refused(answer, "may not change status.");
        }
        for status in [json!({"seats": []}), json!({"superAdmins": [{"kind": "User", "name": "eve"}]})] {
            let answer = write_status::<Account>(&client, &scene.namespace, "account", &status).await;
            refused(answer, "may not change status.");
        }
        let grants = write_status::<ResourceGrant>(&client, &scene.namespace, "any", &json!({})).await;
        refused(grants, "cannot patch resource \"resourcegrants/status\"");
        assert_eq!(verdict(&before), verdict(&scene.get("ci-key").await));
    }
    verifier.answers(&planted, 401).await;
    verifier.answers(&good, 200).await;
}

/// Without the policies it could write what it likes: an administrator does so here.
#[tokio::test]
async fn what_it_seals_with_a_key_of_its_own_is_good_at_no_other_verifier() {
    let (scene, controller, verifier) = at_work("own-seal").await;
    let (good, other) = (scene.issued("ci").await, scene.issued("other").await);
    verifier.answers(&good, 200).await;
    drop(controller);
    let key: AccessKey = scene.get("ci-key").await;
    let status = key.status.as_ref().unwrap();
    let before = json!({"token": status.token, "serial": status.serial, "seal": status.seal});
    let planted = forged("222222222222");
    let known = status.seal.as_ref().unwrap().signed_by.as_str();
    let write = async |status: &Value| {
        write_status::<AccessKey>(&scene.client, &scene.namespace, "ci-key", status).await.unwrap();
    };
    for signed_by in [None, Some(known)] {
        write(&sealed(&key, &planted, signed_by)).await;
        // The verifier has read it: what stood there before is good no more.
        verifier.answers(&good, 401).await;
        verifier.answers(&planted, 401).await;
        verifier.answers(&other, 200).await;
        write(&before).await;
        verifier.answers(&good, 200).await;
    }
    write(&sealed(&key, &planted, None)).await;
    let _controller = Controller::start(&scene, Flags::default()).await;
    verifier.answers(&good, 200).await;
    verifier.answers(&planted, 401).await;
}

#[tokio::test]
async fn it_replaces_no_public_sealing_key() {
    let (scene, _controller, verifier) = at_work("sealing-keys").await;
    let client = taken_everywhere(&scene).await;
    let good = scene.issued("ci").await;
    let maps: Api<ConfigMap> = Api::namespaced(client, &scene.namespace);
    let before = maps.get("keyward-sealing").await.unwrap();
    let own = SigningKey::from_seed(&[9; SEED_BYTES]).unwrap().public();
    let data = json!({"data": {"public-keys.json": json!([own]).to_string()}});
    refused(
        maps.patch("keyward-sealing", &PatchParams::default(), &merge(data.clone())).await,
        "cannot patch",
    );
    let replaced: ConfigMap = from_json(json!({"metadata": before.metadata, "data": data["data"]}));
    refused(
        maps.replace("keyward-sealing", &PostParams::default(), &replaced).await,
        "cannot update resource",
    );
    refused(maps.delete("keyward-sealing", &DeleteParams::default()).await, "cannot delete resource");
    let another: ConfigMap = from_json(json!({"metadata": {"name": "another"}}));
    refused(maps.create(&PostParams::default(), &another).await, "cannot create resource");
    assert_eq!(maps.get("keyward-sealing").await.unwrap().data, before.data);
    verifier.answers(&good, 200).await;
}

#[tokio::test]
async fn it_reads_no_secret_writes_none_and_becomes_nobody_who_may() {
    let (scene, _controller, _verifier) = at_work("no-secrets").await;
    let client = taken_everywhere(&scene).await;
    scene.issued("ci").await;
    let (params, new) = (PostParams::default(), json!({"metadata": {"name": "planted"}}));
    for namespace in [scene.namespace.as_str(), "kube-system"] {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
        for name in ["ci-key", "keyward-sealing"] {
            refused(secrets.get(name).await, "cannot get resource \"secrets\"");
            refused(secrets.get_metadata(name).await, "cannot get resource \"secrets\"");
            let change = merge(json!({"stringData": {"token": "x"}}));
            refused(secrets.patch(name, &PatchParams::default(), &change).await, "cannot patch resource");
            refused(secrets.delete(name, &DeleteParams::default()).await, "cannot delete resource");
        }
        refused(secrets.list(&ListParams::default()).await, "cannot list resource \"secrets\"");
        refused(secrets.create(&params, &from_json(new.clone())).await, "cannot create resource");
        let all = secrets.delete_collection(&DeleteParams::default(), &ListParams::default()).await;
        refused(all, "cannot deletecollection resource");

        let accounts: Api<CoreServiceAccount> = Api::namespaced(client.clone(), namespace);
        let token =
            accounts.create_token_request("keyward-controller", &params, &TokenRequest::default()).await;
        refused(token, "cannot create resource \"serviceaccounts/token\"");
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        refused(pods.create(&params, &from_json(new.clone())).await, "cannot create resource \"pods\"");
        let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
        let binding = json!({
            "metadata": {"name": "planted"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
        });
        let created = bindings.create(&params, &from_json(binding)).await;
        refused(created, "cannot create resource \"rolebindings\"");
    }
}

#[tokio::test]
async fn it_takes_no_lease_from_the_leader() {
    let scene = Scene::new("taken-lease").await;
    let flags = Flags { lease: Some(("leader", 15)), ..Flags::default() };
    let _controller = Controller::start(&scene, flags).await;
    let _verifier = crate::support::Verifier::start(&scene, &[]).await;
    let client = taken_everywhere(&scene).await;
    let holder = async || scene.get::<Lease>("leader").await.spec.unwrap().holder_identity;
    let before = eventually("a controller leads", async || holder().await.ok_or("nobody")).await;
    let leases: Api<Lease> = Api::namespaced(client, &scene.namespace);
    refused(leases.get("leader").await, "cannot get resource \"leases\"");
    let spec = merge(json!({"spec": {"holderIdentity": "eve", "leaseDurationSeconds": 86400}}));
    refused(leases.patch("leader", &PatchParams::default(), &spec).await, "cannot patch resource \"leases\"");
    refused(leases.delete("leader", &DeleteParams::default()).await, "cannot delete resource \"leases\"");
    let another = from_json(json!({"metadata": {"name": "another"}}));
    refused(leases.create(&PostParams::default(), &another).await, "cannot create resource \"leases\"");
    assert_eq!(holder().await.as_ref(), Some(&before));
    scene.issued("ci").await;
}

/// Tries everything that can be done with an object beside its status.
async fn leaves_alone<K>(scene: &Scene, client: &Client, name: &str, spec: Value)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Serialize
        + DeserializeOwned,
{
    let objects: Api<K> = Api::namespaced(client.clone(), &scene.namespace);
    let change = merge(json!({"spec": spec}));
    refused(objects.patch(name, &PatchParams::default(), &change).await, "cannot patch resource");
    let object: K = scene.get(name).await;
    refused(objects.replace(name, &PostParams::default(), &object).await, "cannot update resource");
    refused(objects.delete(name, &DeleteParams::default()).await, "cannot delete resource");
    let all = objects.delete_collection(&DeleteParams::default(), &ListParams::default()).await;
    refused(all, "cannot deletecollection resource");
    let mut another = object;
    another.meta_mut().name = Some("another".into());
    another.meta_mut().resource_version = None;
    refused(objects.create(&PostParams::default(), &another).await, "cannot create resource");
}

#[tokio::test]
async fn it_switches_nothing_and_deletes_nothing_also_not_by_way_of_a_status() {
    let (scene, _controller, _verifier) = at_work("not-its-own").await;
    let client = taken_everywhere(&scene).await;
    scene.issued("ci").await;
    scene.grant("mail", "ci", "App", "mail", json!({})).await;
    leaves_alone::<AccessKey>(&scene, &client, "ci-key", json!({"state": "Inactive"})).await;
    leaves_alone::<ServiceAccount>(&scene, &client, "ci", json!({"state": "Inactive"})).await;
    leaves_alone::<Account>(&scene, &client, "account", json!({"limits": {}})).await;
    leaves_alone::<ResourceGrant>(&scene, &client, "mail", json!({"role": "Admin"})).await;

    let before: AccessKey = scene.get("ci-key").await;
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "gone"});
    let more = merge(json!({
        "metadata": {
            "labels": {"a": "b"}, "annotations": {"iam.keyward.dev/changed-by": "alice"},
            "finalizers": ["example.org/stay"], "ownerReferences": [owner],
        },
        "spec": {"state": "Inactive"},
        "status": {"lastUsedAt": rfc3339(Clock::System.now())},
    }));
    let keys: Api<AccessKey> = Api::namespaced(client, &scene.namespace);
    let after = keys.patch_status("ci-key", &PatchParams::default(), &more).await.unwrap();
    assert!(after.status.unwrap().last_used_at.is_some(), "that much is its work");
    let metadata = |key: kube::core::ObjectMeta| {
        (key.labels, key.annotations, key.finalizers, key.owner_references, key.generation)
    };
    assert_eq!((after.spec, metadata(after.metadata)), (before.spec, metadata(before.metadata)));
}

#[tokio::test]
async fn one_that_the_chart_binds_to_a_namespace_writes_nothing_in_another() {
    let (scene, _controller, _verifier) = at_work("bound").await;
    let (elsewhere, _their_controller) = Scene::with_controller("unbound").await;
    let client = taken(&scene).await;
    let used = json!({"lastUsedAt": rfc3339(Clock::System.now())});
    for there in [&scene, &elsewhere] {
        there.issued("ci").await;
    }
    write_status::<AccessKey>(&client, &scene.namespace, "ci-key", &used).await.unwrap();
    let namespace = &elsewhere.namespace;
    let words = "cannot patch resource";
    refused(write_status::<AccessKey>(&client, namespace, "ci-key", &used).await, words);
    refused(write_status::<ServiceAccount>(&client, namespace, "ci", &json!({"auditLog": []})).await, words);
    refused(write_status::<Account>(&client, namespace, "account", &json!({})).await, words);
    let keys: Api<AccessKey> = Api::namespaced(client, namespace);
    refused(keys.list(&ListParams::default()).await, "cannot list resource");
}

#[tokio::test]
async fn the_use_and_the_entries_that_it_makes_up_let_nobody_in_and_keep_nobody_out() {
    let (scene, _controller, verifier) = at_work("made-up").await;
    let client = taken_everywhere(&scene).await;
    let (good, off) = (scene.issued("ci").await, scene.issued("off").await);
    scene.set::<AccessKey>("off-key", json!({"state": "Inactive"})).await;
    verifier.answers(&off, 401).await;
    for key in ["ci-key", "off-key"] {
        let used = json!({"lastUsedAt": rfc3339(Clock::System.now())});
        write_status::<AccessKey>(&client, &scene.namespace, key, &used).await.unwrap();
    }
    // By how many entries the log is longer then. The controller may write it meanwhile.
    let put = async |reason: &str| {
        let before: ServiceAccount = scene.get("off").await;
        let log = before.status.unwrap().audit_log;
        let entry = json!({
            "id": "made-up", "time": rfc3339(Clock::System.now()), "actor": "alice", "action": "Activate", "reason": reason,
            "object": "AccessKey/off-key", "message": "Switched on", "count": 1,
        });
        let known = log.iter().map(|entry| serde_json::to_value(entry).unwrap());
        let longer: Vec<Value> = [entry].into_iter().chain(known).collect();
        let status = json!({"auditLog": longer});
        let written = write_status::<ServiceAccount>(&client, &scene.namespace, "off", &status).await?;
        Ok(written.status.unwrap().audit_log.len() - log.len())
    };
    refused(put("Activated").await, "may not rewrite status.auditLog");
    let more = eventually("the log is longer", async || put("ActedOnBehalf").await).await;
    assert_eq!(more, 1);
    // The controller and the verifier have heard of it, and of a key that came later.
    verifier.answers(&scene.issued("later").await, 200).await;
    verifier.answers(&off, 401).await;
    verifier.answers(&good, 200).await;
    scene.key_when("off-key", "Inactive").await;
}

#[tokio::test]
async fn it_hides_no_use_that_another_has_recorded_and_makes_no_object_unreadable() {
    let (scene, _controller, verifier) = at_work("hides-use").await;
    let client = taken_everywhere(&scene).await;
    let good = scene.issued("ci").await;
    verifier.answers(&good, 200).await;
    let used = scene
        .key_once("ci-key", "was used", |key| key.status.as_ref().is_some_and(|s| s.last_used_at.is_some()))
        .await;
    let used = used.status.unwrap().last_used_at;
    let since = scene
        .account_once("records use", |account| {
            account.status.as_ref().is_some_and(|status| status.usage_recorded_since.is_some())
        })
        .await;
    let since = since.status.unwrap().usage_recorded_since;
    // The schema's form of a time lets the last one pass; no program reads it.
    for time in [json!("2020-01-01T00:00:00Z"), Value::Null, json!("2099-01-01T00:00:00+99:99")] {
        let answer =
            write_status::<AccessKey>(&client, &scene.namespace, "ci-key", &json!({"lastUsedAt": time}))
                .await;
        refused(answer, "may not set status.lastUsedAt of AccessKey.iam.keyward.dev \"ci-key\"");
        let begin = json!({"usageRecordedSince": time});
        let answer = write_status::<Account>(&client, &scene.namespace, "account", &begin).await;
        refused(answer, "may not change status.usageRecordedSince of Account.iam.keyward.dev \"account\"");
    }
    let answer = write_status::<Account>(
        &client,
        &scene.namespace,
        "account",
        &json!({"usageRecordedSince": "2099-01-01T00:00:00Z"}),
    )
    .await;
    refused(answer, "which is set once");
    let key: AccessKey = scene.get("ci-key").await;
    assert!(key.status.unwrap().last_used_at >= used);
    let account: Account = scene.get("account").await;
    assert_eq!(account.status.unwrap().usage_recorded_since, since);
    verifier.answers(&good, 200).await;
}

#[tokio::test]
async fn it_lengthens_a_log_and_neither_shortens_nor_rewrites_it() {
    let (scene, _controller, _verifier) = at_work("logs").await;
    let client = taken_everywhere(&scene).await;
    scene.issued("ci").await;
    let before = scene
        .service_account_once("ci", "has entries", |object| {
            object.status.as_ref().is_some_and(|status| status.audit_log.len() > 1)
        })
        .await;
    let log = before.status.unwrap().audit_log;
    let mut rewritten = log.clone();
    rewritten[0].actor = "alice".into();
    for log in [json!([]), json!(log[1..]), json!(log[..1]), json!(rewritten)] {
        let status = json!({"auditLog": log});
        let answer = write_status::<ServiceAccount>(&client, &scene.namespace, "ci", &status).await;
        refused(answer, "auditLog");
    }
    let after: ServiceAccount = scene.get("ci").await;
    assert!(after.status.unwrap().audit_log.ends_with(&log));
}
