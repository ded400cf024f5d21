//! Steps about Secrets that were published into another namespace.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

use crate::api::Kind;
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::controller::watch::store::SecretMeta;
use crate::domain::access_key::publish::orphan::Action;

impl Applier {
    /// Carries out one step about a published Secret.
    pub(in crate::controller) async fn published_secret(
        &self,
        secret: &SecretMeta,
        Action::Delete: Action,
    ) -> Result<(), Error> {
        self.remove(&self.beside::<Secret>(secret), &secret.name_any(), secret.uid()).await?;
        self.metrics.wrote(Kind::Secret);
        Ok(())
    }
}
