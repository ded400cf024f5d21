//! What audit lines hold is what the reference page says of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::Subscriber;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::*;

/// Notes which fields audit lines have.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeSet<&'static str>>>);

impl<S: Subscriber> Layer<S> for Seen {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() == telemetry::AUDIT {
            self.0.lock().extend(event.metadata().fields().iter().map(|field| field.name()));
        }
    }
}

#[test]
fn every_field_of_a_line_is_in_the_reference() {
    let seen = Seen::default();
    let _here = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    let request = Request {
        endpoint: Endpoint::Auth,
        credential: Err(Cause::NoCredential),
        asked: Ok(crate::domain::verdict::Asked::default()),
        client: None,
        request_id: "",
    };
    let journal = Journal::default();
    journal.refused(&Told { request: &request, found: None, cause: Some(Cause::NoCredential), second: 0 });
    assert_eq!(*seen.0.lock(), FIELDS.iter().map(|(name, _)| *name).collect());
    journal.untold.store(1, Ordering::Relaxed);
    journal.sum_up();
    assert_eq!(*seen.0.lock(), FIELDS.iter().chain([&COUNT]).map(|(name, _)| *name).collect());
}
