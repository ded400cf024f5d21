//! Collects audit lines.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::runtime::telemetry;

/// The fields of a line.
pub(in crate::verifier) type Line = BTreeMap<&'static str, String>;

/// The audit lines of this thread.
#[derive(Clone, Default)]
pub(in crate::verifier) struct Lines(Arc<Mutex<Vec<Line>>>);

impl Lines {
    /// Collects until the guard is dropped.
    pub(in crate::verifier) fn collect(&self) -> DefaultGuard {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    /// The lines since they were taken before.
    pub(in crate::verifier) fn taken(&self) -> Vec<Line> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() == telemetry::AUDIT {
            let mut fields = Fields::default();
            event.record(&mut fields);
            self.0.lock().push(fields.0);
        }
    }
}

#[derive(Default)]
struct Fields(Line);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
