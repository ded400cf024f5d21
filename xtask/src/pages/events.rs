//! The page of reasons: what they mean, where they are met, and what to do.

use keyward::api::ConditionType;
use keyward::domain::audit::catalog::{KINDS, OF_REQUESTS, ReasonEntry, Surface};

use crate::markdown::{code, section};

/// The page.
pub(super) fn page() -> String {
    let intro = "# Events and reasons\n\nWhat conditions, Events and audit entries say, one word each. The list is closed: a \
                 word that is not here is never used. Where else audit entries are: [Audit](../audit.md). Generated from \
                 the source.\n";
    let kinds = KINDS.iter().map(|(kind, told)| section(kind.as_str(), "", HEAD, told.iter().map(row)));
    let requests = section(
        "Requests",
        "Of what is presented to a [verifier](../verifier.md), which has a line for it and no Event. \
         [Verdicts](verdicts.md) has the cause of each refusal.\n\n",
        HEAD,
        OF_REQUESTS.iter().map(row),
    );
    [intro.to_owned(), where_met(), event(), kinds.collect(), requests].concat()
}

const HEAD: [&str; 5] = ["reason", "where", "type and action", "meaning", "what to do"];

/// What the second column of the tables says.
fn where_met() -> String {
    let remarks = ConditionType::ALL.iter().copied().filter(|type_| Surface::of(*type_) != Surface::Ready);
    let remarks = remarks.map(ConditionType::as_str).collect::<Vec<_>>().join(", ");
    let rows = [
        (
            "Event",
            "In an Event on the object, in an audit entry of its log, and in a line of the controller's output.",
        ),
        (
            "Ready",
            "In the condition `Ready` of the object, and in those beside it: `Active` where it can authenticate, \
             `Reconciling` while work is under way, `Stalled` where only a user can help.",
        ),
        (&remarks, "In a condition of that name, which is there only while it is True."),
        ("audit line", "In a line of a verifier's output."),
    ];
    section(
        "Where",
        "What the tables below say of where a reason is met.\n\n",
        ["where", "meaning"],
        rows.map(|(place, meaning): (&str, &str)| [place.to_owned(), meaning.to_owned()]).into_iter(),
    )
}

/// What an Event says in each of its fields.
fn event() -> String {
    let rows = [
        ("type", "`Normal` or `Warning`, by the reason."),
        ("reason", "The word."),
        ("action", "What was done, as one verb, by the reason."),
        ("note", "The same as a sentence, with names and times. Where a user did it, it ends with `(by …)`."),
        ("regarding", "The object that the tables below are headed with, by kind, name and UID."),
        ("related", "Not set; the note names what else is concerned."),
        ("reportingController", "`iam.keyward.dev/controller` or `iam.keyward.dev/verifier`."),
        ("reportingInstance", "The process: the pod's name."),
        ("eventTime", "When it was written, to the microsecond."),
        ("series", "For `ActedOnBehalf` and `ActingRefused` only: how often that day, and when last."),
        (
            "metadata.name",
            "The object's name and the id of the audit entry. A retry gives the same name, so nothing is told twice.",
        ),
    ];
    let intro = "Of the API `events.k8s.io/v1`. Each audit entry is an Event of its own; none is folded into another.\n\n";
    section(
        "An Event",
        intro,
        ["field", "content"],
        rows.map(|(field, content)| [code(field), content.to_owned()]).into_iter(),
    )
}

fn row(told: &ReasonEntry) -> [String; 5] {
    let ReasonEntry { reason, places, remedy } = told;
    let places: Vec<&str> = places.iter().map(|place| place.as_str()).collect();
    [
        code(reason.as_str()),
        places.join(", "),
        format!("{}, {}", reason.severity().as_str(), code(reason.action())),
        reason.meaning().to_owned(),
        (*remedy).to_owned(),
    ]
}
