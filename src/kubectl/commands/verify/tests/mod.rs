//! What is said of a token, and on what grounds.

use serde_json::{Value, json};

use super::*;
use crate::api::ResourceGrant;
use crate::domain::value::token::Token;
use crate::domain::verdict::Cause;
use crate::kubectl::commands::verify::by_cluster::{TokenObjects, decide};
use crate::kubectl::output::table::plain;
use crate::kubectl::samples::{from_json, issued, key, now, service_account};

fn token() -> Token {
    let bytes: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(31)).collect();
    Token::from_random(&bytes).unwrap()
}

/// The token that is presented, with the id of a key that holds another hash where it is a guess.
fn found(state: &str, sha256: &str) -> TokenObjects {
    let mut status = issued(state, token().id(), "2027-05-23T12:00:00Z");
    status["token"]["sha256"] = json!(sha256);
    let grant: ResourceGrant = from_json(json!({
        "apiVersion": "iam.keyward.dev/v1alpha1", "kind": "ResourceGrant", "metadata": {"name": "g"},
        "spec": {
            "serviceAccountName": "ci-bot", "role": "Member",
            "resource": {"category": "Process", "name": "claims"}, "impersonation": "Enabled",
        },
    }));
    let bot = service_account("ci-bot", json!({}), json!({"state": "Active"}));
    TokenObjects {
        namespace: "shop".into(),
        key: key("deploy", json!({}), status),
        service_account: Some(bot),
        grants: vec![grant],
    }
}

fn asking(resource: Option<&str>, role: Option<&str>, on_behalf_of: Option<&str>) -> VerifyArgs {
    VerifyArgs {
        given: Vec::new(),
        resource: resource.map(str::to_owned),
        role: role.map(str::to_owned),
        on_behalf_of: on_behalf_of.map(str::to_owned),
        all_namespaces: false,
        url: None,
        certificate_authority: None,
        output: None,
    }
}

fn shown(objects: &TokenObjects, args: &VerifyArgs) -> String {
    let token = token();
    let presented = Presented::read(token.reveal()).ok().unwrap();
    let verdict = decide(&presented, objects, &requirements(args).ok().unwrap(), now().timestamp());
    plain(&verdict.text(now()))
}

#[test]
fn a_good_token_says_whose_it_is_and_what_it_reaches() {
    let good = format!(
        "Good\n\
     Account:         shop\n\
     Service account: ci-bot\n\
     Access key:      deploy\n\
     Key id:          {}\n\
     Expires:         2027-05-23T12:00:00Z (in 181d)\n",
        token().id()
    );
    let found = found("Active", &token().sha256());
    assert_eq!(shown(&found, &asking(None, None, None)), good);
    assert_eq!(
        shown(&found, &asking(Some("Process/claims"), Some("Viewer"), Some("ann"))),
        format!("{good}Resource:        Process/claims\nRole there:      Member\nOn behalf of:    ann\n")
    );
}

#[test]
fn a_token_that_is_not_good_says_why() {
    let hash = token().sha256();
    for (found, args, begins) in [
        (
            found("Inactive", &hash),
            asking(None, None, None),
            "Refused (KeyInactive): The key is switched off, or its",
        ),
        (
            found("Active", &hash),
            asking(Some("Process/claims"), Some("Admin"), None),
            "Refused (RoleTooLow): The service account's grant on the resource gives a lower role.\nAccount: ",
        ),
        (
            found("Active", &hash),
            asking(Some("Board/x"), None, None),
            "Refused (NotGranted): The service account has no grant on the resource.\nAccount: ",
        ),
        (
            TokenObjects { service_account: None, ..found("Active", &hash) },
            asking(None, None, None),
            "Refused (ServiceAccountGone): The service account was deleted.\nAccount: ",
        ),
    ] {
        let said = shown(&found, &args);
        assert!(said.starts_with(begins), "{said}");
    }
}

#[test]
fn who_only_guesses_learns_nothing_of_the_key() {
    let said = shown(&found("Active", &"0".repeat(64)), &asking(None, None, None));
    assert_eq!(
        said,
        format!(
            "Refused (WrongSecret): A key has a token of that id, and this is not it.\nKey id:          {}\n",
            token().id()
        )
    );
}

#[test]
fn a_token_is_also_taken_as_it_is_pasted() {
    for text in ["kw_x", " kw_x\n", "Bearer kw_x\n", "bearer  kw_x"] {
        assert_eq!(bare(text), "kw_x");
    }
    assert_eq!((bare(""), bare("Bearer")), ("", "Bearer"));
}

#[test]
fn what_cannot_be_requested_is_refused_with_what_is_allowed() {
    for (args, words) in [
        (
            asking(Some("Procces/x"), None, None),
            "the resource's category must be one of Process, Dataset, Board, App, Collaboration; it is 'Procces'",
        ),
        (asking(Some("Process"), None, None), "the resource's name must be 1 to 128 letters"),
        (
            asking(Some("Process/x"), Some("Boss"), None),
            "the role must be one of Viewer, Member, Editor, Admin; it is 'Boss'",
        ),
        (
            asking(None, None, Some("system:admin")),
            "the person acted for must not begin with keyward: or system:",
        ),
    ] {
        let message = requirements(&args).unwrap_err().message;
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn for_programs_there_is_nothing_that_is_not_so() {
    let refused: Value = serde_json::to_value(Verification::refused(Cause::Checksum)).unwrap();
    assert_eq!(
        refused,
        json!({"valid": false, "cause": "Checksum", "message": "The token's checksum is wrong: a typo, or a guess."})
    );
}
