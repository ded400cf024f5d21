//! `kubectl keyward key reveal`: the one command that prints a token, and only where nobody else reads along.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use k8s_openapi::api::core::v1::Secret;
use kube::{Resource as _, ResourceExt as _};

use crate::api::AccessKey;
use crate::api::access_key::KeyState;
use crate::domain::access_key::secret::{SecretOwner, token_in};
use crate::domain::value::token::Token;
use crate::kubectl::cluster::object::reference;
use crate::kubectl::context::Context;
use crate::kubectl::error::Error;
use crate::kubectl::input::name::NameOf;
use crate::kubectl::output::hint::command_line;
use crate::kubectl::output::screen;
use crate::runtime::held_secret::HeldSecret;

/// Flags of `key reveal`.
#[derive(Args, Clone, Debug)]
pub struct RevealArgs {
    /// The access key.
    #[arg(value_name = "NAME", add = NameOf::AccessKey)]
    name: String,
    /// Print it also where standard output is no terminal.
    #[arg(long)]
    force: bool,
}

/// The command.
pub async fn run(context: &Context, args: RevealArgs) -> Result<(), Error> {
    let RevealArgs { name, force } = args;
    if !force && !std::io::stdout().is_terminal() {
        return Err(Error::Refused(
            "standard output is no terminal, and the token might stay in a file or a log; where that is meant, add \
             --force. Programs read it from the Secret itself"
                .into(),
        ));
    }
    let cluster = context.globals.connect().await?;
    let key: AccessKey = cluster.get(&name).await?;
    let place = SecretOwner { spec: &key.spec, name: &name, account: cluster.namespace() };
    let secret = cluster.find::<Secret>(place.secret_name()).await?.map(HeldSecret::from);
    let token = find(&key, place.secret_name(), secret.as_deref()).map_err(Error::Refused)?;
    if let Some(warning) = warning(&key) {
        screen::warn(&warning);
    }
    let mut out = std::io::stdout().lock();
    out.write_all(token.reveal().as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// The key's present token.
///
/// # Errors
/// Why its Secret does not hold it.
fn find(key: &AccessKey, name: &str, secret: Option<&Secret>) -> Result<Token, String> {
    let key_name = reference(key);
    let namespace = key.namespace().unwrap_or_default();
    let status = key.status.as_ref();
    let state = status.and_then(|status| status.state);
    let Some(issued) = status.and_then(|status| status.token.as_ref()) else {
        return Err(format!(
            "{key_name} has no token yet; why: kubectl -n {namespace} describe kwkey {}",
            key.name_any()
        ));
    };
    if state == Some(KeyState::Expired) {
        let rotate = command_line(&namespace, &format!("key rotate {}", key.name_any()));
        return Err(format!(
            "{key_name} has expired and its token was taken out of the Secret; for a new one: {rotate}"
        ));
    }
    let Some(secret) = secret else {
        return Err(format!("Secret \"{name}\" of {key_name} is not there; the controller makes it again"));
    };
    let is_its = secret.owner_references().iter().any(|owner| Some(&owner.uid) == key.meta().uid.as_ref());
    if !is_its {
        return Err(format!("Secret \"{name}\" does not belong to {key_name}"));
    }
    let values = secret.data.iter().flatten().map(|(_, value)| &value.0);
    let mut tokens = values.filter_map(|value| token_in(value));
    tokens.find(|token| token.has_sha256(&issued.sha256)).ok_or_else(|| {
        format!("Secret \"{name}\" does not hold the token of {key_name}; the controller puts it right")
    })
}

/// That the token is of no use at present.
fn warning(key: &AccessKey) -> Option<String> {
    let state = key.status.as_ref().and_then(|status| status.state)?;
    (state != KeyState::Active)
        .then(|| format!("{} is {state:?}: its token authenticates nobody", reference(key)))
}

#[cfg(test)]
mod tests {
    //! Which token is revealed, and when none is.

    use k8s_openapi::ByteString;
    use kube::api::ObjectMeta;
    use serde_json::json;

    use super::*;
    use crate::kubectl::samples::{from_json, issued, key};

    fn token(seed: u8) -> Token {
        let bytes: Vec<u8> = (0..=255).map(|n: u8| n.wrapping_mul(31).wrapping_add(seed)).collect();
        Token::from_random(&bytes).unwrap()
    }

    fn deploy(state: &str) -> AccessKey {
        let mut status = issued(state, token(1).id(), "2027-05-23T12:00:00Z");
        status["token"]["sha256"] = json!(token(1).sha256());
        key("deploy", json!({}), status)
    }

    fn secret(owner: &str, values: &[Vec<u8>]) -> Secret {
        let reference = json!([{"apiVersion": "x", "kind": "AccessKey", "name": "deploy", "uid": owner}]);
        let data = values.iter().enumerate().map(|(at, value)| (at.to_string(), ByteString(value.clone())));
        Secret {
            metadata: ObjectMeta { owner_references: Some(from_json(reference)), ..ObjectMeta::default() },
            data: Some(data.collect()),
            ..Secret::default()
        }
    }

    fn why_not(key: &AccessKey, secret: Option<&Secret>) -> String {
        find(key, "deploy", secret).err().unwrap()
    }

    #[test]
    fn the_present_token_is_found_in_whatever_entry_holds_it() {
        let values = [
            b"ci-bot".to_vec(),
            token(2).reveal().as_bytes().to_vec(),
            format!("Authorization: Bearer {}\n", token(1).reveal()).into_bytes(),
        ];
        let found = find(&deploy("Active"), "deploy", Some(&secret("uid-of-deploy", &values))).ok().unwrap();
        assert!(found.has_sha256(&token(1).sha256()));
    }

    #[test]
    fn where_there_is_no_token_of_the_key_it_is_said_why() {
        let held = secret("uid-of-deploy", &[token(1).reveal().as_bytes().to_vec()]);
        let other = secret("uid-of-deploy", &[token(2).reveal().as_bytes().to_vec()]);
        let foreign = secret("someone", &[token(1).reveal().as_bytes().to_vec()]);
        let name = "accesskey.iam.keyward.dev/deploy";
        assert_eq!(
            why_not(&key("deploy", json!({}), json!({})), Some(&held)),
            format!("{name} has no token yet; why: kubectl -n shop describe kwkey deploy")
        );
        assert_eq!(
            why_not(&deploy("Expired"), Some(&held)),
            format!(
                "{name} has expired and its token was taken out of the Secret; for a new one: kubectl keyward -n shop key \
             rotate deploy"
            )
        );
        assert_eq!(
            why_not(&deploy("Active"), None),
            format!("Secret \"deploy\" of {name} is not there; the controller makes it again")
        );
        assert_eq!(
            why_not(&deploy("Active"), Some(&foreign)),
            format!("Secret \"deploy\" does not belong to {name}")
        );
        assert_eq!(
            why_not(&deploy("Active"), Some(&other)),
            format!("Secret \"deploy\" does not hold the token of {name}; the controller puts it right")
        );
    }

    #[test]
    fn a_token_that_is_of_no_use_is_warned_about() {
        assert_eq!(warning(&deploy("Active")), None);
        assert_eq!(
            warning(&deploy("Inactive")).as_deref(),
            Some("accesskey.iam.keyward.dev/deploy is Inactive: its token authenticates nobody")
        );
    }
}
