//! The page of what the verifier answers, and what its audit lines hold.

use keyward::domain::verdict::Cause;
use keyward::verifier::check::audit::{COUNT, FIELDS};
use keyward::verifier::http::reference;

use crate::markdown::{code, section};

/// The page.
pub(super) fn page() -> String {
    [
        "# Verdicts\n\nWhat the [verifier](../verifier.md) answers, and what its audit lines tell. Generated from the \
         source. The answers in full are in [openapi.json](openapi.json), which a verifier serves at `/openapi.json`.\n"
            .to_owned(),
        section(
            "Let in",
            "`/auth` answers 200 with all of these headers, empty where they do not apply.\n\n",
            ["header", "meaning"],
            reference::identity().map(|(name, about)| [code(canonical(name)), about.to_owned()]),
        ),
        section(
            "Refused",
            "The cause is in audit lines and metrics only. Clients learn status and code: one for every token that is not \
             good. In place of a 429, nginx is told 403. `/v1/verify` answers `invalid_token` and `insufficient_scope` \
             with 200 and `valid` false.\n\n",
            ["cause", "status", "code", "meaning"],
            Cause::ALL.iter().map(|cause| {
                let (status, word) = reference::refusal(*cause);
                [code(cause.as_str()), status.to_string(), code(word), cause.meaning().to_owned()]
            }),
        ),
        section(
            "Audit lines",
            "JSON objects, one a line, on standard output. A field that does not apply is not there.\n\n",
            ["field", "meaning"],
            FIELDS.iter().chain([&COUNT]).map(|(name, about)| [code(name), (*about).to_owned()]),
        ),
    ]
    .concat()
}

/// `x-keyward-key-id` becomes `X-Keyward-Key-Id`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
    });
    words.collect::<Vec<String>>().join("-")
}
