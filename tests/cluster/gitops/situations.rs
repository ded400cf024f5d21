//! Brings every kind into every state that it can be in.

use futures::future::join_all;
use futures::join;
use keyward::api::{AccessKey, Account, Reason, ResourceGrant, ServiceAccount};
use serde_json::json;

use super::recorded::{Seen, see};
use super::{Controller, Flags, Proxy, Scene, Verifier, text};
use crate::support::refusal::{Refusal, Right};

const ONE_OF_EACH: &str = r"
{apiVersion: iam.keyward.dev/v1alpha1, kind: Account, metadata: {name: account},
 spec: {limits: {accessKeysPerServiceAccount: 10}}}
---
{apiVersion: iam.keyward.dev/v1alpha1, kind: ServiceAccount, metadata: {name: ci},
 spec: {displayName: CI bot, icon: Build, description: Builds and deploys the shop.}}
---
{apiVersion: iam.keyward.dev/v1alpha1, kind: AccessKey, metadata: {name: deploy},
 spec: {serviceAccountName: ci, validFor: P6M}}
---
{apiVersion: iam.keyward.dev/v1alpha1, kind: ResourceGrant, metadata: {name: ci-expense-claims},
 spec: {serviceAccountName: ci, resource: {category: Process, name: expense-claims}, role: Member}}
";

/// Their names, with their kinds.
const NAMES: [(&str, &str); 4] = [
    ("Account", "account"),
    ("ServiceAccount", "ci"),
    ("AccessKey", "deploy"),
    ("ResourceGrant", "ci-expense-claims"),
];

/// All states of all kinds.
pub async fn all() -> Vec<Seen> {
    let all = join!(
        Box::pin(without_a_controller()),
        Box::pin(changed_behind_its_back()),
        Box::pin(keys()),
        Box::pin(service_accounts()),
        Box::pin(full()),
        Box::pin(contradictory_limits()),
        Box::pin(unused()),
        Box::pin(on_their_way()),
        Box::pin(refused_secrets()),
        Box::pin(refused_objects()),
    );
    <[Vec<Seen>; 10]>::from(all).into_iter().flatten().collect()
}

fn create(scene: &Scene, manifests: &str) {
    text(&scene.kubectl_with(&["create", "-f", "-"], manifests));
}

fn foreign_secret(scene: &Scene, name: &str) {
    scene.kubectl_text(&["create", "secret", "generic", name, "--from-literal=password=x"]);
}

async fn see_all(scene: &Scene, objects: &[(&str, &str, &str)]) -> Vec<Seen> {
    join_all(objects.iter().map(|(kind, name, state)| see(scene, kind, name, state))).await
}

async fn without_a_controller() -> Vec<Seen> {
    let scene = Scene::new("fresh").await;
    create(&scene, ONE_OF_EACH);
    see_all(&scene, &NAMES.map(|(kind, name)| (kind, name, "progressing_notObserved"))).await
}

/// All is well, then nobody looks for a while, then somebody does again.
async fn changed_behind_its_back() -> Vec<Seen> {
    let (scene, mut controller) = Scene::with_controller("behind").await;
    create(&scene, ONE_OF_EACH);
    scene.key("registry", "ci").await;
    for key in ["deploy", "registry"] {
        scene.key_when(key, "Issued").await;
    }
    let well = see_all(
        &scene,
        &[
            ("Account", "account", "healthy_accepted"),
            ("ServiceAccount", "ci", "healthy_admitted"),
            ("AccessKey", "deploy", "healthy_issued"),
            ("ResourceGrant", "ci-expense-claims", "healthy_granted"),
        ],
    )
    .await;
    controller.kill();
    scene.set::<Account>("account", json!({"limits": {"serviceAccounts": 12}})).await;
    scene.set::<ServiceAccount>("ci", json!({"icon": "Rocket"})).await;
    scene.set::<AccessKey>("deploy", json!({"revision": 2})).await;
    scene.set::<ResourceGrant>("ci-expense-claims", json!({"role": "Viewer"})).await;
    let changed = see_all(&scene, &NAMES.map(|(kind, name)| (kind, name, "progressing_specChanged"))).await;
    scene.kubectl_text(&["delete", "secret", "registry"]);
    foreign_secret(&scene, "registry");
    let _controller = Controller::start(&scene, Flags::default()).await;
    scene.key_when("registry", "SecretConflict").await;
    let replaced = see(&scene, "AccessKey", "registry", "degraded_secretReplaced").await;
    well.into_iter().chain(changed).chain([replaced]).collect()
}

async fn keys() -> Vec<Seen> {
    let (scene, _controller) = Scene::with_controller("keys").await;
    scene.short_lived().await;
    foreign_secret(&scene, "theirs");
    for name in ["ci", "paused"] {
        scene.service_account(name).await;
    }
    let copy = |more: serde_json::Value| {
        let mut copy = json!({"data": {"key": "$(token)"}});
        copy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"validFor": "P6M", "publish": [copy]})
    };
    let rotation = |before: &str| json!({"renewBefore": before, "overlap": "P7D"});
    for (name, service_account, spec) in [
        ("waiting", "late", json!({"validFor": "P6M"})),
        ("rotated", "ci", json!({"validFor": "P6M", "rotation": rotation("P14D")})),
        // A notice is due a day ahead.
        ("expiring", "ci", json!({"validFor": "P1DT2S"})),
        ("off", "ci", json!({"validFor": "P6M"})),
        ("off-from-the-start", "ci", json!({"validFor": "P6M", "state": "Inactive"})),
        ("of-paused", "paused", json!({"validFor": "P6M"})),
        ("in-conflict", "ci", json!({"validFor": "P6M", "secret": {"name": "theirs"}})),
        ("short", "ci", json!({"validFor": "PT1S"})),
        ("too-long", "ci", json!({"validFor": "P3Y"})),
        ("not-renewed", "ci", json!({"validFor": "P6M"})),
        ("renewed-at-once", "ci", json!({"validFor": "P6M", "rotation": rotation("P7M")})),
        ("published", "ci", copy(json!({"name": "theirs"}))),
        ("published-elsewhere", "ci", copy(json!({"name": "copy", "namespace": "default"}))),
    ] {
        scene.key_with(name, service_account, spec).await;
    }
    for name in ["rotated", "off", "of-paused", "not-renewed"] {
        scene.key_when(name, "Issued").await;
    }
    scene.set::<AccessKey>("rotated", json!({"revision": 2})).await;
    scene.set::<AccessKey>("off", json!({"state": "Inactive"})).await;
    scene.set::<ServiceAccount>("paused", json!({"state": "Inactive"})).await;
    scene.set::<AccessKey>("not-renewed", json!({"validFor": "P3Y", "revision": 2})).await;
    for (name, reason) in [
        ("waiting", "ServiceAccountNotFound"),
        ("off", "Inactive"),
        ("off-from-the-start", "Inactive"),
        ("of-paused", "ServiceAccountInactive"),
        ("in-conflict", "SecretConflict"),
        ("short", "Expired"),
        ("too-long", "ExpiryOutOfRange"),
        ("not-renewed", "ExpiryOutOfRange"),
        ("renewed-at-once", "InvalidRotation"),
        ("published", "PublishConflict"),
        ("published-elsewhere", "PublishNotAccepted"),
    ] {
        scene.key_when(name, reason).await;
    }
    let is_rotated = |key: &AccessKey| key.status.as_ref().unwrap().previous_token.is_some();
    scene.key_once("rotated", "is rotated", is_rotated).await;
    let is_expiring = |key: &AccessKey| key.status.as_ref().unwrap().expiry_notice.is_some();
    scene.key_once("expiring", "is said to expire", is_expiring).await;
    let seen = see_all(
        &scene,
        &[
            ("AccessKey", "waiting", "progressing_serviceAccountNotFound"),
            ("AccessKey", "rotated", "healthy_rotatedWithOverlap"),
            ("AccessKey", "expiring", "healthy_expiring"),
            ("AccessKey", "off", "healthy_inactive"),
            ("AccessKey", "off-from-the-start", "healthy_inactiveFromTheStart"),
            ("AccessKey", "of-paused", "healthy_serviceAccountInactive"),
            ("AccessKey", "in-conflict", "degraded_secretConflict"),
            ("AccessKey", "short", "degraded_expired"),
            ("AccessKey", "too-long", "degraded_expiryOutOfRange"),
            ("AccessKey", "not-renewed", "degraded_renewalRefused"),
            ("AccessKey", "renewed-at-once", "degraded_invalidRotation"),
            ("AccessKey", "published", "degraded_publishConflict"),
            ("AccessKey", "published-elsewhere", "degraded_publishNotAccepted"),
            ("ServiceAccount", "paused", "healthy_inactive"),
        ],
    )
    .await;
    create(
        &scene,
        "{apiVersion: iam.keyward.dev/v1alpha1, kind: ServiceAccount, metadata: {name: late}, spec: {state: Inactive}}",
    );
    scene.key_when("waiting", "ServiceAccountInactive").await;
    let waiting = see(&scene, "AccessKey", "waiting", "healthy_notIssuedServiceAccountInactive").await;
    seen.into_iter().chain([waiting]).collect()
}

async fn service_accounts() -> Vec<Seen> {
    let (scene, _controller) = Scene::with_controller("names").await;
    for (name, spec) in [
        ("ci", "{displayName: CI bot}"),
        ("renamed", "{displayName: Build bot}"),
        ("twin", "{displayName: ci bot}"),
    ] {
        let object = format!("metadata: {{name: {name}}}, spec: {spec}");
        create(&scene, &format!("{{apiVersion: iam.keyward.dev/v1alpha1, kind: ServiceAccount, {object}}}"));
        let reason = if name == "twin" { "DuplicateDisplayName" } else { "Admitted" };
        scene.service_account_when(name, reason).await;
    }
    scene.set::<ServiceAccount>("renamed", json!({"displayName": "CI bot"})).await;
    scene.service_account_when("renamed", "DuplicateDisplayName").await;
    scene.grant("nobodys", "nobody", "Process", "expense-claims", json!({})).await;
    see_all(
        &scene,
        &[
            ("ServiceAccount", "twin", "degraded_duplicateDisplayName"),
            ("ServiceAccount", "renamed", "degraded_renamedToDuplicate"),
            ("ResourceGrant", "nobodys", "progressing_serviceAccountNotFound"),
        ],
    )
    .await
}

async fn full() -> Vec<Seen> {
    let (scene, _controller) = Scene::with_controller("full").await;
    scene.limits(json!({"serviceAccounts": 1, "accessKeysPerServiceAccount": 1})).await;
    scene.service_account("ci").await;
    scene.key("first", "ci").await;
    scene.key_when("first", "Issued").await;
    scene.service_account("second").await;
    scene.key("one-too-many", "ci").await;
    scene.key("of-second", "second").await;
    scene.service_account_when("second", "ServiceAccountLimitExceeded").await;
    scene.key_when("one-too-many", "KeyLimitExceeded").await;
    scene.key_when("of-second", "ServiceAccountRejected").await;
    see_all(
        &scene,
        &[
            ("ServiceAccount", "second", "degraded_serviceAccountLimitExceeded"),
            ("AccessKey", "one-too-many", "degraded_keyLimitExceeded"),
            ("AccessKey", "of-second", "degraded_serviceAccountRejected"),
        ],
    )
    .await
}

async fn contradictory_limits() -> Vec<Seen> {
    let (scene, _controller) = Scene::with_controller("limits").await;
    scene.limits(json!({"minValidFor": "P2Y", "maxValidFor": "P1Y"})).await;
    scene.service_account("ci").await;
    scene.key("deploy", "ci").await;
    scene.key_when("deploy", "InvalidLimits").await;
    see_all(
        &scene,
        &[
            ("Account", "account", "degraded_invalidLimits"),
            ("AccessKey", "deploy", "degraded_invalidLimits"),
        ],
    )
    .await
}

async fn unused() -> Vec<Seen> {
    let (scene, _controller) = Scene::with_controller("idle").await;
    scene.issued("ci").await;
    let _verifier = Verifier::start(&scene, &[]).await;
    scene.set::<Account>("account", json!({"unusedAccessKeys": {"warnAfter": "PT1S"}})).await;
    let warned = |key: &AccessKey| key.status.as_ref().unwrap().unused_warned_at.is_some();
    scene.key_once("ci-key", "is warned about", warned).await;
    let warned = see(&scene, "AccessKey", "ci-key", "healthy_unusedWarning").await;
    scene.set::<Account>("account", json!({"unusedAccessKeys": {"deactivateAfter": "PT2S"}})).await;
    scene.key_when("ci-key", "Unused").await;
    vec![warned, see(&scene, "AccessKey", "ci-key", "healthy_unused").await]
}

/// States that are over in a moment, unless the API server is not to be reached for what comes next.
async fn on_their_way() -> Vec<Seen> {
    let proxy = Proxy::start().await;
    proxy.cut_off(|path| path.ends_with("/secrets/gateway") || path.ends_with("/accesskeys/leaving-key"));
    let scene = Scene::new("held").await;
    let flags = Flags { through: Some(proxy.url.clone()), ..Flags::default() };
    let _controller = Controller::start(&scene, flags).await;
    scene.issued("leaving").await;
    scene.service_account("ci").await;
    let publish = json!([{"name": "gateway", "data": {"key": "$(token)"}}]);
    scene.key_with("deploy", "ci", json!({"validFor": "P6M", "publish": publish})).await;
    scene.key_when("deploy", "Publishing").await;
    scene.kubectl_text(&["delete", "kwsa", "leaving"]);
    scene.key_when("leaving-key", "ServiceAccountDeleted").await;
    see_all(
        &scene,
        &[
            ("AccessKey", "deploy", "progressing_publishing"),
            ("AccessKey", "leaving-key", "progressing_serviceAccountDeleted"),
        ],
    )
    .await
}

/// The API server refuses what the controller writes for keys.
async fn refused_secrets() -> Vec<Seen> {
    let (scene, _controller) = Scene::with_controller("no-secrets").await;
    scene.service_account("ci").await;
    let publish = json!([{"name": "gateway", "data": {"key": "$(token)"}}]);
    scene.key_with("published", "ci", json!({"validFor": "P6M", "publish": publish})).await;
    scene.key_when("published", "Issued").await;
    let _deleted = Refusal::of(&scene, "secrets", "delete").await;
    scene.set::<AccessKey>("published", json!({"publish": null})).await;
    scene.key_when("published", "PublishRefused").await;
    let _created = Refusal::of(&scene, "secrets", "create").await;
    scene.key("deploy", "ci").await;
    scene.key_when("deploy", "SecretRefused").await;
    see_all(
        &scene,
        &[
            ("AccessKey", "published", "degraded_publishRefused"),
            ("AccessKey", "deploy", "degraded_secretRefused"),
        ],
    )
    .await
}

/// The API server refuses what the controller writes for service accounts and accounts.
async fn refused_objects() -> Vec<Seen> {
    let (scene, _controller) = Scene::with_controller("no-objects").await;
    let _quota = Refusal::of(&scene, "resourcequotas", "create").await;
    let accounts = Refusal::of(&scene, "accounts", "create").await;
    scene.service_account("first").await;
    scene.service_account_when("first", "AccountRefused").await;
    let without_account = see(&scene, "ServiceAccount", "first", "degraded_accountRefused").await;
    accounts.lift();
    scene.service_account_when("first", "Admitted").await;
    let admins = json!({"admins": [{"kind": "User", "name": "alice"}]});
    let roles = Refusal::of(&scene, "roles", "create").await;
    scene.set::<ServiceAccount>("first", admins).await;
    scene.service_account_when("first", "AdminsRefused").await;
    let without_admins = see(&scene, "ServiceAccount", "first", "degraded_adminsRefused").await;
    roles.lift();
    let _right = Right::take(&scene, "roles", "create").await;
    scene.service_account_when("first", "PermissionDenied").await;
    let denied = see(&scene, "ServiceAccount", "first", "degraded_permissionDenied").await;
    scene
        .account_once("has no quota", |account| {
            account.status.as_ref().and_then(|status| status.reason) == Some(Reason::QuotaRefused)
        })
        .await;
    let without_quota = see(&scene, "Account", "account", "degraded_quotaRefused").await;
    vec![without_account, without_admins, denied, without_quota]
}
