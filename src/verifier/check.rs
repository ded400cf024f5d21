//! The one way in which every endpoint asks whether a request is let in, so that each is counted, audited and recorded.

use std::net::IpAddr;
use std::sync::Arc;

use crate::api::resource_grant::Role;
use crate::domain::token::{Presented, TokenId};
use crate::domain::verdict::{Asked, BadRequest, Cause, Known, verdict};
use crate::runtime::clock::now;

use super::contact::Contact;
use super::index::{Entry, Index, Key};
use super::journal::{Journal, first_use};
use super::metrics::{Endpoint, Metrics};
use super::recorder::Recorder;

/// Answers requests out of the index.
pub struct Checker {
    /// What is known.
    pub index: Arc<Index>,
    /// How fresh that is.
    pub contact: Arc<Contact>,
    /// Where use is recorded.
    pub recorder: Arc<Recorder>,
    /// Where it is told.
    pub journal: Journal,
    /// Where it is counted.
    pub metrics: Metrics,
}

/// A request for a verdict, whichever endpoint it came in by.
pub struct Request<'a> {
    /// Where it came in.
    pub endpoint: Endpoint,
    /// The credential, or why there is none.
    pub credential: Result<&'a str, Cause>,
    /// What it asks for, or why that cannot be meant.
    pub asked: Result<Asked, BadRequest>,
    /// Of whom, for audit lines only.
    pub client: Option<IpAddr>,
    /// The id that the gateway or client gave the request; empty where it gave none.
    pub request_id: &'a str,
}

/// A request that is let in.
pub struct Allowed {
    /// The token's public id.
    pub id: TokenId,
    /// The token with its key.
    pub entry: Entry,
    /// What was asked for.
    pub asked: Asked,
    /// The role that the service account has on the resource asked for.
    pub role: Option<Role>,
}

impl Allowed {
    /// The person acted for, or else the service account.
    pub fn subject(&self) -> &str {
        self.asked
            .on_behalf_of
            .as_ref()
            .map_or_else(|| self.entry.key.holder.actor(), |person| person.as_str())
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

/// Who was found to ask, where they hold the token they presented.
pub(super) struct Found {
    pub(super) id: TokenId,
    pub(super) entry: Option<Entry>,
}

impl Found {
    pub(super) fn key(&self) -> Option<&Arc<Key>> {
        self.entry.as_ref().map(|entry| &entry.key)
    }
}

impl Checker {
    /// The verdict on a request.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check(&self, request: Request<'_>) -> Result<Allowed, Refused> {
        let now = now();
        let mut found = None;
        let decided = self.decide(&request, now.timestamp(), &mut found);
        let cause = decided.as_ref().err().map(|refused| refused.cause);
        self.metrics.verified(request.endpoint, cause);
        let told = super::journal::Told { request: &request, found: found.as_ref(), cause, now };
        match &decided {
            Ok(_) => {
                if let Some(key) = found.as_ref().and_then(Found::key)
                    && self.recorder.used(key, now.timestamp())
                {
                    first_use(&told);
                }
            }
            Err(_) => self.journal.refused(&told),
        }
        self.acted(&told);
        let role = decided?;
        let Some(Found { id, entry: Some(entry) }) = found else { return Err(Cause::UnknownKey.into()) };
        Ok(Allowed { id, entry, asked: request.asked?, role })
    }

    /// The role that the service account has on the resource asked for; leaves in `found` who asks.
    fn decide(
        &self,
        request: &Request<'_>,
        now: i64,
        found: &mut Option<Found>,
    ) -> Result<Option<Role>, Refused> {
        let presented = Presented::read(request.credential?).map_err(Cause::from)?;
        let entry = self.index.get(&presented.id);
        let found = found.insert(Found { id: presented.id, entry });
        // A request that cannot be meant is told so, but only to those who hold a good token.
        let nothing = Asked::default();
        let asked = request.asked.as_ref().unwrap_or(&nothing);
        let facts = found.entry.as_ref().map(|entry| entry.key.holder.facts.load());
        // Without a resource none is read.
        let grants = found.entry.as_ref().filter(|_| asked.resource.is_some());
        let grants = grants.map(|entry| entry.key.holder.grants.load());
        let known = found.entry.as_ref().zip(facts.as_ref()).map(|(entry, facts)| Known {
            credential: &entry.credential,
            state: entry.key.state,
            issued_for: &entry.key.issued_for,
            service_account: facts.as_deref(),
            grants: grants.as_deref().map_or(&[], |grants| grants.as_slice()),
        });
        let grant = verdict(self.contact.feed(), &presented.hash, known.as_ref(), asked, now)?;
        match &request.asked {
            Ok(_) => Ok(grant.map(|grant| grant.role)),
            Err(bad) => Err(bad.clone().into()),
        }
    }

    /// Whatever was done or tried on behalf of a person is told and counted, each time.
    fn acted(&self, told: &super::journal::Told<'_>) {
        let Some(act) = told.act() else { return };
        self.journal.acted(told, &act);
        if told.cause.is_none_or(Cause::proves_identity) && !act.service_account_uid.is_empty() {
            self.recorder.acted(act, told);
        }
    }
}
