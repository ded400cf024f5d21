//! Asks as others do while an attack runs: a good key a hundred times a second, by connections that are kept
//! and by new ones in turn; `/livez`; and a key that is switched off and on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::figures::Figures;
use crate::support::eventually;
use crate::support::http::Http;
use crate::target::Target;

/// How often a good key asks.
const EVERY: Duration = Duration::from_millis(10);
/// How often `/livez` is asked.
const HEALTH_EVERY: Duration = Duration::from_millis(100);
/// How often a key that is switched off asks until it is refused.
const LOOK: Duration = Duration::from_millis(2);
/// How often it asks until it is let in again, and how often it is switched off. Its refusals are failures:
/// of more than five a second the answers are held back for a second, which would pass for a second in which
/// it was let in.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
const SWITCH_EVERY: Duration = Duration::from_millis(300);
/// How long an answer may take; what takes longer counts as none.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Probe<'a> {
    target: &'a Target,
    http: Http,
}

impl<'a> Probe<'a> {
    pub fn new(target: &'a Target) -> Self {
        Self { target, http: Http::default() }
    }

    /// Asks for that time, and at least until a switch-off was seen.
    pub async fn run(self, time: Duration) -> Figures {
        let end = Instant::now() + time;
        let (asked, revocations, health) =
            futures::join!(self.good_key(end), self.revocations(end), self.health(end));
        let answers: Vec<u64> = asked.iter().copied().flatten().collect();
        let (asked, answered) = (u64::try_from(asked.len()).unwrap(), u64::try_from(answers.len()).unwrap());
        Figures { asked, answered, answers, revocations, health }
    }

    /// How long each answer took, in microseconds.
    async fn good_key(&self, end: Instant) -> Vec<Option<u64>> {
        let address: Arc<str> = self.target.address.as_str().into();
        let bearer: Arc<str> = format!("Bearer {}", self.target.good.reveal()).into();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut open = JoinSet::new();
        let mut is_new = false;
        while Instant::now() < end {
            ticks.tick().await;
            is_new = !is_new;
            let (address, bearer, http) = (Arc::clone(&address), Arc::clone(&bearer), self.http.clone());
            open.spawn(async move {
                let start = Instant::now();
                let let_in = if is_new {
                    timeout(PATIENCE, by_a_new_connection(&address, &bearer)).await.is_ok_and(|let_in| let_in)
                } else {
                    timeout(PATIENCE, status(&http, &address, &bearer))
                        .await
                        .is_ok_and(|status| status == 200)
                };
                let_in.then(|| micros(start))
            });
        }
        open.join_all().await
    }

    /// How long each switched-off key was let in, in microseconds.
    async fn revocations(&self, end: Instant) -> Vec<u64> {
        let address = &self.target.address;
        let bearer = format!("Bearer {}", self.target.switched.reveal());
        let mut seen = Vec::new();
        let mut turns = interval(SWITCH_EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while seen.is_empty() || Instant::now() < end {
            turns.tick().await;
            self.target.switch("Inactive").await;
            let start = Instant::now();
            self.becomes(address, &bearer, 401, LOOK).await;
            seen.push(micros(start));
            self.target.switch("Active").await;
            self.becomes(address, &bearer, 200, LOOK_AGAIN).await;
        }
        seen
    }

    async fn becomes(&self, address: &str, bearer: &str, expected: u16, every: Duration) {
        let mut looks = interval(every);
        // The first look after that time, too.
        looks.reset();
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        eventually(&format!("a switched key is answered {expected}"), async || {
            looks.tick().await;
            match status(&self.http, address, bearer).await {
                found if found == expected => Ok(()),
                found => Err(found),
            }
        })
        .await;
    }

    /// How long `/livez` took, in microseconds.
    async fn health(&self, end: Instant) -> Vec<u64> {
        let mut took = Vec::new();
        let mut ticks = interval(HEALTH_EVERY);
        while took.is_empty() || Instant::now() < end {
            ticks.tick().await;
            let start = Instant::now();
            // By a new connection each time, as the kubelet does.
            eventually("/livez is answered", async || {
                let answer = ask(&self.target.health, "/livez", "").await;
                if answer.as_deref().is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                    Ok(())
                } else {
                    Err(answer)
                }
            })
            .await;
            took.push(micros(start));
        }
        took
    }
}

fn micros(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap()
}

/// The status of the answer; 0 where there is none.
async fn status(http: &Http, address: &str, bearer: &str) -> u16 {
    let url = format!("http://{address}/auth");
    let answer = http.try_ask(Method::GET, &url, &[("authorization", bearer)], "").await;
    answer.map_or(0, |answer| answer.status)
}

async fn by_a_new_connection(address: &str, bearer: &str) -> bool {
    let answer = ask(address, "/auth", &format!("authorization: {bearer}\r\n")).await;
    answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The whole answer; `None` where the connection broke off.
async fn ask(address: &str, path: &str, headers: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}
