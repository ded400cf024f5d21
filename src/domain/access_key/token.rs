//! The token of a key: which one is recorded, how long the next may live, and when it is due.

use chrono::{DateTime, TimeDelta, Utc};

use crate::api::AccessKeySpec;
use crate::api::access_key::{
    FIRST_REVISION, MOST_REVISIONS_AT_ONCE, PreviousTokenStatus, RotationSpec, TokenStatus,
};
use crate::api::reason::Reason;
use crate::domain::access_key::observed::{FoundParent, Key, Observed, OwnedSecret, SecretView};
use crate::domain::access_key::publish::secrets::Tokens;
use crate::domain::access_key::record::Record;
use crate::domain::access_key::secret::Holds;
use crate::domain::account::limits::Limits;
use crate::domain::value::period::Period;
use crate::domain::value::time::rfc3339;

/// How long a recorded `nextToken` may be on its way into the Secret before it counts as lost, in seconds.
/// Longer than any one call to the API server may take, so that a slow writer is never overtaken.
const STAGING_GRACE_SECONDS: i64 = 30;

/// How long after one token the next is drawn at the soonest where a Secret is not as it was written, in
/// seconds.
const BETWEEN_TOKENS_SECONDS: i64 = 60;

/// A reason and a sentence.
pub(super) type Refusal = (Reason, String);

/// The token that the key has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recorded {
    /// The one in the Secret.
    pub(super) current: TokenStatus,
    /// Its predecessor, while that is good.
    pub(super) previous: Option<PreviousTokenStatus>,
    /// The service account it belongs to.
    pub(super) service_account_uid: String,
    /// Its serial.
    pub(super) serial: i64,
    /// What is new about it, compared with the status.
    pub(super) changes: Vec<TokenChange>,
}

impl Recorded {
    /// When time next ends something about it: the token itself, or its predecessor.
    pub(super) fn end(&self) -> DateTime<Utc> {
        let Self { current, previous, .. } = self;
        previous.as_ref().map_or(current.expires_at, |previous| previous.valid_until.min(current.expires_at))
    }

    /// What published Secrets are made of.
    pub(super) fn tokens(&self) -> Tokens {
        let previous = self.previous.as_ref().map(|previous| previous.token.clone());
        Tokens { current: self.current.clone(), previous }
    }

    /// What the Secret is to record.
    pub(super) fn record(&self) -> Record {
        let Self { current, previous, service_account_uid, serial, changes: _ } = self;
        Record {
            token: current.clone(),
            next: None,
            previous: previous.clone(),
            service_account_uid: service_account_uid.clone(),
            serial: *serial,
        }
    }

    /// The status does not know the token yet.
    pub(super) fn is_news(&self) -> bool {
        self.changes.iter().any(|change| !matches!(change, TokenChange::Retired(_)))
    }
}

/// A difference between the recorded token and the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenChange {
    /// The key's first token.
    First,
    /// A successor, by revision or by renewal.
    Rotated,
    /// A replacement for one that its Secret lost.
    Reissued,
    /// The predecessor's time is over.
    Retired(TokenStatus),
}

/// What of a token is settled before its bytes are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// The revision it is for.
    pub(super) revision: i64,
    /// When it is issued.
    pub(super) issued_at: DateTime<Utc>,
    /// When it expires.
    pub(super) expires_at: DateTime<Utc>,
}

impl Term {
    /// That of a new token for what `key` asks for.
    pub(super) fn new(key: &Key, issued_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> Self {
        let revision = match (key.spec.revision, &key.status.token) {
            (Some(asked), None) => asked,
            (None, None) => FIRST_REVISION,
            (Some(asked), Some(last)) if is_raised(&key.spec, last) => asked,
            (_, Some(last)) => last.revision,
        };
        Self { revision, issued_at, expires_at }
    }

    /// That of a token.
    pub(super) fn of(token: &TokenStatus) -> Self {
        Self { revision: token.revision, issued_at: token.issued_at, expires_at: token.expires_at }
    }
}

/// The token that the status records, or that the Secret holds and the status does not know yet.
pub(super) fn recorded(observed: &Observed, parent: &FoundParent, now: DateTime<Utc>) -> Option<Recorded> {
    let status = &observed.key.status;
    let Some(current) = status.token.clone() else {
        return from_secret(observed, parent, now);
    };
    let service_account_uid = status.service_account_uid.clone().unwrap_or_else(|| parent.uid.clone());
    let serial = status.serial.unwrap_or_else(|| last_serial(observed, parent));
    if let Some(next) = status.next_token.clone().filter(|next| holds(&observed.secret, next)) {
        let previous = left_behind(&observed.key.spec, &current, Term::of(&next), now);
        let change =
            if is_rotation(&current, Term::of(&next)) { TokenChange::Rotated } else { TokenChange::Reissued };
        let dropped = status.previous_token.clone().map(|previous| TokenChange::Retired(previous.token));
        let changes = dropped.into_iter().chain([change]).collect();
        return Some(Recorded { current: next, previous, service_account_uid, serial, changes });
    }
    let (previous, changes) = match status.previous_token.clone() {
        Some(previous) if previous.valid_until <= now => (None, vec![TokenChange::Retired(previous.token)]),
        previous => (previous, Vec::new()),
    };
    Some(Recorded { current, previous, service_account_uid, serial, changes })
}

/// A token that reached its Secret but not the status, or whose status was lost. The controller sealed it for
/// this key and this service account, and the seat knows of no later one. The account allows it still.
fn from_secret(observed: &Observed, parent: &FoundParent, now: DateTime<Utc>) -> Option<Recorded> {
    let SecretView::Owned(secret) = &observed.secret else {
        return None;
    };
    let Record { token, next: _, previous, service_account_uid, serial } = secret.record.sealed()?.clone();
    let is_last = parent.seat.and_then(|seat| seat.serial).is_some_and(|last| serial >= last);
    let latest = observed.policy.limits.max_valid_for.after(token.issued_at);
    let is_allowed = token.issued_at <= now && latest.is_some_and(|latest| token.expires_at <= latest);
    let is_it = holds(&observed.secret, &token) && service_account_uid == parent.uid;
    (is_it && is_last && is_allowed).then(|| Recorded {
        current: token,
        previous,
        service_account_uid,
        serial,
        changes: vec![TokenChange::First],
    })
}

/// The greatest serial that anything of the key is known to have.
pub(super) fn last_serial(observed: &Observed, parent: &FoundParent) -> i64 {
    let in_secret = match &observed.secret {
        SecretView::Owned(secret) => secret.record.sealed().map(|record| record.serial),
        SecretView::Absent | SecretView::Foreign | SecretView::LeftBehind { .. } => None,
    };
    let in_seat = parent.seat.and_then(|seat| seat.serial);
    let known = [observed.key.status.serial, in_seat, in_secret];
    known.into_iter().flatten().max().unwrap_or_default()
}

fn holds(secret: &SecretView, token: &TokenStatus) -> bool {
    matches!(secret, SecretView::Owned(owned)
        if matches!(&owned.holds, Holds::Token { sha256, .. } if *sha256 == token.sha256))
}

/// Whether `next` succeeds `current` by revision or renewal, and does not just replace a lost one.
fn is_rotation(current: &TokenStatus, next: Term) -> bool {
    next.expires_at != current.expires_at || next.revision != current.revision
}

/// What stays good of `current` once `next` has succeeded it.
pub(super) fn left_behind(
    spec: &AccessKeySpec,
    current: &TokenStatus,
    next: Term,
    now: DateTime<Utc>,
) -> Option<PreviousTokenStatus> {
    overlap(spec, current, next).filter(|previous| is_rotation(current, next) && previous.valid_until > now)
}

fn overlap(spec: &AccessKeySpec, current: &TokenStatus, next: Term) -> Option<PreviousTokenStatus> {
    let overlap = spec.rotation.as_ref()?.overlap.as_ref()?;
    let until = Period::parse(&overlap.0).ok()?.after(next.issued_at)?;
    Some(PreviousTokenStatus { token: current.clone(), valid_until: until.min(current.expires_at) })
}

/// Until when a recorded `nextToken` is still taken to be on its way into the Secret.
pub(super) fn staging(observed: &Observed, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let next = observed.key.status.next_token.as_ref()?;
    let until = next.issued_at + TimeDelta::seconds(STAGING_GRACE_SECONDS);
    (until > now && !holds(&observed.secret, next)).then_some(until)
}

/// Until when no token is drawn for a Secret that does not hold the one that was drawn for it. Nobody else
/// wrote that Secret, or hardly had time to: whatever is wrong with it, the next one may be wrong in the same
/// way.
pub(super) fn just_drawn(secret: &OwnedSecret, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let drawn_at = secret.record.sealed()?.token.issued_at;
    let until = drawn_at + TimeDelta::seconds(BETWEEN_TOKENS_SECONDS);
    (drawn_at <= now && now < until).then_some(until)
}

/// When a token that is issued now would expire.
pub(super) fn lifetime(
    spec: &AccessKeySpec,
    limits: &Limits,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Refusal> {
    if let Some(problem) = limits.problem(now) {
        return Err((Reason::InvalidLimits, problem));
    }
    let out_of_range = |message| (Reason::ExpiryOutOfRange, message);
    let (given, expires_at) = match (&spec.valid_for, spec.expires_at) {
        (_, Some(expires_at)) => (format!("spec.expiresAt {}", rfc3339(expires_at)), expires_at),
        (Some(text), None) => {
            let period =
                Period::parse(&text.0).map_err(|error| out_of_range(format!("spec.validFor {error}")))?;
            let too_far =
                || out_of_range(format!("spec.validFor {} reaches beyond the end of the calendar", text.0));
            (format!("spec.validFor {}", text.0), period.after(now).ok_or_else(too_far)?)
        }
        (None, None) => {
            return Err(out_of_range(
                "exactly one of spec.validFor and spec.expiresAt must be set; neither is".into(),
            ));
        }
    };
    limits.check_expiry(&given, now, expires_at).map_err(out_of_range)?;
    match renewal_time(spec, expires_at) {
        Some(Ok(at)) if at > now => Ok(expires_at),
        None => Ok(expires_at),
        Some(Ok(_)) => Err((
            Reason::InvalidRotation,
            format!(
                "spec.rotation.renewBefore is {} and {given}; the renewal must be later than the issue",
                renew_before(spec)
            ),
        )),
        Some(Err(message)) => Err((Reason::InvalidRotation, message)),
    }
}

/// Why no token can be issued for `spec`, whoever else is admitted.
pub fn violation(spec: &AccessKeySpec, limits: &Limits, now: DateTime<Utc>) -> Option<(Reason, String)> {
    lifetime(spec, limits, now).err()
}

fn renew_before(spec: &AccessKeySpec) -> &str {
    spec.rotation.as_ref().map_or("", |RotationSpec { renew_before, .. }| &renew_before.0)
}

fn renewal_time(spec: &AccessKeySpec, expires_at: DateTime<Utc>) -> Option<Result<DateTime<Utc>, String>> {
    let RotationSpec { renew_before, overlap } = spec.rotation.as_ref()?;
    let parse = |field: &str, text: &str| {
        Period::parse(text).map_err(|error| format!("spec.rotation.{field} {error}"))
    };
    Some((|| {
        if let Some(overlap) = overlap {
            parse("overlap", &overlap.0)?;
        }
        let period = parse("renewBefore", &renew_before.0)?;
        period.before(expires_at).ok_or_else(|| format!("spec.rotation.renewBefore {period} is too long"))
    })())
}

/// Whether the next token is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// No.
    NotDue,
    /// Yes: when it would expire, or why it cannot be issued.
    Due(Result<DateTime<Utc>, Refusal>),
}

/// What `spec.revision` is to the revision that was issued last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The same, or none.
    Nothing,
    /// Greater: a new token is asked for.
    Raised,
    /// Lower: somebody rotated elsewhere, or Git went back.
    Behind,
    /// Greater by more than is allowed at once.
    TooFar,
}

pub(super) fn asked(spec: &AccessKeySpec, last: &TokenStatus) -> Asked {
    match spec.revision.map(|asked| asked.saturating_sub(last.revision)) {
        None | Some(0) => Asked::Nothing,
        Some(..0) => Asked::Behind,
        Some(1..=MOST_REVISIONS_AT_ONCE) => Asked::Raised,
        Some(_) => Asked::TooFar,
    }
}

/// Whether a new token is asked for.
pub(super) fn is_raised(spec: &AccessKeySpec, last: &TokenStatus) -> bool {
    asked(spec, last) == Asked::Raised
}

/// Whether `current` is to be succeeded: its revision was raised, or its renewal time has come.
pub(super) fn renewal(observed: &Observed, current: &TokenStatus, now: DateTime<Utc>) -> Renewal {
    let spec = &observed.key.spec;
    let due = is_raised(spec, current)
        || match renewal_time(spec, current.expires_at) {
            None => false,
            Some(Ok(at)) => at <= now,
            Some(Err(_)) => true,
        };
    if due { Renewal::Due(lifetime(spec, &observed.policy.limits, now)) } else { Renewal::NotDue }
}

/// The next moment at which time alone changes something.
pub(super) fn next_look(observed: &Observed, token: &Recorded, now: DateTime<Utc>) -> DateTime<Utc> {
    let renewal = renewal_time(&observed.key.spec, token.current.expires_at).and_then(Result::ok);
    renewal.filter(|at| *at > now).map_or(token.end(), |at| at.min(token.end()))
}
