//! Reference documentation that is generated from the types, so that it cannot differ from them.

mod events;
mod kind;
pub(crate) mod markdown;
mod schema;
mod value;

use crate::api::crds;

/// A page in Markdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name of its file.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// Every page.
///
/// # Errors
/// When the CRDs cannot be made, which would be a mistake in this program.
pub fn pages() -> Result<Vec<Page>, crds::Error> {
    let kinds = crds::all()?;
    Ok(kinds.iter().map(kind::page).chain([events::page()]).collect())
}
