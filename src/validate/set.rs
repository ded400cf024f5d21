//! All manifests together: the objects of each namespace.

use std::collections::{BTreeMap, HashMap};

use crd_check::node::Node;
use serde::de::DeserializeOwned;

use super::manifest::Manifest;
use crate::api::{ACCOUNT_NAME, AccessKeySpec, AccountSpec, Kind, ResourceGrantSpec, ServiceAccountSpec};
use crate::domain::account::limits::Limits;

/// A manifest with its spec.
#[derive(Clone, Debug)]
pub struct Object<'a, S> {
    /// Its manifest.
    pub manifest: &'a Manifest<'a>,
    /// Its spec, with defaults.
    pub spec: S,
}

/// The objects of one namespace, in the order of the files. One whose manifest is wrong is known by its name
/// only.
#[derive(Debug, Default)]
pub struct Objects<'a> {
    /// Its `Account`.
    pub account: Option<Object<'a, AccountSpec>>,
    /// Its service accounts.
    pub service_accounts: Vec<Object<'a, ServiceAccountSpec>>,
    /// Its access keys.
    pub keys: Vec<Object<'a, AccessKeySpec>>,
    /// Its resource grants.
    pub grants: Vec<Object<'a, ResourceGrantSpec>>,
    /// Its Secrets.
    pub secrets: Vec<&'a Manifest<'a>>,
    names: HashMap<(Kind, &'a str), &'a Manifest<'a>>,
}

impl<'a> Objects<'a> {
    /// The manifest of that name, also where it is wrong.
    pub fn manifest(&self, kind: Kind, name: &str) -> Option<&'a Manifest<'a>> {
        self.names.get(&(kind, name)).copied()
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        Limits::from_spec(self.account.as_ref().and_then(|account| account.spec.limits.as_ref()))
    }
}

/// Everything, by namespace.
#[derive(Debug, Default)]
pub struct Set<'a> {
    /// The namespaces.
    pub namespaces: BTreeMap<&'a str, Objects<'a>>,
}

impl<'a> Set<'a> {
    /// Adds an object.
    ///
    /// # Errors
    /// The manifest of the same kind, namespace and name that is there already; that one stays.
    pub fn add(&mut self, manifest: &'a Manifest<'a>) -> Result<(), &'a Manifest<'a>> {
        let objects = self.namespaces.entry(&manifest.namespace).or_default();
        if manifest.name.is_empty() {
            return Ok(());
        }
        if let Some(first) = objects.names.insert((manifest.kind, &manifest.name), manifest) {
            objects.names.insert((manifest.kind, &manifest.name), first);
            return Err(first);
        }
        if manifest.kind == Kind::Secret {
            objects.secrets.push(manifest);
        }
        Ok(())
    }

    /// Adds the spec of an object, as the API server would keep it.
    ///
    /// # Errors
    /// Why the controller could not read it.
    pub fn read(&mut self, manifest: &'a Manifest<'a>, kept: &Node) -> Result<(), serde_json::Error> {
        let objects = self.namespaces.entry(&manifest.namespace).or_default();
        match manifest.kind {
            Kind::Account => {
                let account = object(manifest, kept)?;
                if manifest.name == ACCOUNT_NAME {
                    objects.account = Some(account);
                }
            }
            Kind::ServiceAccount => objects.service_accounts.push(object(manifest, kept)?),
            Kind::AccessKey => objects.keys.push(object(manifest, kept)?),
            Kind::ResourceGrant => objects.grants.push(object(manifest, kept)?),
            Kind::ResourceQuota | Kind::Role | Kind::RoleBinding | Kind::Secret => {}
        }
        Ok(())
    }

    /// The manifest of an object of the same kind, namespace and name.
    pub fn same(&self, manifest: &Manifest<'_>) -> Option<&'a Manifest<'a>> {
        self.namespaces.get(manifest.namespace.as_str())?.manifest(manifest.kind, &manifest.name)
    }

    /// A key's spec.
    pub fn key(&self, namespace: &str, name: &str) -> Option<&AccessKeySpec> {
        let keys = &self.namespaces.get(namespace)?.keys;
        keys.iter().find(|key| key.manifest.name == name).map(|key| &key.spec)
    }
}

fn object<'a, S: DeserializeOwned>(
    manifest: &'a Manifest<'a>,
    kept: &Node,
) -> Result<Object<'a, S>, serde_json::Error> {
    let spec = kept.get("spec").map_or(serde_json::Value::Null, Node::to_json);
    Ok(Object { manifest, spec: serde_json::from_value(spec)? })
}
