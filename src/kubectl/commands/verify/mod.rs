//! `kubectl keyward verify`: whether a token is good, and for what. The token comes from standard input and
//! goes nowhere but, with `--url`, to a verifier.

mod by_cluster;
mod by_verifier;
#[cfg(test)]
mod tests;
mod verification;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use http::Uri;
use zeroize::Zeroizing;

use crate::domain::value::token::Presented;
use crate::domain::verdict::{BadRequest, Requirements, ResourceText};
use crate::kubectl::commands::verify::verification::Verification;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::prompt;
use crate::kubectl::output::format::ReportOutput;
use crate::kubectl::output::screen;

/// Longer than any token, so that one more character is noticed.
const LONGEST: usize = 4096;

/// Flags of `verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
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

/// The command. It ends with 0 where the token is good, with 1 where it is not, and with 2 where there is no
/// verdict.
pub async fn run(context: &Context, args: VerifyArgs) -> ExitCode {
    match verify(context, args).await {
        Ok(verdict) if verdict.valid => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            screen::error(&error);
            ExitCode::from(2)
        }
    }
}

async fn verify(context: &Context, args: VerifyArgs) -> Result<Verification, Error> {
    if !args.given.is_empty() {
        return Err(Error::token_as_argument());
    }
    let requirements =
        requirements(&args).map_err(|BadRequest { cause: _, message }| Error::Refused(message))?;
    if let Some(url) = &args.url {
        by_verifier::check_url(url).map_err(Error::Refused)?;
    }
    let given = prompt::read_secret("Token: ", LONGEST)?;
    let token = bare(&given);
    let verdict = match (Presented::read(token), &args.url) {
        (Err(why), _) => Verification::refused(why.into()),
        (Ok(_), Some(url)) => {
            let authority = args.certificate_authority.as_deref();
            by_verifier::verify(context, url, authority, &Zeroizing::new(token.to_owned()), &requirements)
                .await?
        }
        (Ok(presented), None) => {
            by_cluster::look_up(context, &presented, &requirements, args.all_namespaces).await?
        }
    };
    let text = match args.output {
        Some(output) => output.of(&verdict)?,
        None => verdict.text(context.now),
    };
    screen::show(&text)?;
    Ok(verdict)
}

fn requirements(args: &VerifyArgs) -> Result<Requirements, BadRequest> {
    let resource = args.resource.as_deref().map(|resource| {
        let (category, name) = resource.split_once('/').unwrap_or((resource, ""));
        ResourceText { category, name, role: args.role.as_deref() }
    });
    Requirements::for_resource(resource)?.on_behalf_of(args.on_behalf_of.as_deref())
}

/// The token alone, as it is also pasted: with spaces around it, or out of an `Authorization` header.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let scheme = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "));
    scheme.map_or(text, |scheme| text.get(scheme.len()..).unwrap_or_default().trim_start())
}
