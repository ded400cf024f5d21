//! Asks a Keyward verifier about the access key in an `Authorization` header, read from standard input.
//!
//! Prints who it is and ends with 0. Ends with 1 where the key is not good, and with 2 where nobody can tell:
//! let nobody in then, either.

use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

/// What this program reads of a verdict.
#[derive(Deserialize)]
struct Verdict {
    valid: bool,
    #[serde(default)]
    code: String,
    #[serde(default)]
    subject: String,
}

/// Asks. Every answer but 200 is an error.
fn verify(url: &str, token: &str) -> Result<Verdict, ureq::Error> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().into();
    agent.post(format!("{url}/v1/verify")).send_json(json!({"token": token}))?.body_mut().read_json()
}

fn main() -> ExitCode {
    let url = std::env::var("KEYWARD_URL").unwrap_or_else(|_| "http://127.0.0.1:8470".to_owned());
    let mut header = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut header) {
        return end(2, &format!("cannot tell: {error}"));
    }
    let token = match header.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token,
        _ => return end(1, "no access key"),
    };
    match verify(&url, token) {
        Err(error) => end(2, &format!("cannot tell: {error}")),
        Ok(verdict) if !verdict.valid => end(1, &verdict.code),
        Ok(verdict) => {
            println!("{}", verdict.subject);
            ExitCode::SUCCESS
        }
    }
}

fn end(code: u8, words: &str) -> ExitCode {
    eprintln!("{words}");
    ExitCode::from(code)
}
