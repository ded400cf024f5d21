//! Shutdown: the first signal asks every task to finish what it does, the second ends the process.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by SIGTERM or SIGINT. A second signal exits at once with code 130.
///
/// # Errors
/// When the operating system refuses a signal handler.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let cancel = token.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            if cancel.is_cancelled() {
                std::process::exit(130);
            }
            tracing::info!("shutting down; a second signal ends the process at once");
            cancel.cancel();
        }
    });
    Ok(token)
}
