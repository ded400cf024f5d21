//! Manifests that are wrong together, or beside what an account allows: the real controller gives the reason
//! that the check predicted.

use chrono::TimeDelta;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use keyward::api::{AccessKey, Account, ResourceGrant, ServiceAccount};
use keyward::domain::value::time::rfc3339;
use keyward::validate::finding::Report;
use keyward::validate::rule::Rule;
use keyward::validate::{Checker, File, Options};

use super::now;
use crate::support::{Scene, eventually, ready_reason, text};

/// A rule, the objects of which it is true of one, and the reason that the controller gives.
type Case = (Rule, &'static [&'static str], &'static str);

/// Documents without the lines that are all alike.
fn manifests(short: &[(&str, &str, &str)]) -> String {
    let one = |(kind, name, spec): &(&str, &str, &str)| {
        format!(
            "---\napiVersion: iam.keyward.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        )
    };
    short.iter().map(one).collect()
}

fn predicted(scene: &Scene, base: Option<&str>, text: &str) -> Report {
    let file = |text: &str| File { name: "manifests.yaml".to_owned(), text: text.to_owned() };
    let options = Options { namespace: scene.namespace.clone(), ..Options::default() };
    let base = base.map(|text| [file(text)]);
    Checker::new().unwrap().check(&[file(text)], base.as_ref().map(<[File; 1]>::as_slice), &options, now())
}

async fn reason(scene: &Scene, object: &str) -> String {
    let (kind, name) = object.split_once(' ').unwrap();
    let of = |conditions: Option<Vec<Condition>>| ready_reason(&conditions.unwrap_or_default()).to_owned();
    match kind {
        "AccessKey" => of(scene.get::<AccessKey>(name).await.status.map(|status| status.conditions)),
        "ServiceAccount" => {
            of(scene.get::<ServiceAccount>(name).await.status.map(|status| status.conditions))
        }
        "ResourceGrant" => of(scene.get::<ResourceGrant>(name).await.status.map(|status| status.conditions)),
        _ => of(scene.get::<Account>(name).await.status.map(|status| status.conditions)),
    }
}

/// The check finds each, and nothing else, and the controller comes to say the same.
async fn hold(scene: &Scene, report: &Report, cases: &[Case]) {
    let mut found: Vec<(Rule, String)> = report
        .findings
        .iter()
        .map(|finding| {
            let object = finding.object.as_ref().unwrap();
            (finding.rule, object.replace(&format!("{}/", scene.namespace), ""))
        })
        .collect();
    for (rule, objects, reason_given) in cases {
        let at = found.iter().position(|(known, object)| known == rule && objects.contains(&object.as_str()));
        found.swap_remove(at.unwrap_or_else(|| panic!("{rule} of {objects:?} in {found:?}")));
        eventually(&format!("{reason_given} of one of {objects:?}"), async || {
            let mut reasons = Vec::new();
            for object in *objects {
                reasons.push(reason(scene, object).await);
            }
            if reasons.iter().any(|reason| reason == reason_given) { Ok(()) } else { Err(reasons) }
        })
        .await;
    }
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn the_controller_gives_the_reason_that_was_predicted() {
    let (scene, _controller) = Scene::with_controller("predicted").await;
    let other = Scene::new("predicted-other").await;
    let near = format!("{{serviceAccountName: ci, expiresAt: {}}}", rfc3339(now() + TimeDelta::days(30)));
    let published = |place: &str| {
        format!("{{serviceAccountName: ci, validFor: P6M, publish: [{{{place}, data: {{k: $(token)}}}}]}}")
    };
    let (copy, elsewhere) =
        (published("name: copy"), published(&format!("name: x, namespace: {}", other.namespace)));
    let short = [
        ("ServiceAccount", "ci", "{}"),
        ("ServiceAccount", "twin-a", "{displayName: Twin}"),
        ("ServiceAccount", "twin-b", "{displayName: tWIN}"),
        ("AccessKey", "short", "{serviceAccountName: ci, validFor: P5M}"),
        ("AccessKey", "long", "{serviceAccountName: ci, validFor: P2Y1D}"),
        ("AccessKey", "past", "{serviceAccountName: ci, expiresAt: 2020-01-01T00:00:00Z}"),
        ("AccessKey", "near", near.as_str()),
        ("AccessKey", "renewal", "{serviceAccountName: ci, validFor: P6M, rotation: {renewBefore: P7M}}"),
        ("AccessKey", "orphan", "{serviceAccountName: nobody, validFor: P6M}"),
        ("AccessKey", "one", "{serviceAccountName: ci, validFor: P6M, secret: {name: shared}}"),
        ("AccessKey", "two", "{serviceAccountName: ci, validFor: P6M, secret: {name: shared}}"),
        ("AccessKey", "foreign", "{serviceAccountName: ci, validFor: P6M, secret: {name: mine}}"),
        ("AccessKey", "copies-a", copy.as_str()),
        ("AccessKey", "copies-b", copy.as_str()),
        ("AccessKey", "elsewhere", elsewhere.as_str()),
        (
            "ResourceGrant",
            "lost",
            "{serviceAccountName: nobody, role: Member, resource: {category: App, name: a}}",
        ),
    ];
    let not_accepting = format!(
        "---\napiVersion: iam.keyward.dev/v1alpha1\nkind: Account\nmetadata: {{name: account, namespace: {}}}\nspec: {{}}\n",
        other.namespace
    );
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: mine}\nstringData: {a: b}\n";
    let all = format!("{secret}{}", manifests(&short));
    text(&scene.kubectl_with(&["apply", "-f", "-"], &all));
    text(&other.kubectl_with(&["apply", "-f", "-"], &not_accepting));
    let cases: &[Case] = &[
        (
            Rule::DuplicateDisplayName,
            &["ServiceAccount twin-a", "ServiceAccount twin-b"],
            "DuplicateDisplayName",
        ),
        (Rule::ExpiryOutOfRange, &["AccessKey short"], "ExpiryOutOfRange"),
        (Rule::ExpiryOutOfRange, &["AccessKey long"], "ExpiryOutOfRange"),
        (Rule::ExpiryOutOfRange, &["AccessKey past"], "ExpiryOutOfRange"),
        (Rule::ExpiryTooNear, &["AccessKey near"], "ExpiryOutOfRange"),
        (Rule::InvalidRotation, &["AccessKey renewal"], "InvalidRotation"),
        (Rule::ServiceAccountNotFound, &["AccessKey orphan"], "ServiceAccountNotFound"),
        (Rule::ServiceAccountNotFound, &["ResourceGrant lost"], "ServiceAccountNotFound"),
        (Rule::SecretConflict, &["AccessKey one", "AccessKey two"], "SecretConflict"),
        (Rule::SecretConflict, &["AccessKey foreign"], "SecretConflict"),
        (Rule::PublishConflict, &["AccessKey copies-a", "AccessKey copies-b"], "PublishConflict"),
        (Rule::PublishNotAccepted, &["AccessKey elsewhere"], "PublishNotAccepted"),
    ];
    hold(&scene, &predicted(&scene, None, &format!("{all}{not_accepting}")), cases).await;
    let unknown = predicted(&scene, None, &all).findings;
    let elsewhere = unknown.iter().find(|finding| finding.field.ends_with("namespace")).unwrap();
    assert_eq!(elsewhere.rule, Rule::AccountNotFound, "it may be in the cluster");
}

#[tokio::test]
async fn one_too_many_is_predicted() {
    let (scene, _controller) = Scene::with_controller("too-many").await;
    let all = manifests(&[
        (
            "Account",
            "account",
            "{limits: {serviceAccounts: 2, accessKeysPerServiceAccount: 1, minValidFor: P1D}}",
        ),
        ("ServiceAccount", "a", "{}"),
        ("ServiceAccount", "b", "{}"),
        ("ServiceAccount", "c", "{}"),
    ]);
    let keys = manifests(&[
        ("AccessKey", "first", "{serviceAccountName: a, validFor: P30D}"),
        ("AccessKey", "second", "{serviceAccountName: a, validFor: P30D}"),
        ("AccessKey", "idle", "{serviceAccountName: a, validFor: P30D, state: Inactive}"),
        ("AccessKey", "never", "{serviceAccountName: a, validFor: PT1H}"),
    ]);
    // One of the service accounts, whose keys are looked at, comes before the others.
    let (account, others) = all.split_at(
        all.rfind("---\napiVersion: iam.keyward.dev/v1alpha1\nkind: ServiceAccount\nmetadata: {name: b}")
            .unwrap(),
    );
    text(&scene.kubectl_with(&["apply", "-f", "-"], account));
    scene.service_account_when("a", "Admitted").await;
    text(&scene.kubectl_with(&["apply", "-f", "-"], &format!("{others}{keys}")));
    let accounts: &[&str] = &["ServiceAccount b", "ServiceAccount c"];
    let cases: &[Case] = &[
        (Rule::ServiceAccountLimitExceeded, accounts, "ServiceAccountLimitExceeded"),
        (Rule::KeyLimitExceeded, &["AccessKey first", "AccessKey second"], "KeyLimitExceeded"),
        (Rule::ExpiryOutOfRange, &["AccessKey never"], "ExpiryOutOfRange"),
    ];
    hold(&scene, &predicted(&scene, None, &format!("{all}{keys}")), cases).await;
}

#[tokio::test]
async fn limits_that_contradict_each_other_and_a_key_of_an_inactive_service_account_are_predicted() {
    let (scene, _controller) = Scene::with_controller("contradict").await;
    let before =
        manifests(&[("ServiceAccount", "idle", "{state: Inactive}"), ("ServiceAccount", "busy", "{}")]);
    let key = manifests(&[("AccessKey", "late", "{serviceAccountName: idle, validFor: P6M}")]);
    // Where the policies are, a key can only be there first.
    text(&scene.kubectl_with(&["apply", "-f", "-"], &key));
    scene.key_when("late", "ServiceAccountNotFound").await;
    text(&scene.kubectl_with(&["apply", "-f", "-"], &before));
    let report = predicted(&scene, Some(&before), &format!("{before}{key}"));
    hold(&scene, &report, &[(Rule::ServiceAccountInactive, &["AccessKey late"], "ServiceAccountInactive")])
        .await;

    let limits = manifests(&[("Account", "account", "{limits: {minValidFor: P1Y, maxValidFor: P6M}}")]);
    let key = manifests(&[("AccessKey", "never", "{serviceAccountName: busy, validFor: P9M}")]);
    text(&scene.kubectl_with(&["apply", "-f", "-"], &format!("{limits}{key}")));
    let report = predicted(&scene, None, &format!("{before}{limits}{key}"));
    hold(&scene, &report, &[(Rule::InvalidLimits, &["Account account"], "InvalidLimits")]).await;
    assert_eq!(
        scene.key_when("never", "InvalidLimits").await.spec.service_account_name,
        "busy",
        "reported once, of the account"
    );
}
