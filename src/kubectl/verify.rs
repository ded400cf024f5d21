//! `kubectl keyward verify`: whether a token is good, and for what. The token comes from standard input and goes nowhere
//! but, where that is asked for, to a verifier.

mod by_cluster;
mod by_verifier;

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use http::Uri;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Context;
use super::describe::ReportOutput;
use super::error::Error;
use super::screen;
use super::table::{Tone, lines, paint};
use super::times;
use crate::api::resource_grant::Role;
use crate::domain::time::rfc3339;
use crate::domain::token::Presented;
use crate::domain::verdict::{Asked, BadRequest, Cause, OnBehalfOf, ResourceAsked};

/// Longer than any token, so that one more character is noticed.
const LONGEST: usize = 4096;

/// Flags of `verify`.
#[derive(Args, Clone, Debug)]
pub(super) struct VerifyArgs {
    /// What somebody gave as an argument: refused, since others can see it there.
    #[arg(hide = true, value_name = "TOKEN")]
    given: Vec<std::ffi::OsString>,
    /// The resource to reach, as Category/name.
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// The least role that suffices there.
    #[arg(long, value_name = "ROLE", requires = "resource")]
    role: Option<String>,
    /// The person that is acted for.
    #[arg(long, value_name = "PERSON")]
    on_behalf_of: Option<String>,
    /// Look for its key in all accounts.
    #[arg(short = 'A', long, conflicts_with = "url")]
    all_namespaces: bool,
    /// Ask the verifier there instead of looking the key up.
    #[arg(long, value_name = "URL")]
    url: Option<Uri>,
    /// Certificates that the verifier's is checked with, as a PEM file. Default: the system's.
    #[arg(long, value_name = "FILE", requires = "url")]
    certificate_authority: Option<PathBuf>,
    /// Print the verdict for programs.
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<ReportOutput>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    /// Whether it is good for what was asked.
    valid: bool,
    /// Why not, as one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Why not, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<String>,
}

impl Verdict {
    fn refused(cause: Cause) -> Self {
        Self { cause: Some(cause.as_str().into()), message: Some(cause.meaning().into()), ..Self::default() }
    }
}

/// The command. It ends with 0 where the token is good, with 1 where it is not, and with 2 where that cannot be told.
pub(super) async fn run(context: &Context, args: VerifyArgs) -> ExitCode {
    match verify(context, args).await {
        Ok(verdict) if verdict.valid => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            super::report(&error);
            ExitCode::from(2)
        }
    }
}

async fn verify(context: &Context, args: VerifyArgs) -> Result<Verdict, Error> {
    if !args.given.is_empty() {
        return Err(Error::Refused(super::TOKEN_AS_ARGUMENT.into()));
    }
    let asked = asked(&args).map_err(|BadRequest { cause: _, message }| Error::Refused(message))?;
    if let Some(url) = &args.url {
        by_verifier::check_url(url).map_err(Error::Refused)?;
    }
    let given = screen::read_secret("Token: ", LONGEST)?;
    let token = bare(&given);
    let verdict = match (Presented::read(token), &args.url) {
        (Err(why), _) => Verdict::refused(why.into()),
        (Ok(_), Some(url)) => {
            let authority = args.certificate_authority.as_deref();
            by_verifier::ask(context, url, authority, &Zeroizing::new(token.to_owned()), &asked).await?
        }
        (Ok(presented), None) => {
            by_cluster::look_up(context, &presented, &asked, args.all_namespaces).await?
        }
    };
    let text = match args.output {
        Some(output) => output.of(&verdict)?,
        None => words(&verdict, context.now),
    };
    screen::show(&text)?;
    Ok(verdict)
}

fn asked(args: &VerifyArgs) -> Result<Asked, BadRequest> {
    let resource = args.resource.as_deref().map(|resource| {
        let (category, name) = resource.split_once('/').unwrap_or((resource, ""));
        ResourceAsked::parse(category, name, args.role.as_deref())
    });
    let on_behalf_of = args.on_behalf_of.as_deref().map(OnBehalfOf::parse);
    Ok(Asked { resource: resource.transpose()?, on_behalf_of: on_behalf_of.transpose()? })
}

/// The token alone, as it is also pasted: with spaces around it, or out of an `Authorization` header.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    scheme.map_or(text, |scheme| text.get(scheme.len()..).unwrap_or_default().trim_start())
}

fn words(verdict: &Verdict, now: DateTime<Utc>) -> String {
    let Verdict {
        valid,
        cause,
        message,
        account,
        service_account,
        access_key,
        key_id,
        expires_at,
        resource,
        role,
        on_behalf_of,
    } = verdict;
    let title = if *valid {
        paint(Tone::Good, "Good")
    } else {
        let [cause, message] =
            [cause, message].map(|text| paint(Tone::Plain, text.as_deref().unwrap_or("unknown")));
        format!("{} ({cause}): {message}", paint(Tone::Bad, "Refused"))
    };
    let expires_at = expires_at.map(|at| format!("{} ({})", rfc3339(at), times::away(at, now)));
    let role = role.map(|role| role.as_str().to_owned());
    let rows = [
        ("Account", account),
        ("Service account", service_account),
        ("Access key", access_key),
        ("Key id", key_id),
        ("Expires", &expires_at),
        ("Resource", resource),
        ("Role there", &role),
        ("On behalf of", on_behalf_of),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| {
        Some(format!("{:<17}{}", format!("{name}:"), paint(Tone::Plain, value.as_deref()?)))
    });
    lines([title].into_iter().chain(rows))
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
