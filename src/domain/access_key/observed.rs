//! What the decision about an access key reads.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;

use crate::api::access_key::AccessKeyStatus;
use crate::api::shared::{DesiredState, Seat};
use crate::api::{AccessKey, AccessKeySpec, Kind, ServiceAccount};
use crate::domain::access_key::publish::allowed::{Refusal, restrict};
use crate::domain::access_key::publish::secrets::{NamespacedName, Published};
use crate::domain::access_key::record::{Distrust, SecretRecord, Trust};
use crate::domain::access_key::secret::{Holds, SecretOwner};
use crate::domain::account::limits::Limits;
use crate::domain::account::policy::AccountPolicy;
use crate::domain::account::publishing::{NotAllowed, Publishing};
use crate::domain::audit::entry::Target;
use crate::domain::object::{Object, Stamps};
use crate::domain::refused::Failed;
use crate::domain::service_account::{Admission, admission, wanted_display_name};

/// Everything that the decision about one key reads.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The key.
    pub key: Key,
    /// Its service account.
    pub service_account: Parent,
    /// The policy of its account.
    pub policy: AccountPolicy,
    /// Its Secret.
    pub secret: SecretView,
    /// The admins of another service account may still read a Secret of that name: one that was there before.
    pub name_granted: bool,
    /// Its published Secrets.
    pub published: Published,
    /// Tokens from before there were seals are still being sealed.
    pub adopting: bool,
    /// What could not be done in this pass.
    pub failed: Failed,
}

/// The key itself.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its metadata.
    pub object: Object,
    /// What it asks for.
    pub spec: AccessKeySpec,
    /// What was recorded. Tokens that are not believed are not in it.
    pub status: AccessKeyStatus,
    /// Why tokens that status names are not believed, where they are not.
    pub distrust: Option<Distrust>,
    /// What of its Secrets the accounts of their namespaces do not allow. It is not in the spec.
    pub refusals: Vec<Refusal>,
}

impl Key {
    /// The key that `object` is.
    pub fn of(object: &AccessKey, stamps: Stamps, trust: &Trust) -> Self {
        let object_meta = Object::of(object, stamps);
        let status = object.status.clone().unwrap_or_default();
        let distrust = trust.of_status(&object_meta.uid, &status).err();
        let status = if distrust.is_some() { without_tokens(status) } else { status };
        Self { object: object_meta, spec: object.spec.clone(), status, distrust, refusals: Vec::new() }
    }

    /// The key with what remains of its Secrets, where `publishing` says what the account of a namespace
    /// allows.
    #[must_use]
    pub fn restricted(mut self, publishing: impl Fn(&str) -> Publishing) -> Self {
        let Self { object, spec, refusals, .. } = &mut self;
        *refusals = restrict(spec, (&object.name, &object.namespace), publishing);
        self
    }

    /// The key as the owner of its Secret.
    pub fn owner(&self) -> SecretOwner<'_> {
        SecretOwner { spec: &self.spec, name: &self.object.name, account: &self.object.namespace }
    }

    /// Whether the key's own Secret has the labels and annotations that are asked for, and none that is
    /// refused.
    pub fn is_marked(&self, secret: &ObjectMeta) -> bool {
        let has = |map: &Option<BTreeMap<String, String>>, key: &str| {
            map.as_ref().is_some_and(|map| map.contains_key(key))
        };
        let refused = |refusal: &&Refusal| match &refusal.what {
            NotAllowed::Label(key) => has(&secret.labels, key),
            NotAllowed::Annotation(key) => has(&secret.annotations, key),
            NotAllowed::Name | NotAllowed::Type(_) => false,
        };
        let of_own = self.refusals.iter().filter(|refusal| refusal.entry.is_none());
        self.owner().is_marked(secret) && of_own.filter(refused).count() == 0
    }

    /// What the key's own Secret is called.
    pub fn secret_id(&self) -> NamespacedName {
        let name = self.owner().secret_name().to_owned();
        NamespacedName { namespace: self.object.namespace.clone(), name }
    }

    pub(super) fn target(&self) -> Target {
        Target { kind: Kind::AccessKey, name: self.object.name.clone(), uid: self.object.uid.clone() }
    }
}

/// A status that nobody vouches for says nothing about tokens, nor whom they were issued for.
fn without_tokens(status: AccessKeyStatus) -> AccessKeyStatus {
    AccessKeyStatus {
        token: None,
        next_token: None,
        previous_token: None,
        service_account_uid: None,
        serial: None,
        seal: None,
        secret_name: None,
        secret_resource_version: None,
        ..status
    }
}

/// The service account that a key names.
#[derive(Clone, Debug)]
pub enum Parent {
    /// There is none, and the key was issued for none.
    Missing,
    /// The one that the key was issued for is gone; one of the same name may exist.
    Gone,
    /// It exists.
    Found(FoundParent),
}

/// A seat that a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenSeat {
    /// Its place in the list.
    pub index: usize,
    /// The serial that it names; `None` where it is from before there were serials.
    pub serial: Option<i64>,
}

/// A service account that exists.
#[derive(Clone, Debug)]
pub struct FoundParent {
    /// Its UID.
    pub uid: String,
    /// Who changed its spec last, as entries name them.
    pub changed_by: String,
    /// Whether a user switched it off.
    pub state: DesiredState,
    /// Whether its account admits it.
    pub admission: Admission,
    /// The seat that it has given the key.
    pub seat: Option<GivenSeat>,
    /// How many seats it has given.
    pub seats_taken: usize,
    /// Keys it names as ones that could go.
    pub removable: Vec<String>,
}

impl FoundParent {
    /// The service account of `view` to the key with `key_uid`, in an account with these limits and seats.
    pub fn of(view: ParentView<'_>, key_uid: &str, account: Option<(&Limits, &[Seat])>) -> Self {
        let ParentView { uid, changed_by, state, display_name, seats, removable } = view;
        Self {
            uid: uid.to_owned(),
            changed_by,
            state,
            admission: admission(account, uid, display_name),
            seat: seats
                .iter()
                .enumerate()
                .find(|(_, seat)| seat.uid == key_uid)
                .map(|(index, seat)| GivenSeat { index, serial: seat.serial }),
            seats_taken: seats.len(),
            removable: removable.to_vec(),
        }
    }
}

/// What keys read of their service account. A change of it is what has them looked at again. Borrowed, since
/// every key reads the seats of all.
#[derive(Clone, Debug, PartialEq)]
pub struct ParentView<'a> {
    uid: &'a str,
    changed_by: String,
    state: DesiredState,
    display_name: &'a str,
    seats: &'a [Seat],
    removable: &'a [String],
}

impl<'a> ParentView<'a> {
    /// What keys read of `object`.
    pub fn of(object: &'a ServiceAccount, stamps: Stamps) -> Self {
        let status = object.status.as_ref();
        let name = object.meta().name.as_deref().unwrap_or_default();
        Self {
            uid: object.meta().uid.as_deref().unwrap_or_default(),
            changed_by: stamps.changed_by(object),
            state: object.spec.state,
            display_name: wanted_display_name(&object.spec, name),
            seats: status.map(|status| status.seats.as_slice()).unwrap_or_default(),
            removable: status.map(|status| status.removable_keys.as_slice()).unwrap_or_default(),
        }
    }
}

/// The Secret of the key's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretView {
    /// There is none.
    Absent,
    /// It does not belong to the key.
    Foreign,
    /// Keyward made it for a key that is gone, and nobody owns it: most restores from a backup leave such
    /// Secrets.
    LeftBehind {
        /// Its UID.
        uid: String,
    },
    /// It belongs to the key.
    Owned(OwnedSecret),
}

/// A Secret that belongs to the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedSecret {
    /// Its version.
    pub resource_version: String,
    /// What its annotations record.
    pub record: SecretRecord,
    /// What it holds.
    pub holds: Holds,
}
