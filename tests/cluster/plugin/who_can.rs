//! Who may do what with a service account.

use serde_json::{Value, json};

use super::super::support::{Scene, eventually};
use super::{administered, done, keyward, keyward_as, said};

#[tokio::test]
async fn everyone_who_may_manage_it_or_read_its_tokens_is_shown_with_what_gives_it() {
    let (scene, _controller) = Scene::with_controller("plugin-who").await;
    administered(&scene).await;
    let spec = json!({"superAdmins": [{"kind": "User", "name": "sue"}], "iamAdmins": [{"kind": "Group", "name": "iam"}]});
    scene.set::<keyward::api::Account>("account", spec).await;
    let operator = "serviceaccounts.iam.keyward.dev";
    scene.kubectl_text(&[
        "create",
        "role",
        "ops",
        "--verb=manage",
        &format!("--resource={operator}"),
        "--resource-name=ci",
    ]);
    scene.kubectl_text(&["create", "rolebinding", "ops", "--role=ops", "--serviceaccount=argocd:controller"]);
    let readers = format!("--clusterrole={}", scene.namespace);
    scene.kubectl_text(&["create", "clusterrole", &scene.namespace, "--verb=list", "--resource=secrets"]);
    scene.kubectl_text(&["create", "rolebinding", "readers", &readers, "--group=readers"]);
    let rows = [
        "Group/iam yes no no IAM admin RoleBinding/keyward:iam-admins",
        "Group/readers no no all - RoleBinding/readers",
        "ServiceAccount/argocd/controller yes no no - RoleBinding/ops",
        "User/alice yes yes all admin RoleBinding/keyward:ci:admin",
        "User/sue yes no no super admin RoleBinding/keyward:super-admins",
    ];
    eventually("all of them are shown", async || {
        let shown = done(&keyward(&scene, &["who-can", "ci"]));
        let lines: Vec<String> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let missing: Vec<_> = rows.iter().filter(|row| !lines.iter().any(|line| line == *row)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?} in {shown}")) }
    })
    .await;
    let (shown, err) = said(&keyward(&scene, &["who-can", "ci"]));
    assert!(
        !shown.contains("system:masters") && err.contains("are left out; -o wide shows them."),
        "{shown}{err}"
    );
    assert!(done(&keyward(&scene, &["who-can", "ci", "-o", "wide"])).contains("Group/system:masters"));
    let document: Value =
        serde_json::from_str(&done(&keyward(&scene, &["who-can", "ci", "-o", "json"]))).unwrap();
    assert_eq!((&document["secrets"], &document["notSeen"]), (&json!(["deploy"]), &json!([])));
}

#[tokio::test]
async fn who_may_not_see_rbac_learns_what_is_missing_and_what_they_may_do_themselves() {
    let (scene, _controller) = Scene::with_controller("plugin-who-self").await;
    administered(&scene).await;
    let output = keyward_as(&scene, "alice", &["who-can", "ci"]);
    let row = done(&output).lines().last().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(row, "User/alice yes yes all admin -");
    let (_, err) = said(&output);
    assert_eq!(
        err,
        "Someone may be missing, since you may not see: the Account; roles; rolebindings; clusterroles; \
         clusterrolebindings.\nYou yourself (alice): manage yes, reveal yes, read tokens: all\n"
    );
}
