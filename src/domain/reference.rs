//! Reference documentation that is generated from the types, so that it cannot differ from them.

mod kind;
pub(crate) mod markdown;
mod schema;
mod value;

use crate::api::crds;
use crate::domain::reason::Reason;

use markdown::{code, table};

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
    let reasons = Page { name: "reasons.md".into(), text: reasons() };
    let kinds = crds::all()?;
    Ok(kinds.iter().map(kind::page).chain([reasons]).collect())
}

/// The list of reasons.
fn reasons() -> String {
    let row = |reason: &Reason| {
        let (word, action) = (code(reason.as_str()), code(reason.action()));
        [word, action, reason.severity().as_str().to_owned(), reason.meaning().to_owned()]
    };
    let rows = table(["reason", "action", "event type", "meaning"], Reason::ALL.iter().map(row));
    format!(
        "# Reasons\n\nWhat conditions, Events and audit entries say, one word each. The list is closed: a word that is not \
         here is never used.\n\n{rows}"
    )
}
