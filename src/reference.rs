//! Every page of `docs/reference`.

use crate::api::crds;
use crate::domain::reference::{self, Page};
use crate::{validate, verifier};

/// All of them.
///
/// # Errors
/// When the CRDs cannot be made, which would be a mistake in this program.
pub fn pages() -> Result<Vec<Page>, crds::Error> {
    let mut pages = reference::pages()?;
    pages.extend(verifier::reference::pages());
    pages.push(validate::reference::page());
    Ok(pages)
}
