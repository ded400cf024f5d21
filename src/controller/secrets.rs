//! The only reader of whole Secrets. For decisions, what one holds is looked at here and goes no further.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use zeroize::Zeroizing;

use crate::api::access_key::TokenStatus;
use crate::api::{SECRET_TYPE, names};
use crate::controller::field_manager::FIELD_MANAGER;
use crate::controller::watch::store::SecretMeta;
use crate::domain::access_key::publish::secrets::{NamespacedName, PublishedSecret};
use crate::domain::access_key::record::{Record, Trust};
use crate::domain::access_key::secret;
use crate::domain::access_key::secret::{Content, OwnedNames};
use crate::domain::access_key::{Key, OwnedSecret, SecretView};
use crate::runtime::client::{CallError, bounded};
use crate::runtime::held_secret::HeldSecret;

/// Reads Secrets with their data.
#[derive(Clone)]
pub(super) struct Secrets {
    client: Client,
}

impl Secrets {
    /// A reader that asks with `client`.
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The Secrets of a namespace.
    pub(super) fn of(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The Secret of that name, as the API server has it.
    pub(super) async fn get(&self, id: &NamespacedName) -> Result<Option<HeldSecret>, CallError> {
        let found = bounded("read secret", self.of(&id.namespace).get_opt(&id.name)).await?;
        Ok(found.map(HeldSecret::from))
    }
}

/// Whether a Secret is the key's to write. Its type counts too: it cannot be changed, and the control plane
/// acts on some.
pub(super) fn is_key_secret(secret: &Secret, key: &Key) -> bool {
    secret.type_.as_deref() == Some(SECRET_TYPE) && is_owned(secret, &key.object.uid)
}

pub(super) fn is_owned(secret: &impl Resource, key_uid: &str) -> bool {
    let owners = secret.meta().owner_references.as_deref().unwrap_or_default();
    owners.iter().any(|owner| owner.controller == Some(true) && owner.uid == key_uid)
}

/// Whether a Secret is one that Keyward wrote for a key and that has no owner. Keyward gives each its key for
/// an owner, but most restores from a backup leave owners out.
fn is_left_behind(secret: &Secret) -> bool {
    secret.type_.as_deref() == Some(SECRET_TYPE)
        && secret.owner_references().is_empty()
        && secret.labels().get(names::MANAGED_BY).is_some_and(|by| by == names::KEYWARD)
        && Record::from_annotations(secret.annotations()).is_some()
}

/// Whether a Secret was published for the key. In the key's own namespace it says so by its owner, elsewhere
/// by an annotation, which only those can write who could write the whole Secret.
pub(super) fn is_published_for(secret: &impl Resource, key: &Key) -> bool {
    let meta = secret.meta();
    let annotation = |name: &str| meta.annotations.as_ref().and_then(|all| all.get(name));
    let here = meta.namespace.as_deref() == Some(key.object.namespace.as_str());
    annotation(names::PUBLISHED).is_some()
        && annotation(names::PUBLISHED_BY_UID) == Some(&key.object.uid)
        && (!here || is_owned(secret, &key.object.uid))
}

/// A published Secret as decisions see it; `checked` where this version of it was found right.
pub(super) fn published_secret(secret: &impl Resource, checked: bool) -> PublishedSecret {
    let meta = secret.meta();
    PublishedSecret {
        id: NamespacedName {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        },
        uid: meta.uid.clone().unwrap_or_default(),
        resource_version: meta.resource_version.clone().unwrap_or_default(),
        made_of: meta.annotations.as_ref().and_then(|all| all.get(names::PUBLISHED)).cloned(),
        checked,
    }
}

/// A whole Secret as decisions see it.
pub(super) fn view(secret: &Secret, key: &Key, trust: &Trust) -> SecretView {
    if is_left_behind(secret) {
        return SecretView::LeftBehind { uid: secret.uid().unwrap_or_default() };
    }
    if !is_key_secret(secret, key) {
        return SecretView::Foreign;
    }
    let record = trust.of_annotations(&key.object.uid, secret.annotations());
    let known: Vec<TokenStatus> =
        [&key.status.token, &key.status.next_token].into_iter().flatten().cloned().collect();
    let holds =
        secret::inspect(&content(secret), &key.owner(), &known, record.sealed(), &owned_names(secret));
    let resource_version = secret.resource_version().unwrap_or_default();
    SecretView::Owned(OwnedSecret { resource_version, record, holds })
}

/// A Secret's labels, annotations and data.
pub(super) fn content(secret: &Secret) -> Content {
    let data = secret.data.iter().flatten();
    Content {
        type_: secret.type_.clone().unwrap_or_default(),
        labels: secret.labels().clone(),
        annotations: secret.annotations().clone(),
        data: data.map(|(key, value)| (key.clone(), Zeroizing::new(value.0.clone()))).collect(),
    }
}

/// The labels and annotations that the controller set, as the API server's `managedFields` record them.
pub(super) fn owned_names(secret: &Secret) -> OwnedNames {
    let mut owned = OwnedNames::default();
    let entries = secret.metadata.managed_fields.iter().flatten();
    for entry in entries.filter(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER)) {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
        let names = |of: &str| -> Vec<String> {
            let map = fields.and_then(|fields| fields.get("f:metadata")?.get(of)?.as_object());
            map.into_iter()
                .flatten()
                .filter_map(|(name, _)| name.strip_prefix("f:").map(str::to_owned))
                .collect()
        };
        owned.labels.extend(names("f:labels"));
        owned.annotations.extend(names("f:annotations"));
    }
    owned
}

/// The metadata alone, as it would come by watch.
pub(super) fn metadata_of(secret: &Secret) -> SecretMeta {
    let metadata = ObjectMeta { managed_fields: None, ..secret.metadata.clone() };
    PartialObjectMeta { types: None, metadata, _phantom: std::marker::PhantomData }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_what_keyward_wrote_and_nobody_owns_was_left_behind() {
        let annotations = json!({
            "iam.keyward.dev/key-id": "l75doUeBBMSL", "iam.keyward.dev/sha256": "00", "iam.keyward.dev/revision": "1",
            "iam.keyward.dev/issued-at": "2026-11-23T22:36:14Z", "iam.keyward.dev/expires-at": "2027-05-23T22:36:14Z",
            "iam.keyward.dev/service-account-uid": "sa-uid",
        });
        let owner = json!([{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}]);
        let secret = |change: Value| -> Secret {
            let mut secret = json!({
                "type": "iam.keyward.dev/access-key",
                "metadata": {"labels": {"app.kubernetes.io/managed-by": "keyward"}, "annotations": annotations},
            });
            merge(&mut secret, change);
            serde_json::from_value(secret).unwrap()
        };
        assert!(is_left_behind(&secret(json!({}))));
        for change in [
            json!({"type": "Opaque"}),
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}),
            json!({"metadata": {"annotations": {"iam.keyward.dev/sha256": null}}}),
            json!({"metadata": {"ownerReferences": owner}}),
        ] {
            assert!(!is_left_behind(&secret(change.clone())), "{change}");
        }
    }

    /// As a merge patch does.
    fn merge(into: &mut Value, change: Value) {
        match (into, change) {
            (Value::Object(into), Value::Object(change)) => {
                for (name, value) in change {
                    if value.is_null() {
                        into.remove(&name);
                    } else {
                        merge(into.entry(name).or_insert(Value::Null), value);
                    }
                }
            }
            (into, change) => *into = change,
        }
    }
}
