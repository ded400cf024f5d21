//! `kubectl keyward key reveal`: the one command that prints a token, and only where nobody else reads along.

use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use k8s_openapi::api::core::v1::Secret;
use kube::{Resource as _, ResourceExt as _};

use super::super::cluster::reference;
use super::super::completion::access_keys;
use super::super::error::Error;
use super::super::warnings;
use super::super::{Context, command};
use crate::api::AccessKey;
use crate::api::access_key::KeyState;
use crate::domain::secret::{Owner, token_in};
use crate::domain::token::Token;

/// Flags of `key reveal`.
#[derive(Args, Clone, Debug)]
pub(in super::super) struct RevealArgs {
    /// The access key.
    #[arg(value_name = "NAME", add = access_keys())]
    name: String,
    /// Print it also where standard output is no terminal.
    #[arg(long)]
    force: bool,
}

/// The command.
pub(super) async fn run(context: &Context, args: RevealArgs) -> Result<(), Error> {
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
    let place = Owner { spec: &key.spec, name: &name, account: cluster.namespace() };
    let secret: Option<Secret> = cluster.find(place.secret_name()).await?;
    let token = find(&key, place.secret_name(), secret.as_ref()).map_err(Error::Refused)?;
    if let Some(warning) = warning(&key) {
        warnings::tell(&warning);
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
        let rotate = command(&namespace, &format!("key rotate {}", key.name_any()));
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
#[path = "reveal_tests.rs"]
mod tests;
