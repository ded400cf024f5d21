//! The check itself: out of the index, without a call to the cluster.

use std::sync::Arc;

use crate::domain::value::token::Presented;
use crate::domain::verdict::{BadRequest, Cause, Requirements, verdict};
use crate::runtime::clock::Clock;
use crate::verifier::check::audit::{AuditLines, first_use};
use crate::verifier::check::client::{Client, TrustedProxies};
use crate::verifier::check::outcome::{Allowed, Outcome, PresentedToken, Refused};
use crate::verifier::check::request::Request;
use crate::verifier::check::throttle::{HeldBack, Pace, Throttle};
use crate::verifier::freshness::Freshness;
use crate::verifier::index::{Index, ReadGuard};
use crate::verifier::metrics::Metrics;
use crate::verifier::usage::pending::Kept;
use crate::verifier::usage::recorder::Recorder;

/// Answers requests out of the index.
pub struct Checker {
    /// What is known.
    pub index: Arc<Index>,
    /// How fresh that is.
    pub freshness: Arc<Freshness>,
    /// Whose word on their clients is believed.
    pub trusted_proxies: TrustedProxies,
    /// Who failed too often.
    pub throttle: Throttle,
    /// Where use is recorded.
    pub recorder: Arc<Recorder>,
    /// Where it is audited.
    pub audit: AuditLines,
    /// Where it is counted.
    pub metrics: Metrics,
    /// Where the time comes from.
    pub clock: Clock,
}

/// A refusal, and how long its answer is held back.
type Paced<'a> = (Refused, Option<HeldBack<'a>>);

impl Checker {
    /// The verdict on a request, and what `let_in` makes of one that is let in. Whoever fails too often waits
    /// for it.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn check<R>(
        &self,
        request: &Request<'_>,
        let_in: impl FnOnce(&Allowed<'_>) -> R,
    ) -> Result<R, Refused> {
        let (refused, held_back) = match self.settle(request, let_in) {
            Ok(answer) => return Ok(answer),
            Err(paced) => paced,
        };
        if let Some(held_back) = held_back {
            // In a box, so that requests that do not wait carry no room for it.
            Box::pin(held_back.wait()).await;
        }
        Err(refused)
    }

    /// Decides, throttles and reports.
    fn settle<R>(
        &self,
        request: &Request<'_>,
        let_in: impl FnOnce(&Allowed<'_>) -> R,
    ) -> Result<R, Paced<'_>> {
        let second = self.clock.second();
        let index = self.index.read();
        let mut presented = None;
        let decided = self.decide(request, second, &index, &mut presented);
        let answer = match decided {
            Ok(allowed) => Ok(let_in(&allowed)),
            Err(refused) => Err(self.pace(request.client, refused)),
        };
        let cause = answer.as_ref().err().map(|(refused, _)| refused.cause);
        self.report(&Outcome { request, presented: presented.as_ref(), cause, second });
        answer
    }

    /// What is let in; leaves the token that is presented in `slot`.
    fn decide<'a>(
        &self,
        request: &'a Request<'_>,
        second: i64,
        index: &'a ReadGuard<'_>,
        slot: &mut Option<PresentedToken<'a>>,
    ) -> Result<Allowed<'a>, Refused> {
        let presented = Presented::read(request.credential?).map_err(Cause::from)?;
        let id = presented.id;
        let entry = index.get(&id);
        let hash = presented.hash();
        slot.replace(PresentedToken { id, entry });
        // A request that cannot be meant is answered so, but only to those who hold a good token.
        let none = Requirements::default();
        let requirements = request.requirements.as_ref().unwrap_or(&none);
        // Without a resource none is read.
        let grants = entry.filter(|_| requirements.resource.is_some());
        let grants = grants.map(|entry| entry.key.holder.grants.load());
        let grants = grants.as_deref().map_or(&[][..], |grants| grants);
        let known = entry.map(|entry| entry.known(self.index.is_sealed(entry), grants));
        let grant = verdict(self.freshness.state(), &hash, known.as_ref(), requirements, second)?;
        let requirements = request.requirements.as_ref().map_err(BadRequest::clone)?;
        let (entry, known) = entry.zip(known).ok_or(Cause::UnknownKey)?;
        let good_until = known.token.good_until;
        Ok(Allowed { id, entry, good_until, requirements, role: grant.map(|grant| grant.role) })
    }

    /// When a refusal is answered, and as what.
    fn pace(&self, client: Client, refused: Refused) -> Paced<'_> {
        match self.throttle.pace(client, refused.cause) {
            Pace::AtOnce => (refused, None),
            Pace::HeldBack(held_back) => {
                self.metrics.held_back.inc();
                (refused, Some(held_back))
            }
            // Whose token it was is told whatever others do.
            Pace::TooManyFailures if refused.cause.proves_identity() => (refused, None),
            Pace::TooManyFailures => (Cause::TooManyFailures.into(), None),
        }
    }

    /// Counts, audits and records. Whatever was done or tried on behalf of a user is audited and recorded
    /// each time.
    fn report(&self, outcome: &Outcome<'_>) {
        self.metrics.verified(outcome.request.endpoint, outcome.cause);
        if outcome.cause.is_some() {
            self.audit.refused(outcome);
        } else if outcome.entry().is_some_and(|entry| self.recorder.used(entry, outcome.second)) {
            first_use(outcome);
        }
        let Some(act) = outcome.act() else { return };
        self.audit.acted(outcome, &act);
        let Some(key) = outcome.key().filter(|_| !act.service_account_uid.is_empty()) else { return };
        if self.recorder.acted(key, act, outcome.second) != Kept::Listed {
            self.metrics.unlisted_acts.inc();
        }
    }
}
