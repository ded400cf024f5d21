//! What the conditions of an access key say in each situation.

use chrono::{DateTime, Utc};

use crate::api::AccessKeySpec;
use crate::api::access_key::{MOST_REVISIONS_AT_ONCE, TokenStatus};
use crate::api::{ConditionType, Reason};
use crate::domain::access_key::observed::Key;
use crate::domain::access_key::token::{self, Asked};
use crate::domain::conditions::{Progress, Remark, Summary};
use crate::domain::value::time::rfc3339;

pub(super) fn inactive() -> Summary {
    Summary {
        active: Some(false),
        progress: Progress::Settled,
        reason: Reason::Inactive,
        message: "Key is inactive as requested by spec.state".into(),
    }
}

pub(super) fn service_account_inactive(key: &Key) -> Summary {
    Summary {
        active: Some(false),
        progress: Progress::Settled,
        reason: Reason::ServiceAccountInactive,
        message: format!("{} is inactive as requested by its spec.state", service_account(key)),
    }
}

/// `no_successor` says why the token that was requested instead cannot be issued.
pub(super) fn expired_summary(token: &TokenStatus, no_successor: Option<String>) -> Summary {
    let way_out = no_successor.map_or_else(
        || "raise spec.revision for a new token, or delete the key".to_owned(),
        |why| format!("no new token can be issued: {why}"),
    );
    Summary {
        active: Some(false),
        progress: Progress::Stalled,
        reason: Reason::Expired,
        message: format!("Key expired at {}; {way_out}", rfc3339(token.expires_at)),
    }
}

/// Something that only a user can help with, while the key does or does not authenticate.
pub(super) fn trouble(active: bool, (reason, message): (Reason, String)) -> Summary {
    Summary { active: Some(active), progress: Progress::Stalled, reason, message }
}

pub(super) fn issued_summary(token: &TokenStatus) -> Summary {
    Summary {
        active: Some(true),
        progress: Progress::Settled,
        reason: Reason::Issued,
        message: format!("Key {} issued; expires {}", token.id, rfc3339(token.expires_at)),
    }
}

/// Said beside the others while the end is near.
pub(super) fn expiring(token: &TokenStatus) -> Remark {
    Remark {
        type_: ConditionType::Expiring,
        reason: Reason::Expiring,
        message: format!(
            "Key {} expires at {}; raise spec.revision or set spec.rotation for a new token",
            token.id,
            rfc3339(token.expires_at)
        ),
    }
}

/// Said beside the others where `spec.revision` asks for a token and gets none.
pub(super) fn revision_remark(spec: &AccessKeySpec, last: &TokenStatus) -> Option<Remark> {
    let (reason, why) = match token::asked(spec, last) {
        Asked::Nothing | Asked::Raised => return None,
        Asked::Behind => (Reason::RevisionBehind, "it is behind, so no token is issued for it".to_owned()),
        Asked::TooFar => {
            let why = format!("it is more than {MOST_REVISIONS_AT_ONCE} ahead, so no token is issued for it");
            (Reason::RevisionTooFar, why)
        }
    };
    let (asked, last) = (spec.revision.unwrap_or_default(), last.revision);
    Some(Remark {
        type_: ConditionType::RevisionBehind,
        reason,
        message: format!(
            "spec.revision is {asked} and {last} was issued last: {why}; set it to {} for a new token",
            last + 1
        ),
    })
}

/// Said beside the others of a key that nobody uses.
pub(super) fn unused_remark(since: DateTime<Utc>, off_at: Option<DateTime<Utc>>) -> Remark {
    let then = off_at.map_or_else(String::new, |at| {
        format!("; it is switched off at {} unless it is used or its spec is changed before", rfc3339(at))
    });
    Remark {
        type_: ConditionType::Unused,
        reason: Reason::UnusedWarning,
        message: format!("Key was not used since {}{then}", rfc3339(since)),
    }
}

pub(super) fn unused(since: DateTime<Utc>) -> Summary {
    Summary {
        active: Some(false),
        progress: Progress::Settled,
        reason: Reason::Unused,
        message: format!(
            "Key was not used since {}, so it is switched off as the account's spec.unusedAccessKeys asks; raise \
             spec.revision, or set spec.state to Inactive and back, to use it again",
            rfc3339(since)
        ),
    }
}

pub(super) fn publishing(token: &TokenStatus) -> Summary {
    Summary {
        active: Some(true),
        progress: Progress::Reconciling,
        reason: Reason::Publishing,
        message: format!("Key {} is good and on its way into the Secrets of spec.publish", token.id),
    }
}

pub(super) fn service_account(key: &Key) -> String {
    format!("ServiceAccount.iam.keyward.dev \"{}\"", key.spec.service_account_name)
}
