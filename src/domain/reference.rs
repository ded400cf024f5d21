//! Reference documentation that is generated from the types, so that it cannot differ from them.

use crate::domain::reason::Reason;

/// The list of reasons as a page in Markdown.
pub fn reasons() -> String {
    let row = |reason: &Reason| {
        let (word, action) = (reason.as_str(), reason.action());
        format!("| `{word}` | `{action}` | {} | {} |\n", reason.severity().as_str(), reason.meaning())
    };
    let rows = Reason::ALL.iter().map(row).collect::<Vec<_>>().concat();
    format!(
        "# Reasons\n\nWhat conditions, Events and audit entries say, one word each. The list is closed: a word that is not \
         here is never used.\n\n| reason | action | event type | meaning |\n| --- | --- | --- | --- |\n{rows}"
    )
}
