//! What processes serve and what objects and Events say is what the reference pages list.

use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use keyward::api::{AccessKey, Account, ConditionType, ResourceGrant, ServiceAccount};
use keyward::domain::audit::catalog::{KINDS, ReasonEntry, Surface};
use kube::api::ListParams;
use xtask::pages::metrics::of_process;

use super::support::{Controller, Scene, Verifier};

const PAGE: &str = include_str!("../../docs/reference/metrics.md");

fn serves_what_is_documented(process: &str, served: &str) {
    let section = of_process(process, served);
    assert!(
        PAGE.contains(section.as_str()),
        "docs/reference/metrics.md does not say:{section}\nServed:\n{served}"
    );
}

fn told(kind: &str) -> &'static [ReasonEntry] {
    let (_, told) = KINDS
        .iter()
        .find(|(known, _)| known.as_str() == kind)
        .unwrap_or_else(|| panic!("an Event on a {kind}"));
    told
}

fn says(kind: &str, conditions: &[Condition]) {
    for condition in conditions {
        let type_ = ConditionType::ALL.iter().copied().find(|known| known.as_str() == condition.type_);
        let place =
            Surface::of(type_.unwrap_or_else(|| panic!("a condition {} on a {kind}", condition.type_)));
        let is =
            |told: &&ReasonEntry| told.reason.as_str() == condition.reason && told.places.contains(&place);
        assert!(
            told(kind).iter().any(|told| is(&told)),
            "{kind}, condition {}: {}",
            condition.type_,
            condition.reason
        );
    }
}

/// Checks all that was served and said in a scene.
pub async fn is_as_documented(scene: &Scene, controller: &Controller, verifier: Option<&Verifier>) {
    serves_what_is_documented("Controller", &controller.metrics());
    if let Some(verifier) = verifier {
        serves_what_is_documented("Verifier", &verifier.metrics());
    }
    for event in scene.api::<Event>().list(&ListParams::default()).await.unwrap() {
        let by = event.reporting_controller.clone().unwrap_or_default();
        if !by.starts_with("iam.keyward.dev/") {
            continue;
        }
        let kind = event.regarding.clone().unwrap_or_default().kind.unwrap_or_default();
        let found = (event.reason.as_deref(), event.action.as_deref(), event.type_.as_deref());
        let is = |told: &&ReasonEntry| {
            let reason = told.reason;
            let wanted = (Some(reason.as_str()), Some(reason.action()), Some(reason.severity().as_str()));
            wanted == found && told.places.contains(&Surface::Event)
        };
        assert!(told(&kind).iter().any(|told| is(&told)), "an Event on a {kind}: {found:?}");
    }
    macro_rules! conditions {
        ($($kind:ident),*) => {$(
            for object in scene.api::<$kind>().list(&ListParams::default()).await.unwrap() {
                says(stringify!($kind), &object.status.unwrap_or_default().conditions);
            }
        )*};
    }
    conditions!(AccessKey, ServiceAccount, Account, ResourceGrant);
}

#[tokio::test]
async fn a_controller_and_a_verifier_serve_the_metrics_and_say_the_reasons_that_are_documented() {
    let (scene, controller) = Scene::with_controller("reference").await;
    let verifier = Verifier::start(&scene, &[]).await;
    serves_what_is_documented("Controller", &controller.metrics());
    serves_what_is_documented("Verifier", &verifier.metrics());
    let token = scene.issued("ci").await;
    verifier.answers(&token, 200).await;
    is_as_documented(&scene, &controller, Some(&verifier)).await;
}
