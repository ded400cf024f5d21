//! Someone who holds one good key, and does with it whatever a key may do.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;

use crate::attack::{Attack, Going, read_answers};
use crate::support::eventually;
use crate::target::Target;

/// How many requests are sent before the answers are read.
const PIPELINED: usize = 200;

/// Requests without end, each for another user and resource.
fn act(address: &str, token: &str, thread: usize, going: &Going) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let mut number = 0;
    while going.on() {
        let mut requests = String::new();
        for _ in 0..PIPELINED {
            number += 1;
            write!(
                requests,
                "GET /auth HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
                 x-keyward-resource: Process/{:z<120}\r\nx-keyward-on-behalf-of: {:q<200}\r\n\r\n",
                format!("r{thread}x{number}"),
                format!("p{thread}x{number}"),
            )
            .unwrap();
        }
        stream.write_all(requests.as_bytes()).unwrap();
        assert!(read_answers(&mut stream, PIPELINED, &mut buffer), "the holder of a good key is answered");
        going.did(u64::try_from(PIPELINED).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_for_ever_new_users_and_resources_hurts_nobody() {
    let mut target = Target::start("acts").await;
    let (address, token) = (target.address.clone(), target.scene.issued("actor").await);
    target.verifier.answers(&token, 200).await;
    let attack = Attack::start(4, move |thread, going| act(&address, token.reveal(), thread, going));
    target.withstands("acts for ever new users and resources", attack).await;
    let metrics = target.verifier.metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix("keyward_verifier_unlisted_acts_total "));
    assert!(line.unwrap().parse::<u64>().unwrap() > 0, "{metrics}");
    // The log has as many as it has room for, and says how many more there were.
    let object = target
        .scene
        .service_account_once("actor", "has the acts by number", |object| {
            let log = object.status.as_ref().map(|status| status.audit_log.as_slice()).unwrap_or_default();
            log.iter().any(|entry| entry.on_behalf_of.as_deref() == Some("(others)"))
        })
        .await;
    let log = object.status.unwrap().audit_log;
    let acting = log.iter().filter(|entry| entry.reason == "ActingRefused").count();
    assert!(acting <= 20, "{acting}");
    let others = log.iter().find(|entry| entry.on_behalf_of.as_deref() == Some("(others)")).unwrap();
    assert_eq!(others.message, "Further requests for users were refused, too many to tell each");
    assert_eq!(others.object, "ServiceAccount/actor");
    eventually("use is still written", async || {
        let key: keyward::api::AccessKey = target.scene.get("actor-key").await;
        key.status.and_then(|status| status.last_used_at).map(drop).ok_or("not yet")
    })
    .await;
}
