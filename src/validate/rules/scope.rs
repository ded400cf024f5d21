//! What the rules for one namespace read, and the findings that several of them make.

use chrono::{DateTime, Utc};
use crd_check::path::Path;

use crate::api::Kind;
use crate::validate::finding::Finding;
use crate::validate::manifest::Manifest;
use crate::validate::options::{Options, References};
use crate::validate::rule::{Rule, Severity};
use crate::validate::set::{Objects, Set};

/// One namespace among all manifests.
pub(super) struct Scope<'s, 'a> {
    pub(super) namespace: &'a str,
    pub(super) objects: &'s Objects<'a>,
    pub(super) set: &'s Set<'a>,
    /// What the manifests are to replace, where that is known.
    pub(super) base: Option<&'s Set<'s>>,
    pub(super) options: &'s Options,
    pub(super) now: DateTime<Utc>,
}

impl Scope<'_, '_> {
    /// That something is not among the manifests, as bad as the options have it.
    pub(super) fn absent(&self, finding: Finding) -> Option<Finding> {
        let severity = match self.options.references {
            References::Error => Severity::Error,
            References::Warning => Severity::Warning,
            References::Ignore => return None,
        };
        Some(Finding { severity, ..finding })
    }

    /// That the service account a manifest names is not there.
    pub(super) fn unknown_service_account(&self, manifest: &Manifest<'_>, name: &str) -> Option<Finding> {
        let message = format!(
            "ServiceAccount \"{name}\" of namespace \"{}\" is not among the manifests; it must be in the cluster, or the \
             {} waits for it",
            self.namespace,
            if manifest.kind == Kind::AccessKey { "key" } else { "grant" }
        );
        let path = Path::of(&["spec", "serviceAccountName"]);
        self.absent(manifest.finding(Rule::ServiceAccountNotFound, &path, message))
    }

    /// A hint where the limits may be others in the cluster.
    pub(super) fn whose_limits(&self) -> String {
        if self.objects.account.is_some() {
            return String::new();
        }
        format!(
            "; these are the built-in limits, as the Account of namespace \"{}\" is not among the manifests",
            self.namespace
        )
    }
}
