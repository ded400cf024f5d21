//! All manifests together: what stands in which account.

use std::collections::{BTreeMap, HashMap};

use serde::de::DeserializeOwned;

use super::manifest::{Kind, Manifest};
use super::node::Node;
use crate::api::{ACCOUNT_NAME, AccessKeySpec, AccountSpec, ResourceGrantSpec, ServiceAccountSpec};
use crate::domain::account::limits::Limits;

/// An object with what it asks for.
#[derive(Clone, Debug)]
pub struct Found<'a, S> {
    /// Its manifest.
    pub manifest: &'a Manifest<'a>,
    /// What it asks for.
    pub spec: S,
}

/// What stands in one namespace, in the order of the files. An object whose manifest is wrong is known by its name only.
#[derive(Debug, Default)]
pub struct Account<'a> {
    /// Its `Account`.
    pub account: Option<Found<'a, AccountSpec>>,
    /// Its service accounts.
    pub service_accounts: Vec<Found<'a, ServiceAccountSpec>>,
    /// Its access keys.
    pub keys: Vec<Found<'a, AccessKeySpec>>,
    /// Its resource grants.
    pub grants: Vec<Found<'a, ResourceGrantSpec>>,
    /// Its Secrets.
    pub secrets: Vec<&'a Manifest<'a>>,
    names: HashMap<(Kind, &'a str), &'a Manifest<'a>>,
}

impl<'a> Account<'a> {
    /// The manifest of that name, also where it is wrong.
    pub fn manifest(&self, kind: Kind, name: &str) -> Option<&'a Manifest<'a>> {
        self.names.get(&(kind, name)).copied()
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        Limits::from_spec(self.account.as_ref().and_then(|found| found.spec.limits.as_ref()))
    }
}

/// Everything, by namespace.
#[derive(Debug, Default)]
pub struct Set<'a> {
    /// The namespaces.
    pub accounts: BTreeMap<&'a str, Account<'a>>,
}

impl<'a> Set<'a> {
    /// Adds an object.
    ///
    /// # Errors
    /// The manifest of the same kind, namespace and name that is there already; that one stays.
    pub fn add(&mut self, manifest: &'a Manifest<'a>) -> Result<(), &'a Manifest<'a>> {
        let account = self.accounts.entry(&manifest.namespace).or_default();
        if manifest.name.is_empty() {
            return Ok(());
        }
        if let Some(first) = account.names.insert((manifest.kind, &manifest.name), manifest) {
            account.names.insert((manifest.kind, &manifest.name), first);
            return Err(first);
        }
        if manifest.kind == Kind::Secret {
            account.secrets.push(manifest);
        }
        Ok(())
    }

    /// Adds what an object asks for, as the API server would keep it.
    ///
    /// # Errors
    /// Why the controller could not read it.
    pub fn read(&mut self, manifest: &'a Manifest<'a>, kept: &Node) -> Result<(), serde_json::Error> {
        let account = self.accounts.entry(&manifest.namespace).or_default();
        match manifest.kind {
            Kind::Account => {
                let found = found(manifest, kept)?;
                if manifest.name == ACCOUNT_NAME {
                    account.account = Some(found);
                }
            }
            Kind::ServiceAccount => account.service_accounts.push(found(manifest, kept)?),
            Kind::AccessKey => account.keys.push(found(manifest, kept)?),
            Kind::ResourceGrant => account.grants.push(found(manifest, kept)?),
            Kind::Secret => {}
        }
        Ok(())
    }

    /// The manifest of an object of the same kind, namespace and name.
    pub fn same(&self, manifest: &Manifest<'_>) -> Option<&'a Manifest<'a>> {
        self.accounts.get(manifest.namespace.as_str())?.manifest(manifest.kind, &manifest.name)
    }

    /// A key's spec.
    pub fn key(&self, namespace: &str, name: &str) -> Option<&AccessKeySpec> {
        let keys = &self.accounts.get(namespace)?.keys;
        keys.iter().find(|key| key.manifest.name == name).map(|key| &key.spec)
    }
}

fn found<'a, S: DeserializeOwned>(
    manifest: &'a Manifest<'a>,
    kept: &Node,
) -> Result<Found<'a, S>, serde_json::Error> {
    let spec = kept.get("spec").map_or(serde_json::Value::Null, Node::to_json);
    Ok(Found { manifest, spec: serde_json::from_value(spec)? })
}
