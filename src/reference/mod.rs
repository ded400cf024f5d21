//! Every page of `docs/reference`.

mod flags;
pub mod metrics;

use clap::{Args as _, Command};

use crate::domain::reference::{self, Page};
use crate::runtime::config::{ControllerArgs, VerifierArgs};
use crate::{api::crds, validate, verifier};

/// Why a page cannot be made, which would be a mistake in this program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CRDs cannot be made.
    #[error(transparent)]
    Crds(#[from] crds::Error),
    /// The metrics cannot be written as text.
    #[error("the metrics")]
    Metrics(#[from] std::fmt::Error),
}

/// All of them.
///
/// # Errors
/// When a page cannot be made, which would be a mistake in this program.
pub fn pages() -> Result<Vec<Page>, Error> {
    let mut pages = reference::pages()?;
    pages.extend(verifier::reference::pages());
    pages.push(metrics::page()?);
    let controller = ControllerArgs::augment_args(Command::new("controller"));
    pages.push(flags::page(&controller, "How to run it: [Operations](../operations.md)."));
    let verifier = VerifierArgs::augment_args(Command::new("verifier"));
    pages.push(flags::page(&verifier, "How to run it: [The verifier](../verifier.md)."));
    pages.push(validate::reference::page());
    Ok(pages)
}
