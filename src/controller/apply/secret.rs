//! The one way to write a Secret, a key's own or a published one. A token is held only while it is written.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};

use crate::api::{AccessKey, Kind};
use crate::controller::apply::Applier;
use crate::controller::field_manager::post;
use crate::controller::secrets::owned_names;
use crate::domain::access_key::publish::secrets::NamespacedName;
use crate::domain::access_key::secret::Content;
use crate::runtime::client::{CallError, bounded};
use crate::runtime::held_secret::HeldSecret;

impl Applier {
    /// Creates a Secret for a key. One in the key's namespace is owned by it, and goes with it.
    pub(super) async fn create_secret(
        &self,
        key: &AccessKey,
        id: &NamespacedName,
        wanted: Content,
    ) -> Result<HeldSecret, CallError> {
        let here = key.namespace().as_deref() == Some(id.namespace.as_str());
        let secret = Secret {
            metadata: ObjectMeta {
                name: Some(id.name.clone()),
                namespace: Some(id.namespace.clone()),
                owner_references: key.controller_owner_ref(&()).filter(|_| here).map(|owner| vec![owner]),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        };
        let secrets = self.secrets.of(&id.namespace);
        let secret = with(secret.into(), wanted);
        let created = bounded("create Secret", secrets.create(&post(), &secret)).await?;
        self.metrics.wrote(Kind::Secret);
        Ok(created.into())
    }

    /// Replaces the content of the Secret that was `found`, if it is still that version. Labels and
    /// annotations of others stay.
    pub(super) async fn rewrite_secret(
        &self,
        found: HeldSecret,
        mut wanted: Content,
    ) -> Result<HeldSecret, CallError> {
        let own = owned_names(&found);
        keep_of_others(&mut wanted.labels, found.labels(), &own.labels);
        keep_of_others(&mut wanted.annotations, found.annotations(), &own.annotations);
        let name = found.name_any();
        let secrets = self.secrets.of(&found.namespace().unwrap_or_default());
        let secret = with(found, wanted);
        let written = bounded("update Secret", secrets.replace(&name, &post(), &secret)).await?;
        self.metrics.wrote(Kind::Secret);
        Ok(written.into())
    }
}

fn with(mut secret: HeldSecret, content: Content) -> HeldSecret {
    let Content { type_, labels, annotations, data } = content;
    let data = data.into_iter().map(|(key, mut value)| (key, ByteString(std::mem::take(&mut *value))));
    let before = secret.data.replace(data.collect());
    drop(HeldSecret::from(Secret { data: before, ..Secret::default() }));
    secret.type_ = Some(type_);
    secret.metadata.labels = Some(labels);
    secret.metadata.annotations = Some(annotations);
    secret.metadata.managed_fields = None;
    secret
}

/// Adds to `wanted` what `found` has and Keyward did not set.
fn keep_of_others(wanted: &mut BTreeMap<String, String>, found: &BTreeMap<String, String>, own: &[String]) {
    for (name, value) in found {
        if !own.contains(name) && !wanted.contains_key(name) {
            wanted.insert(name.clone(), value.clone());
        }
    }
}
