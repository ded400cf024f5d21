//! `kubectl keyward verify`: whether a token is good, and for what. The token comes from standard input and goes nowhere
//! but, with `--url`, to a verifier.

mod by_cluster;
mod by_verifier;
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

/// The command. It ends with 0 where the token is good, with 1 where it is not, and with 2 where there is no verdict.
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

#[cfg(test)]
mod tests {
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
}
