//! The demo runs to its end on a control plane of its own, with one controller for all namespaces under the
//! chart's `ClusterRole`, and shows what it promises.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod own_cluster;

use keyward_dev::{Gateway, Gateways, Options};
use own_cluster::Cluster;

#[tokio::test]
async fn the_demo_shows_what_it_promises_and_ends_well() {
    let cluster = Cluster::start(Options { token_webhook: true, ..Options::default() }).await;
    let mut command = cluster.command("bash");
    command
        .arg("examples/demo.sh")
        .env("KUBEBUILDER_ASSETS", cluster.plane.assets().dir())
        .env("KEYWARD_DEV_TOKEN_WEBHOOK", cluster.plane.token_webhook().unwrap().to_string())
        .env("HELM", cluster.plane.helm())
        .env("NGINX", Gateways::ensure(&[Gateway::Nginx]).unwrap().path(Gateway::Nginx))
        .env("KEYWARD", env!("CARGO_BIN_EXE_keyward"))
        .env_remove("KEEP");
    let output = command.output().unwrap();
    cluster.plane.stop().await.unwrap();

    // Warnings and refusals are shown too.
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(output.status.success(), "{shown}");
    for promised in [
        "spec.icon: Unsupported value: \"Built\"",
        "did you mean \"Build\"?",
        "ci-bot-expense-claims   ci-bot            Process    expense-claims   Member   Enabled         Integration",
        "may not set or change spec.admins of ServiceAccount.iam.keyward.dev \"ci-bot\"",
        "User \"mallory\" cannot get resource",
        "Service account is now managed by User/alice",
        "is still used: flows and common resources shared with it (1): Dataset \"budget\"",
        "`icon` of a service account may not be changed while it stays inactive",
        "is accepted until",
        "deploy   ci-bot            Inactive   True    Inactive",
        "which no longer held key",
        "short   ci-bot            Expired   False   Expired",
        "key-51: ServiceAccount.iam.keyward.dev \"many\" already has 50 of 50 access keys; delete one to proceed",
        "Service account \"many\" was deleted",
        "keyward:shop:ci-bot",
        "User \"keyward:shop:ci-bot\" cannot list resource \"configmaps\"",
        "  9-18",
        "Welcome, keyward:shop:ci-bot. You ask for /reports.",
        "Welcome, ann@example.org. You ask for /expenses/7.",
        "  401",
        "You must be logged in to the server",
        "\"reason\":\"ActedOnBehalf\"",
        "acted for ann@example.org on Process/expense-claims  (1 times today)",
        "Done.",
    ] {
        assert!(shown.contains(promised), "{promised:?} in:\n{shown}");
    }
    assert!(keyward::domain::value::token::Token::find_in(&shown).is_none(), "no token is shown");
}
