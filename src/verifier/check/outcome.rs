//! What came of a request: for the endpoint that answers it, and for those who count, audit and record it.

use crate::api::resource_grant::Role;
use crate::domain::audit::acting::Act;
use crate::domain::value::token::TokenId;
use crate::domain::verdict::{BadRequest, Cause, HolderState, OnBehalfOf, RequiredResource, Requirements};
use crate::verifier::check::request::Request;
use crate::verifier::index::{Entry, Key};

/// A request that is let in.
pub struct Allowed<'a> {
    /// The token's public id.
    pub id: TokenId,
    /// The token with its key.
    pub entry: &'a Entry,
    /// When it ends, in seconds since 1970.
    pub good_until: i64,
    /// What the request required.
    pub requirements: &'a Requirements,
    /// The role that the service account has on the resource required.
    pub role: Option<Role>,
}

impl Allowed<'_> {
    /// The user acted for, or else the service account.
    pub fn subject(&self) -> &str {
        self.requirements.on_behalf_of.as_ref().map_or(&*self.entry.key.holder.actor, OnBehalfOf::as_str)
    }
}

/// A request that is refused.
#[derive(Debug)]
pub struct Refused {
    /// Why: not for the client.
    pub cause: Cause,
    /// What the client may know beside the class of answer.
    pub message: Option<String>,
}

impl From<Cause> for Refused {
    fn from(cause: Cause) -> Self {
        Self { cause, message: None }
    }
}

impl From<BadRequest> for Refused {
    fn from(BadRequest { cause, message }: BadRequest) -> Self {
        Self { cause, message: Some(message) }
    }
}

/// The token that a request presents, as far as it could be read, and what is known under its id.
pub(in crate::verifier) struct PresentedToken<'a> {
    pub(in crate::verifier) id: TokenId,
    pub(in crate::verifier) entry: Option<&'a Entry>,
}

/// A request with what came of it.
pub(in crate::verifier) struct Outcome<'a> {
    pub(in crate::verifier) request: &'a Request<'a>,
    pub(in crate::verifier) presented: Option<&'a PresentedToken<'a>>,
    /// Why it was refused, where it was.
    pub(in crate::verifier) cause: Option<Cause>,
    /// In seconds since 1970.
    pub(in crate::verifier) second: i64,
}

impl<'a> Outcome<'a> {
    /// What is known of the token, where whoever sent the request holds it.
    pub(in crate::verifier) fn entry(&self) -> Option<&'a Entry> {
        let proven = self.cause.is_none_or(Cause::proves_identity);
        self.presented.filter(|_| proven)?.entry
    }

    /// The key, where whoever sent the request holds its token.
    pub(in crate::verifier) fn key(&self) -> Option<&'a Key> {
        self.entry().map(|entry| &*entry.key)
    }

    /// The resource required, as `Category/name`.
    pub(in crate::verifier) fn resource(&self) -> Option<String> {
        self.request.requirements.as_ref().ok()?.resource.as_ref().map(RequiredResource::label)
    }

    /// What was done or tried on behalf of a user.
    pub(in crate::verifier) fn act(&self) -> Option<Act> {
        let user = self.request.requirements.as_ref().ok()?.on_behalf_of.as_ref()?;
        let key = self.key();
        let gone = |entry: &Entry| {
            matches!(entry.state().service_account, HolderState::Gone | HolderState::Replaced)
        };
        let uid = self.entry().filter(|entry| !gone(entry)).map(|entry| entry.key.issued_for.to_string());
        Some(Act {
            service_account_uid: uid.unwrap_or_default(),
            actor: key.map(|key| key.holder.actor.to_string()).unwrap_or_default(),
            key: key.map(|key| key.name.to_string()).unwrap_or_default(),
            key_id: self.presented.map(|presented| presented.id.as_str().to_owned()).unwrap_or_default(),
            on_behalf_of: user.as_str().to_owned(),
            resource: self.resource(),
            refused: self.cause,
        })
    }
}
