//! Logs on standard output, as text for people or as one JSON object a line for pipelines.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The tracing target of audit lines.
pub const AUDIT: &str = "audit";

/// Starts logging. Audit lines are always written, as JSON, whatever `format` and `filter` say.
///
/// # Errors
/// When `filter` is not a valid filter, or logging was started before.
pub fn start(format: LogFormat, filter: &str) -> Result<(), Box<dyn std::error::Error>> {
    let logs = EnvFilter::try_new(filter)?.add_directive(format!("{AUDIT}=off").parse()?);
    let audit = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let registry = tracing_subscriber::registry()
        .with(audit.with_filter(Targets::new().with_target(AUDIT, Level::INFO)));
    match format {
        LogFormat::Text => {
            let text = fmt::layer().with_ansi(std::io::stdout().is_terminal());
            registry.with(text.with_filter(logs)).try_init()?;
        }
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_filter(logs)).try_init()?;
        }
    }
    Ok(())
}

/// An error with its causes, each said once.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) { text } else { format!("{text}: {cause}") }
    })
}
