//! What a verdict reads of keys, service accounts and grants: the least that answers, since there are many.

use kube::{Resource as _, ResourceExt as _};

use crate::api::access_key::{KeyState, TokenStatus};
use crate::api::resource_grant::{Category, Impersonation, Role};
use crate::api::service_account::ServiceAccountState;
use crate::api::shared::DesiredState;
use crate::api::{AccessKey, ResourceGrant, ServiceAccount};
use crate::domain::access_key::record::Claim;
use crate::domain::value::digest::{Sha256Hash, parse_hex};
use crate::domain::value::token::TokenId;

/// Which of a key's tokens it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// The one in the Secret.
    Current,
    /// Its successor, good already and on its way into the Secret.
    Next,
    /// The one before it, in its overlap.
    Previous,
}

/// One token, without its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// SHA-256 of the whole token.
    pub hash: Sha256Hash,
    /// Which of the key's tokens it is.
    pub kind: TokenKind,
    /// Until when it is good, in seconds since 1970.
    pub good_until: i64,
}

/// One access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Name of the service account that it names.
    pub service_account: String,
    /// UID of the one that it was issued for; empty until it is.
    pub issued_for: String,
    /// What it is. Off at once where the spec asks for it, also when no controller runs.
    pub state: KeyState,
    /// Its tokens.
    pub tokens: Vec<(TokenId, StoredToken)>,
    /// The controller's seal on them, not checked yet.
    pub claim: Option<Claim>,
    /// When it was last used, as recorded, in seconds since 1970.
    pub last_used_at: Option<i64>,
}

impl KeyFacts {
    /// Reads them; `None` for a key that is being deleted.
    pub fn of(key: &AccessKey) -> Option<Self> {
        if key.meta().deletion_timestamp.is_some() {
            return None;
        }
        let status = key.status.as_ref();
        let recorded = status.and_then(|status| status.state).unwrap_or(KeyState::Pending);
        let off = key.spec.state == DesiredState::Inactive;
        Some(Self {
            service_account: key.spec.service_account_name.clone(),
            issued_for: status.and_then(|status| status.service_account_uid.clone()).unwrap_or_default(),
            state: if off { KeyState::Inactive } else { recorded },
            tokens: tokens(key),
            claim: status.and_then(|status| Claim::of_status(key.meta().uid.as_deref()?, status)),
            last_used_at: status.and_then(|status| status.last_used_at).map(|at| at.timestamp()),
        })
    }
}

fn tokens(key: &AccessKey) -> Vec<(TokenId, StoredToken)> {
    let Some(status) = &key.status else { return Vec::new() };
    let one = |token: &TokenStatus, kind, good_until| {
        let hash = parse_hex(&token.sha256)?;
        Some((TokenId::parse(&token.id)?, StoredToken { hash, kind, good_until }))
    };
    let whole = |token: &TokenStatus, kind| one(token, kind, token.expires_at.timestamp());
    let current = status.token.as_ref().and_then(|token| whole(token, TokenKind::Current));
    let next = status.next_token.as_ref().and_then(|token| whole(token, TokenKind::Next));
    let previous = status.previous_token.as_ref().and_then(|previous| {
        let until = previous.valid_until.min(previous.token.expires_at).timestamp();
        one(&previous.token, TokenKind::Previous, until)
    });
    [current, next, previous].into_iter().flatten().collect()
}

/// What a service account is to keys that name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderState {
    /// They may authenticate.
    Active,
    /// It is switched off.
    Inactive,
    /// It is not admitted.
    Rejected,
    /// There is none of that name.
    Gone,
    /// Another has the name of the one that they were issued for.
    Replaced,
}

impl HolderState {
    /// What the service account of the name that keys give is to those that were issued for `uid`.
    pub fn to_keys_of(uid: &str, service_account: Option<&ServiceAccountFacts>) -> Self {
        match service_account {
            None => Self::Gone,
            Some(facts) if facts.uid != uid => Self::Replaced,
            Some(facts) => facts.state,
        }
    }
}

/// One service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountFacts {
    /// Its UID.
    pub uid: String,
    /// What it is to the keys that were issued for it.
    pub state: HolderState,
}

impl ServiceAccountFacts {
    /// Reads them; `None` for a service account that is being deleted.
    pub fn of(service_account: &ServiceAccount) -> Option<Self> {
        if service_account.meta().deletion_timestamp.is_some() {
            return None;
        }
        let recorded = service_account.status.as_ref().and_then(|status| status.state);
        let state = match (service_account.spec.state, recorded) {
            (DesiredState::Inactive, _) | (_, Some(ServiceAccountState::Inactive)) => HolderState::Inactive,
            (_, Some(ServiceAccountState::Rejected)) => HolderState::Rejected,
            (_, Some(ServiceAccountState::Active) | None) => HolderState::Active,
        };
        Some(Self { uid: service_account.uid().unwrap_or_default(), state })
    }
}

/// What a service account may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Category of the resource.
    pub category: Category,
    /// Name of the resource.
    pub name: Box<str>,
    /// How much may be done there.
    pub role: Role,
    /// Whether keys may act for others there.
    pub impersonation: bool,
}

/// One grant, with whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantFacts {
    /// Name of the service account.
    pub service_account: String,
    /// What it may reach.
    pub grant: Grant,
}

impl GrantFacts {
    /// Reads them; `None` for a grant that is being deleted.
    pub fn of(object: &ResourceGrant) -> Option<Self> {
        if object.meta().deletion_timestamp.is_some() {
            return None;
        }
        let grant = Grant {
            category: object.spec.resource.category,
            name: object.spec.resource.name.as_str().into(),
            role: object.spec.role,
            impersonation: object.spec.impersonation == Impersonation::Enabled,
        };
        Some(Self { service_account: object.spec.service_account_name.clone(), grant })
    }
}
