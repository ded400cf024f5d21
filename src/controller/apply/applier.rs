//! What every write needs.

use kube::Client;

use crate::controller::sealing::Sealing;
use crate::controller::secrets::Secrets;
use crate::runtime::audit::Audit;
use crate::runtime::metrics::Metrics;
use crate::runtime::random::Random;

/// Carries out plans.
#[derive(Clone)]
pub(in crate::controller) struct Applier {
    pub(in crate::controller) client: Client,
    pub(in crate::controller) secrets: Secrets,
    pub(in crate::controller) audit: Audit,
    pub(in crate::controller) metrics: Metrics,
    pub(in crate::controller) random: Random,
    pub(in crate::controller) sealing: Sealing,
}
