//! The one way in which every endpoint asks whether a request is let in, so that each is counted, audited and recorded.

use std::net::IpAddr;
use std::sync::Arc;

use crate::api::resource_grant::Role;
use crate::domain::value::token::{Presented, TokenId};
use crate::domain::verdict::{Asked, BadRequest, Cause, OnBehalfOf, verdict};
use crate::runtime::clock::second;

use crate::verifier::check::audit::{Journal, first_use};
use crate::verifier::freshness::Contact;
use crate::verifier::index::{Entry, Index, Look};
use crate::verifier::metrics::{Endpoint, Metrics};
use crate::verifier::usage::recorder::Recorder;

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
pub struct Allowed<'a> {
    /// The token's public id.
    pub id: TokenId,
    /// The token with its key.
    pub entry: &'a Entry,
    /// When it ends, in seconds since 1970.
    pub good_until: i64,
    /// What was asked for.
    pub asked: &'a Asked,
    /// The role that the service account has on the resource asked for.
    pub role: Option<Role>,
}

impl Allowed<'_> {
    /// The person acted for, or else the service account.
    pub fn subject(&self) -> &str {
        self.asked.on_behalf_of.as_ref().map_or(&*self.entry.key.holder.actor, OnBehalfOf::as_str)
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
pub(in crate::verifier) struct Found<'a> {
    pub(in crate::verifier) id: TokenId,
    pub(in crate::verifier) entry: Option<&'a Entry>,
}

impl Checker {
    /// The verdict on a request, and what `let_in` makes of one that is let in.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn check<R>(
        &self,
        request: &Request<'_>,
        let_in: impl FnOnce(&Allowed<'_>) -> R,
    ) -> Result<R, Refused> {
        let second = second();
        let look = self.index.look();
        let mut found = None;
        let decided = self.decide(request, second, &look, &mut found);
        let cause = decided.as_ref().err().map(|refused| refused.cause);
        let answer = decided.map(|allowed| let_in(&allowed));
        self.metrics.verified(request.endpoint, cause);
        let told = super::audit::Told { request, found: found.as_ref(), cause, second };
        match &answer {
            Ok(_) => {
                if let Some(entry) = found.as_ref().and_then(|found| found.entry)
                    && self.recorder.used(entry, second)
                {
                    first_use(&told);
                }
            }
            Err(_) => self.journal.refused(&told),
        }
        self.acted(&told);
        answer
    }

    /// What is let in; leaves in `found` who asks.
    fn decide<'a>(
        &self,
        request: &'a Request<'_>,
        second: i64,
        look: &'a Look<'_>,
        found: &mut Option<Found<'a>>,
    ) -> Result<Allowed<'a>, Refused> {
        let presented = Presented::read(request.credential?).map_err(Cause::from)?;
        let id = presented.id;
        let entry = look.get(&id);
        let hash = presented.hash();
        found.replace(Found { id, entry });
        // A request that cannot be meant is told so, but only to those who hold a good token.
        let nothing = Asked::default();
        let asked = request.asked.as_ref().unwrap_or(&nothing);
        // Without a resource none is read.
        let grants = entry.filter(|_| asked.resource.is_some()).map(|entry| entry.key.holder.grants.load());
        let grants = grants.as_deref().map_or(&[][..], |grants| grants);
        let known = entry.map(|entry| entry.known(grants));
        let grant = verdict(self.contact.feed(), &hash, known.as_ref(), asked, second)?;
        let asked = request.asked.as_ref().map_err(BadRequest::clone)?;
        let (entry, known) = entry.zip(known).ok_or(Cause::UnknownKey)?;
        let good_until = known.credential.good_until;
        Ok(Allowed { id, entry, good_until, asked, role: grant.map(|grant| grant.role) })
    }

    /// Whatever was done or tried on behalf of a person is told and counted, each time.
    fn acted(&self, told: &super::audit::Told<'_>) {
        let Some(act) = told.act() else { return };
        self.journal.acted(told, &act);
        if told.cause.is_none_or(Cause::proves_identity) && !act.service_account_uid.is_empty() {
            self.recorder.acted(act, told);
        }
    }
}
