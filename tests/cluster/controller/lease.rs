//! The leader lease: one works at a time, the next takes over, and one that cannot renew stops by itself.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;

use crate::support::{Controller, Flags, Proxy, Scene, eventually};

fn flags(lease_seconds: u32, through: Option<&Proxy>) -> Flags {
    Flags {
        lease: Some(("leader", lease_seconds)),
        through: through.map(|proxy| proxy.url.clone()),
        ..Flags::default()
    }
}

fn leads(controller: &Controller) -> bool {
    controller.metrics().lines().any(|line| line == "keyward_leader 1")
}

async fn holder(scene: &Scene) -> Option<String> {
    scene.api::<Lease>().get_opt("leader").await.unwrap()?.spec?.holder_identity
}

async fn leader_is(controller: &Controller) {
    eventually(&format!("{} leads", controller.name), async || {
        leads(controller).then_some(()).ok_or("not yet")
    })
    .await;
}

#[tokio::test]
async fn one_leads_and_the_other_takes_over_when_it_stops_or_dies() {
    let scene = Scene::new("leads").await;
    let mut one = Controller::start(&scene, flags(6, None)).await;
    leader_is(&one).await;
    let mut two = Controller::start(&scene, flags(6, None)).await;
    scene.service_account("ci").await;
    scene.key("first", "ci").await;
    scene.key_when("first", "Issued").await;
    assert!(!leads(&two), "the second stands by");
    assert!(two.audit_lines().is_empty(), "and does nothing");

    assert!(one.terminate().success(), "SIGTERM is a clean end");
    leader_is(&two).await;
    scene.key("second", "ci").await;
    scene.key_when("second", "Issued").await;

    let three = Controller::start(&scene, flags(6, None)).await;
    two.kill();
    leader_is(&three).await;
    assert_eq!(holder(&scene).await.as_deref(), Some(three.name.as_str()));
    scene.key("third", "ci").await;
    scene.key_when("third", "Issued").await;
}

#[tokio::test]
async fn a_leader_that_is_cut_off_stops_before_its_lease_runs_out() {
    let scene = Scene::new("cut-off").await;
    let proxy = Proxy::start().await;
    // So long that a busy machine, too, sees the end of the process before that of the lease.
    let lease_seconds = 30;
    let mut controller = Controller::start(&scene, flags(lease_seconds, Some(&proxy))).await;
    leader_is(&controller).await;
    proxy.cut();
    let cut = Instant::now();
    assert!(!controller.exit().await.success());
    let lasts = Duration::from_secs(lease_seconds.into());
    assert!(cut.elapsed() < lasts, "the lease lasts {lasts:?} from its last renewal");
    assert!(
        controller.log().contains("the leader lease was lost: it was not renewed in time"),
        "{}",
        controller.log()
    );
    assert_eq!(holder(&scene).await.as_deref(), Some(controller.name.as_str()), "it could not give it back");
}
