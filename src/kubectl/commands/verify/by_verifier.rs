//! The verdict of a running verifier, which gets the same request as from an application.

use std::path::Path;

use http::{Request, Uri};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use kube::{Client, Config};
use zeroize::Zeroize as _;

use crate::domain::value::time::parse_rfc3339;
use crate::domain::verdict::{RequiredResource, Requirements};
use crate::kubectl::commands::verify::verification::Verification;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::runtime::telemetry::with_causes;
use crate::verifier::http::{VerifyRequest, VerifyResource, VerifyResponse};

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// Whether a token may be sent there.
///
/// # Errors
/// Why not.
pub fn check_url(url: &Uri) -> Result<(), String> {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback =
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|host| host.is_loopback());
    match url.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if loopback => Ok(()),
        Some("http") => Err(format!(
            "--url must begin with https://, or the token would cross the network to {host} for anyone there to read; \
             in a cluster, reach the verifier by: kubectl port-forward"
        )),
        _ => Err(format!(
            "--url must be such as https://keyward.example.org or http://127.0.0.1:8470, not '{url}'"
        )),
    }
}

/// Has the verifier at `url` verify the token.
///
/// # Errors
/// Where there is no verdict.
pub async fn verify(
    context: &Context,
    url: &Uri,
    authority: Option<&Path>,
    token: &str,
    requirements: &Requirements,
) -> Result<Verification, Error> {
    let server = url.to_string();
    let within = context.globals.request_timeout;
    let cannot = |cause: String| Error::Refused(format!("the verifier at {server} cannot be asked: {cause}"));
    let mut config = Config::new(url.clone());
    config.default_retry = false;
    config.connect_timeout = Some(within);
    config.root_cert_file = authority.map(Path::to_owned);
    let mut question = request_body(token, requirements);
    let body = serde_json::to_vec(&question);
    question.token.zeroize();
    let client = Client::try_from(config).map_err(|error| cannot(with_causes(&error)))?;
    let request = Request::post("/v1/verify")
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Body::from(body?))
        .map_err(|error| cannot(error.to_string()))?;
    let exchange = async {
        let answer = client.send(request).await.map_err(|error| cannot(with_causes(&error)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| cannot(error.to_string()))?.to_bytes();
        if !status.is_success() {
            return Err(cannot(problem(status, &body)));
        }
        serde_json::from_slice(&body).map_err(|error| cannot(format!("its answer is no verdict ({error})")))
    };
    let seconds = within.as_secs();
    match tokio::time::timeout(within, exchange).await {
        Ok(answer) => answer.map(|answer| verification(answer, requirements)),
        Err(_) => Err(cannot(format!("no answer within {seconds} seconds"))),
    }
}

fn request_body(token: &str, requirements: &Requirements) -> VerifyRequest {
    let resource = requirements.resource.as_ref().map(|resource| {
        let RequiredResource { category, name, role } = resource.clone();
        VerifyResource { category, name, role }
    });
    let on_behalf_of = requirements.on_behalf_of.as_ref().map(|person| person.as_str().to_owned());
    VerifyRequest { token: token.to_owned(), resource, on_behalf_of, request_id: None }
}

/// Why a verifier refuses the request, out of its problem details.
fn problem(status: http::StatusCode, body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match problem.get("detail").or_else(|| problem.get("title")).and_then(serde_json::Value::as_str) {
        Some(said) => format!("it answers {status}: {said}"),
        None => format!("it answers {status}"),
    }
}

/// The answer as a verdict. A verifier gives no cause, so that nothing can be probed.
fn verification(answer: VerifyResponse, requirements: &Requirements) -> Verification {
    let VerifyResponse {
        valid,
        code,
        message,
        subject: _,
        actor: _,
        account,
        service_account,
        key_id,
        expires_at,
        resource,
        role,
        on_behalf_of,
    } = answer;
    let requested_resource = requirements.resource.as_ref().map(RequiredResource::label).filter(|_| valid);
    Verification {
        valid,
        cause: code,
        message,
        account,
        service_account,
        access_key: None,
        key_id,
        expires_at: expires_at.as_deref().and_then(parse_rfc3339),
        resource: resource.or(requested_resource),
        role,
        on_behalf_of,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_sent_over_tls_or_not_out_of_the_machine() {
        for good in
            ["https://verifier.example.org", "http://127.0.0.1:8470", "http://[::1]:1", "http://localhost/x"]
        {
            assert_eq!(check_url(&good.parse().unwrap()), Ok(()), "{good}");
        }
        assert_eq!(
            check_url(&"http://verifier.shop.svc:8470".parse().unwrap()).unwrap_err(),
            "--url must begin with https://, or the token would cross the network to verifier.shop.svc for anyone there \
             to read; in a cluster, reach the verifier by: kubectl port-forward"
        );
        for bad in ["verifier:8470", "/v1", "ftp://x/"] {
            assert_eq!(
                check_url(&bad.parse().unwrap()).unwrap_err(),
                format!(
                    "--url must be such as https://keyward.example.org or http://127.0.0.1:8470, not '{bad}'"
                )
            );
        }
    }

    #[test]
    fn why_the_verifier_refuses_the_request_is_shown() {
        let status = http::StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(
            problem(status, br#"{"title":"Unavailable","detail":"not synced yet"}"#),
            "it answers 503 Service Unavailable: not synced yet"
        );
        assert_eq!(problem(status, b"<html>"), "it answers 503 Service Unavailable");
    }
}
