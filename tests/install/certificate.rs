//! The certificate that the controller makes for the verifier.

use std::io::Write as _;
use std::process::Stdio;

use crate::install::release::{Release, logged, ready};
use crate::own_cluster::{Cluster, eventually};

const SERVER: &str = "keyward-verifier.keyward-system.svc";

/// The verifier starts first, waits, and goes on by itself.
pub async fn comes_while_the_verifier_waits(cluster: &Cluster, release: &mut Release<'_>) {
    let verifier = release.start("verifier");
    let log = || std::fs::read_to_string(&verifier).unwrap();
    eventually("it listens", async || logged(&verifier, "listening").map(drop).ok_or_else(log)).await;
    assert!(log().contains("waiting for the certificate"), "{}", log());
    assert_eq!(ready(&verifier), None, "it can answer nobody yet");
    let controller = release.start("controller");
    let log = || std::fs::read_to_string(&controller).unwrap();
    eventually("the controller is ready", async || ready(&controller).ok_or_else(log)).await;
    release.mount_certificate().await;
    let log = || std::fs::read_to_string(&verifier).unwrap();
    eventually("the verifier is ready", async || ready(&verifier).ok_or_else(log)).await;
    release.answers_at(logged(&verifier, "listening").unwrap());
    let types = ["-n", "keyward-system", "get", "secrets", "-o", "jsonpath={.items[*].type}"];
    assert!(cluster.kubectl(&types).contains("kubernetes.io/tls"));
}

/// A client that knows the published authority, and the Service's name.
pub async fn is_accepted_by_clients(cluster: &Cluster, release: &Release<'_>) {
    let authority = ["-n", "keyward-system", "get", "configmap", "keyward-verifier-ca"];
    let authority = cluster.kubectl(&[&authority[..], &["-o", "jsonpath={.data.ca\\.crt}"]].concat());
    let file = cluster.plane.dir().join("verifier-ca.crt");
    std::fs::write(&file, authority).unwrap();
    let token = ["-n", "shop", "get", "secret", "deploy", "-o", "go-template={{.data.token | base64decode}}"];
    let token = cluster.kubectl(&token);
    let port = release.address().rsplit(':').next().unwrap();
    let ask = |server: &str| {
        let mut command = cluster.command("curl");
        command.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "@-", "--cacert"]).arg(&file);
        command.args(["--resolve", &format!("{server}:{port}:127.0.0.1")]);
        command.arg(format!("https://{server}:{port}/auth"));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("Authorization: Bearer {token}").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    eventually("the key is let in", async || match ask(SERVER) {
        (status, _) if status == "200" => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let (_, said) = ask("another.keyward-system.svc");
    assert!(said.contains("certificate"), "it is for no other name: {said}");
}

/// Whoever deletes it has another one made, by the same authority.
pub async fn is_renewed_when_it_is_lost(cluster: &Cluster) {
    let authority =
        ["-n", "keyward-system", "get", "configmap", "keyward-verifier-ca", "-o", "jsonpath={.data}"];
    let before = cluster.kubectl(&authority);
    let secret = ["-n", "keyward-system", "delete", "secret", "keyward-verifier-self-signed"];
    cluster.kubectl(&secret);
    let found =
        ["-n", "keyward-system", "get", "secret", "keyward-verifier-self-signed", "-o", "jsonpath={.type}"];
    cluster.until(&found, "kubernetes.io/tls").await;
    assert_eq!(cluster.kubectl(&authority), before);
}
