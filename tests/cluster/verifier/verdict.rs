//! Who is let in.

use http::Method;
use keyward::api::{AccessKey, ServiceAccount};
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::support::identity::VERIFIER;
use crate::support::{Proxy, Scene, Verifier, eventually};

const NOBODY: [(&str, &str); 2] = [("authorization", "Bearer x"), ("x-api-key", "x")];

#[tokio::test]
async fn a_good_key_is_let_in_and_says_who_it_is() {
    let (scene, _controller) = Scene::with_controller("let-in").await;
    let token = scene.issued("ci").await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({"impersonation": "Enabled"})).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let answer = verifier.auth("", &token, &[]).await;
    let key: AccessKey = scene.get("ci-key").await;
    let expires = serde_json::to_value(key.status.unwrap().token.unwrap().expires_at).unwrap();
    let actor = format!("keyward:{}:ci", scene.namespace);
    let expected = |subject: &str, resource: &str, role: &str, on_behalf_of: &str| -> Vec<(String, String)> {
        [
            ("x-keyward-subject", subject),
            ("x-keyward-actor", actor.as_str()),
            ("x-keyward-account", scene.namespace.as_str()),
            ("x-keyward-service-account", "ci"),
            ("x-keyward-key-id", token.id()),
            ("x-keyward-resource", resource),
            ("x-keyward-role", role),
            ("x-keyward-on-behalf-of", on_behalf_of),
            ("x-keyward-expires-at", expires.as_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    };
    let identity = |answer: &crate::support::http::Answer| -> Vec<(String, String)> {
        let all = answer.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-keyward-"));
        all.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    };
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(identity(&answer), expected(&actor, "", "", ""));

    let ann = [("x-keyward-on-behalf-of", "ann@example.org")];
    let answer = verifier.auth("/nginx/for/Process/expense-claims/Viewer", &token, &ann).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        identity(&answer),
        expected("ann@example.org", "Process/expense-claims", "Member", "ann@example.org")
    );

    let answer = verifier.ask(Method::GET, "/auth", &[("x-api-key", token.reveal())], "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn who_is_refused_learns_one_thing_and_the_audit_line_tells_why() {
    let (scene, _controller) = Scene::with_controller("refused").await;
    let token = scene.issued("ci").await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({})).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let reveal = token.reveal();
    let checksum = format!("{}{}", &reveal[..64], if reveal.ends_with('0') { '1' } else { '0' });
    let guess = keyward::domain::value::token::Token::from_random(&[7; 64]).unwrap();
    let bearer = |text: &str| vec![("authorization".to_owned(), format!("Bearer {text}"))];
    let with = |text: &str, name: &str, value: &str| {
        let mut headers = bearer(text);
        headers.push((name.to_owned(), value.to_owned()));
        headers
    };
    let basic = vec![("authorization".to_owned(), "Basic YTpi".to_owned())];
    let invalid = r#"Bearer realm="keyward", error="invalid_token""#;
    let scope = r#"Bearer realm="keyward", error="insufficient_scope""#;
    let twice = r#"Bearer realm="keyward", error="invalid_request""#;
    let claims = "/for/Process/expense-claims";
    for (path, headers, status, challenge, cause) in [
        ("", vec![], 401, r#"Bearer realm="keyward""#, "NoCredential"),
        ("", basic, 401, invalid, "OtherScheme"),
        ("", bearer("nonsense"), 401, invalid, "Malformed"),
        ("", bearer(&checksum), 401, invalid, "Checksum"),
        ("", bearer(guess.reveal()), 401, invalid, "UnknownKey"),
        ("", with(reveal, "x-api-key", reveal), 401, twice, "SeveralCredentials"),
        ("/for/Process/salaries", bearer(reveal), 403, scope, "NotGranted"),
        ("/for/Process/expense-claims/Admin", bearer(reveal), 403, scope, "RoleTooLow"),
        (claims, with(reveal, "x-keyward-on-behalf-of", "ann"), 403, scope, "ImpersonationDisabled"),
        ("", with(reveal, "x-keyward-on-behalf-of", "ann"), 403, scope, "ResourceMissing"),
        ("/for/Proces/x", bearer(reveal), 403, scope, "BadResource"),
        (claims, with(reveal, "x-keyward-on-behalf-of", "system:admin"), 403, scope, "BadOnBehalfOf"),
    ] {
        let id = format!("request-{cause}");
        let mut sent: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        sent.push(("x-request-id", &id));
        let answer = verifier.ask(Method::GET, &format!("/auth{path}"), &sent, "").await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, challenge), "{cause}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(
            !answer.body.contains(cause)
                && !answer.headers.keys().any(|name| name.as_str().starts_with("x-keyward-"))
        );
        let line = verifier.audit_line("of that request", |line| line["request_id"] == id).await;
        assert_eq!(line["cause"], cause);
    }
    let metrics = verifier.metrics();
    assert!(metrics.contains(r#"cause="UnknownKey""#), "{metrics}");
}

#[tokio::test]
async fn what_is_switched_off_is_refused_at_once_and_comes_back() {
    let (scene, _controller) = Scene::with_controller("switched").await;
    let token = scene.issued("ci").await;
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&token, 200).await;
    scene.set::<AccessKey>("ci-key", json!({"state": "Inactive"})).await;
    verifier.answers(&token, 401).await;
    scene.set::<AccessKey>("ci-key", json!({"state": "Active"})).await;
    verifier.answers(&token, 200).await;
    scene.set::<ServiceAccount>("ci", json!({"state": "Inactive"})).await;
    verifier.answers(&token, 401).await;
    scene.set::<ServiceAccount>("ci", json!({"state": "Active"})).await;
    verifier.answers(&token, 200).await;
    scene.api::<AccessKey>().delete("ci-key", &DeleteParams::default()).await.unwrap();
    verifier.answers(&token, 401).await;

    let other = scene.issued("other").await;
    verifier.answers(&other, 200).await;
    scene.api::<ServiceAccount>().delete("other", &DeleteParams::default()).await.unwrap();
    verifier.answers(&other, 401).await;
}

#[tokio::test]
async fn a_key_expires_by_the_verifiers_own_clock() {
    let (scene, mut controller) = Scene::with_controller("own-clock").await;
    scene.short_lived().await;
    scene.service_account("ci").await;
    scene.key_with("ci-key", "ci", json!({"validFor": "PT30S"})).await;
    scene.key_when("ci-key", "Issued").await;
    let token = scene.token("ci-key").await;
    controller.kill();
    let verifier = Verifier::start(&scene, &[]).await;
    verifier.answers(&token, 200).await;
    verifier.answers(&token, 401).await;
    verifier.audit_line("with the cause", |line| line["cause"] == "Expired").await;
    let key: AccessKey = scene.get("ci-key").await;
    assert_eq!(serde_json::to_value(key.status.unwrap().state).unwrap(), "Active", "nobody has said so");
}

#[tokio::test]
async fn the_previous_token_is_good_within_its_overlap_only() {
    let (scene, mut controller) = Scene::with_controller("overlap").await;
    scene.service_account("ci").await;
    let rotation = json!({"renewBefore": "P1D", "overlap": "PT20S"});
    scene.key_with("ci-key", "ci", json!({"validFor": "P6M", "rotation": rotation})).await;
    scene.key_when("ci-key", "Issued").await;
    let first = scene.token("ci-key").await;
    let verifier = Verifier::start(&scene, &[]).await;
    scene.set::<AccessKey>("ci-key", json!({"revision": 2})).await;
    scene
        .key_once("ci-key", "has a previous token", |key| {
            key.status.as_ref().unwrap().previous_token.is_some()
        })
        .await;
    let second = scene.token("ci-key").await;
    controller.kill();
    verifier.answers(&second, 200).await;
    verifier.answers(&first, 200).await;
    verifier.answers(&first, 401).await;
    verifier.audit_line("with the cause", |line| line["cause"] == "PreviousTokenRetired").await;
    verifier.answers(&second, 200).await;
}

#[tokio::test]
async fn a_verifier_that_does_not_know_the_cluster_lets_nobody_in() {
    let (scene, _controller) = Scene::with_controller("stale").await;
    let token = scene.issued("ci").await;
    let proxy = Proxy::start().await;
    let arguments = ["--max-staleness-seconds", "3"];
    proxy.cut_off(|path| path.ends_with("/resourcegrants"));
    let verifier = Verifier::launch(&scene, &arguments, Some(&proxy.url), None).await;
    let unknown = verifier.auth("", &token, &[]).await;
    assert_eq!((unknown.status, unknown.header("retry-after")), (503, "1"));
    assert_eq!(unknown.json()["code"], "unavailable");
    verifier.audit_line("with the cause", |line| line["cause"] == "NotSynced").await;
    proxy.cut_off(|_| false);
    verifier.answers(&token, 200).await;
    proxy.cut();
    scene.set::<AccessKey>("ci-key", json!({"state": "Inactive"})).await;
    verifier.answers(&token, 503).await;
    verifier.audit_line("with the cause", |line| line["cause"] == "Stale").await;
    eventually("it is not ready", async || {
        let answer = verifier.get("readyz");
        if answer.as_deref() == Some("ok\n") { Err(answer) } else { Ok(()) }
    })
    .await;
    proxy.cut_off(|_| false);
    verifier.answers(&token, 401).await;
}

#[tokio::test]
async fn the_verifier_may_do_what_the_chart_lists_and_read_no_secret() {
    let scene = Scene::new("verifier-rights").await;
    let verifier = Verifier::start(&scene, &[]).await;
    let user = format!("system:serviceaccount:{}:{VERIFIER}", scene.namespace);
    for (verb, what, may) in [
        ("get", "secrets", "no"),
        ("list", "secrets", "no"),
        ("watch", "secrets", "no"),
        ("patch", "accesskeys.iam.keyward.dev", "no"),
        ("patch", "accesskeys.iam.keyward.dev --subresource=status", "yes"),
        ("list", "accesskeys.iam.keyward.dev", "yes"),
    ] {
        let output = scene.kubectl_as(
            &user,
            &[&["auth", "can-i", verb], &what.split(' ').collect::<Vec<_>>()[..]].concat(),
        );
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), may, "{verb} {what}");
    }
    drop(verifier);
    let mut verifier = Verifier::launch(&scene, &[], None, Some("resourcegrants")).await;
    let exit = verifier.exit().await;
    let log = verifier.log();
    assert!(!exit.success() && log.contains("verifier-rules.yaml"), "{log}");
}

#[tokio::test]
async fn applications_and_the_api_server_get_the_same_verdict() {
    let (scene, _controller) = Scene::with_controller("same").await;
    let token = scene.issued("ci").await;
    scene.grant("claims", "ci", "Process", "expense-claims", json!({"impersonation": "Enabled"})).await;
    let verifier = Verifier::start(&scene, &[]).await;
    let actor = format!("keyward:{}:ci", scene.namespace);

    let question = json!({
        "token": token.reveal(), "onBehalfOf": "ann@example.org", "requestId": "r-1",
        "resource": {"category": "Process", "name": "expense-claims", "role": "Member"},
    });
    let answer = verifier.post("/v1/verify", &question).await;
    assert_eq!(answer.status, 200);
    let mut said = answer.json();
    said.as_object_mut().unwrap().remove("expiresAt");
    let expected = json!({
        "valid": true, "subject": "ann@example.org", "actor": actor, "account": scene.namespace,
        "serviceAccount": "ci", "keyId": token.id(), "resource": "Process/expense-claims", "role": "Member",
        "onBehalfOf": "ann@example.org",
    });
    assert_eq!(said, expected);
    let line = verifier.audit_line("of the request", |line| line["request_id"] == "r-1").await;
    assert_eq!(line["on_behalf_of"], "ann@example.org");

    let review = |version: &str, token: &str| {
        json!({
            "apiVersion": format!("authentication.k8s.io/{version}"), "kind": "TokenReview",
            "spec": {"token": token},
        })
    };
    for version in ["v1", "v1beta1"] {
        let said = verifier.post("/tokenreview", &review(version, token.reveal())).await.json();
        assert_eq!(said["apiVersion"], format!("authentication.k8s.io/{version}"));
        assert_eq!(said["status"]["authenticated"], true);
        let groups =
            json!(["keyward:serviceaccounts", format!("keyward:serviceaccounts:{}", scene.namespace)]);
        assert_eq!(said["status"]["user"]["username"], actor);
        assert_eq!(said["status"]["user"]["groups"], groups);
        let said = verifier.post("/tokenreview", &review(version, "another.kind.of-token")).await.json();
        assert_eq!(said["status"], json!({"authenticated": false, "error": "the access key is not valid"}));
    }

    scene.set::<AccessKey>("ci-key", json!({"state": "Inactive"})).await;
    verifier.answers(&token, 401).await;
    let off = verifier.post("/v1/verify", &question).await;
    let invalid = json!({"valid": false, "code": "invalid_token", "message": "the access key is not valid"});
    assert_eq!((off.status, off.json()), (200, invalid));
    let said = verifier.post("/tokenreview", &review("v1", token.reveal())).await.json();
    assert_eq!(said["status"]["error"], "the access key is not valid");

    let wrong = verifier.post("/v1/verify", &json!({"token": 1})).await;
    assert_eq!((wrong.status, &wrong.json()["detail"]), (400, &Value::from("`token` must be a string")));
    for (path, status) in
        [("/v1/verify", 405), ("/nothing", 404), ("/auth/haproxy", 404), ("/openapi.json", 200)]
    {
        assert_eq!(verifier.ask(Method::GET, path, &NOBODY, "").await.status, status, "{path}");
    }
}
