//! Audit entries as rows of a table.

use crate::api::reason::{Reason, Severity};
use crate::api::shared::AuditEntry;
use crate::domain::audit::acting::times;
use crate::domain::value::time::rfc3339;
use crate::kubectl::output::table::{Cell, Tone};

/// The header of a table of entries.
pub const HEADER: [&str; 5] = ["TIME", "ACTOR", "OBJECT", "REASON", "MESSAGE"];
/// The header where all of an entry is shown.
pub const WIDE_HEADER: [&str; 7] = ["TIME", "ACTOR", "OBJECT", "KEY ID", "ID", "REASON", "MESSAGE"];

/// An entry as a row below one of the headers.
pub fn row(entry: &AuditEntry, wide: bool) -> Vec<Cell> {
    let AuditEntry { id, time, actor, object, key_id, reason, message, .. } = entry;
    let mut row = vec![Cell::new(Tone::Faint, &rfc3339(*time)), actor.into(), object.into()];
    if wide {
        row.extend([Cell::from(key_id.as_deref().unwrap_or("-")), Cell::from(id)]);
    }
    let message = match times(entry) {
        ..=1 => message.clone(),
        many => format!("{message} ({many} times that day)"),
    };
    row.extend([Cell::new(tone(reason), reason), Cell::from(message)]);
    row
}

fn tone(reason: &str) -> Tone {
    let known = Reason::ALL.iter().find(|known| known.as_str() == reason);
    match known.map(|reason| reason.severity()) {
        Some(Severity::Warning) => Tone::Warn,
        Some(Severity::Normal) | None => Tone::Plain,
    }
}
