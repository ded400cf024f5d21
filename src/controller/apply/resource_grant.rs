//! Steps about resource grants.

use crate::api::ResourceGrant;
use crate::controller::apply::Applier;
use crate::controller::error::Error;
use crate::domain::resource_grant::Action;

impl Applier {
    /// Carries out one step about a grant; gives back the grant with its new status.
    pub(in crate::controller) async fn resource_grant(
        &self,
        object: &ResourceGrant,
        Action::WriteStatus(status): Action,
    ) -> Result<ResourceGrant, Error> {
        self.write_status(object, *status, &[]).await
    }
}
