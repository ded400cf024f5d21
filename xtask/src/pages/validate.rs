//! The page of the rules that manifests are checked for.

use keyward::validate::rule::Rule;

use crate::markdown::{code, table};

/// The page.
pub(super) fn page() -> String {
    let row = |rule: &Rule| {
        let (source, severity) = (rule.source().as_str(), rule.severity().as_str());
        [code(rule.as_str()), severity.to_owned(), source.to_owned(), rule.meaning().to_owned()]
    };
    let rows = table(["rule", "severity", "refused by", "meaning"], Rule::ALL.iter().map(row));
    format!(
        "# Rules of the manifest check\n\nWhat [`keyward validate`](../validate.md) finds. The list is closed. Where the \
         controller refuses, the rule has the name of its [reason](events.md) where there is one; where the API server does, \
         that of the reason in its answer.\n\n{rows}"
    )
}
