//! Every page of `docs/reference`. A file a page; what a page says comes from the library, and only how it
//! looks from here.

mod events;
mod flags;
mod kind;
pub mod metrics;
mod openapi;
mod validate;
mod verdicts;

use clap::{Args as _, Command};
use keyward::api::crds;
use keyward::runtime::config::{ControllerArgs, VerifierArgs};

use crate::file::File;

/// Where the pages are.
pub const FOLDER: &str = "docs/reference";

/// Why a page cannot be made, which would be a mistake in Keyward.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The CRDs cannot be made.
    #[error("the CRDs")]
    Crds(#[from] crds::Error),
    /// The metrics cannot be written as text.
    #[error("the metrics")]
    Metrics(#[from] std::fmt::Error),
}

/// All of them.
///
/// # Errors
/// When a page cannot be made, which would be a mistake in Keyward.
pub fn all() -> Result<Vec<File>, Error> {
    let controller = ControllerArgs::augment_args(Command::new("controller"));
    let verifier = VerifierArgs::augment_args(Command::new("verifier"));
    let kinds = crds::all()?;
    let kinds = kinds.iter().map(|crd| (format!("{}.md", kind::name(&crd.spec.names.kind)), kind::page(crd)));
    let others = [
        ("events.md", events::page()),
        ("openapi.json", openapi::document()),
        ("verdicts.md", verdicts::page()),
        ("metrics.md", metrics::page()?),
        ("controller.md", flags::page(&controller, "How to run it: [Operations](../operations.md).")),
        ("verifier.md", flags::page(&verifier, "How to run it: [The verifier](../verifier.md).")),
        ("validate.md", validate::page()),
    ];
    let others = others.into_iter().map(|(name, text)| (name.to_owned(), text));
    Ok(kinds.chain(others).map(|(name, text)| File { path: format!("{FOLDER}/{name}"), text }).collect())
}
