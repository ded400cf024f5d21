//! What all commands that change something have in common: a dry run, and the manifest of what it comes to.

use clap::{Args, ValueEnum};
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::Value;

use crate::kubectl::cluster::client::{Cluster, Scope};
use crate::kubectl::cluster::manifest::ObjectOutput;
use crate::kubectl::cluster::object::{NamespacedObject, reference};
use crate::kubectl::error::Error;
use crate::kubectl::output::screen;

/// Who changes fields, as `managedFields` name it. It does not begin with `kubectl`: Flux takes back what
/// such managers changed.
pub const FIELD_MANAGER: &str = "keyward-plugin";
/// Flags of every command that changes something.
#[derive(Args, Clone, Copy, Debug)]
pub struct ChangeArgs {
    /// Change nothing: say what would be done (`client`), or have the cluster check it as well (`server`).
    #[arg(
        long,
        value_enum,
        value_name = "WHO",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = DryRun::None,
        default_missing_value = "client"
    )]
    pub dry_run: DryRun,
    /// Print the object as it is then: `yaml` and `json` are manifests for Git, without what the cluster
    /// added.
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<ObjectOutput>,
}

/// Who only tries a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Nobody: it is made.
    None,
    /// This program, which sends nothing.
    Client,
    /// The cluster, which checks and stores nothing.
    Server,
}

impl DryRun {
    /// What kubectl adds to its words.
    fn remark(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

impl Cluster {
    pub async fn create<K: NamespacedObject>(&self, object: &K, dry_run: DryRun) -> Result<K, Error> {
        let params =
            PostParams { dry_run: dry_run == DryRun::Server, field_manager: Some(FIELD_MANAGER.into()) };
        self.call(self.api::<K>(Scope::One).create(&params, object)).await
    }

    /// Merges `patch` into an object (RFC 7386).
    pub async fn merge<K: NamespacedObject>(
        &self,
        name: &str,
        patch: &Value,
        dry_run: DryRun,
    ) -> Result<K, Error> {
        let params = PatchParams {
            dry_run: dry_run == DryRun::Server,
            field_manager: Some(FIELD_MANAGER.into()),
            ..PatchParams::default()
        };
        self.call(self.api::<K>(Scope::One).patch(name, &params, &Patch::Merge(patch))).await
    }
}

impl ChangeArgs {
    /// Whether something really changes.
    pub fn is_real(self) -> bool {
        self.dry_run == DryRun::None
    }

    /// Merges `patch` into `object` (RFC 7386), or finds out what that would come to.
    pub async fn merge<K: NamespacedObject>(
        self,
        cluster: &Cluster,
        object: &K,
        patch: &Value,
    ) -> Result<K, Error> {
        match self.dry_run {
            DryRun::Client => merged(object, patch),
            DryRun::None | DryRun::Server => {
                let name = object.meta().name.as_deref().unwrap_or_default();
                cluster.merge(name, patch, self.dry_run).await
            }
        }
    }

    /// Shows what became of `object`: as a manifest where one is requested, or else in words such as
    /// `accesskey.iam.keyward.dev/deploy rotated`.
    pub fn show<K: NamespacedObject>(self, object: &K, done: &str) -> Result<(), Error> {
        screen::show(&self.text(object, done)?)
    }

    fn text<K: NamespacedObject>(self, object: &K, done: &str) -> Result<String, Error> {
        match self.output {
            Some(output) => output.of(object),
            None => Ok(format!("{} {done}{}\n", reference(object), self.dry_run.remark())),
        }
    }

    /// Shows something further, unless the output is for programs.
    pub fn add(self, text: &str) -> Result<(), Error> {
        if self.output.is_some() { Ok(()) } else { screen::show(text) }
    }
}

/// What a merge comes to.
fn merged<K: NamespacedObject>(object: &K, patch: &Value) -> Result<K, Error> {
    let mut value = serde_json::to_value(object)?;
    json_patch::merge(&mut value, patch);
    Ok(serde_json::from_value(value)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ServiceAccount;
    use crate::api::shared::DesiredState;
    use serde_json::json;

    #[test]
    fn what_was_done_is_said_as_kubectl_says_it() {
        let object = ServiceAccount::new("ci", serde_json::from_value(json!({})).unwrap());
        for (dry_run, output, said) in [
            (DryRun::None, None, "serviceaccount.iam.keyward.dev/ci deactivated\n"),
            (DryRun::Client, None, "serviceaccount.iam.keyward.dev/ci deactivated (dry run)\n"),
            (DryRun::Server, None, "serviceaccount.iam.keyward.dev/ci deactivated (server dry run)\n"),
            (DryRun::None, Some(ObjectOutput::Name), "serviceaccount.iam.keyward.dev/ci\n"),
        ] {
            assert_eq!(ChangeArgs { dry_run, output }.text(&object, "deactivated").unwrap(), said);
        }
    }

    #[test]
    fn a_dry_run_of_the_client_comes_to_what_the_api_server_would_make_of_it() {
        let object = ServiceAccount::new("ci", serde_json::from_value(json!({"displayName": "CI"})).unwrap());
        let patch = json!({"spec": {"state": "Inactive", "displayName": null}});
        let merged = merged(&object, &patch).unwrap();
        assert_eq!((merged.spec.state, merged.spec.display_name), (DesiredState::Inactive, None));
    }
}
