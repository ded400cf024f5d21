//! The demo runs to its end on a control plane of its own, with one controller for all namespaces under the chart's
//! `ClusterRole`, and shows what it promises.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::process::Command;

use keyward_dev::{ControlPlane, Options};

#[tokio::test]
async fn the_demo_shows_what_it_promises_and_ends_well() {
    let plane =
        ControlPlane::start(Options { controller_manager: true, ..Options::default() }).await.unwrap();
    let mut folders: Vec<_> = plane.assets().dirs().iter().map(|folder| folder.to_path_buf()).collect();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    let output = Command::new("bash")
        .arg("examples/demo.sh")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("KUBECONFIG", plane.kubeconfig_path())
        .env("KUBEBUILDER_ASSETS", plane.assets().dir())
        .env("KEYWARD", env!("CARGO_BIN_EXE_keyward"))
        .env_remove("KEEP")
        .output()
        .unwrap();
    plane.stop().await.unwrap();

    // Warnings and refusals are shown too.
    let shown = [output.stdout, output.stderr].concat();
    let shown = String::from_utf8_lossy(&shown);
    assert!(output.status.success(), "{shown}");
    for promised in [
        "ci-bot-expense-claims   ci-bot            Process    expense-claims   Member   Enabled         Integration",
        "may not set or change spec.admins of ServiceAccount.iam.keyward.dev \"ci-bot\"",
        "User \"mallory\" cannot get resource",
        "Service account is now managed by User/alice",
        "is still used: flows and common resources shared with it (1): Dataset \"budget\"",
        "is inactive, so its keys cannot be created or changed",
        "is accepted until",
        "deploy   ci-bot            Inactive   True    Inactive",
        "which no longer held key",
        "short   ci-bot            Expired   False   Expired",
        "key-51: ServiceAccount.iam.keyward.dev \"many\" already has 50 of 50 access keys; delete one to proceed",
        "Service account \"many\" was deleted",
        "Done.",
    ] {
        assert!(shown.contains(promised), "{promised:?} in:\n{shown}");
    }
    assert!(keyward::domain::token::Token::find_in(&shown).is_none(), "no token is shown");
}
