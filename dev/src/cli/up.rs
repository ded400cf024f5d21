//! `dev up`: a control plane to work with by hand.

use std::path::Path;
use std::process::ExitCode;

use keyward_dev::{Assets, ControlPlane, Options, say};

use super::error::Error;
use super::print::print;
use super::signals::{Signals, exit_code};

pub(crate) async fn run(assets: Assets) -> Result<ExitCode, Error> {
    let mut signals = Signals::listen()?;
    say(format_args!("Starting a control plane"));
    let options = Options { controller_manager: true, ..Options::default() };
    let control_plane = tokio::select! {
        started = ControlPlane::start_with(assets, options) => started?,
        signal = signals.next() => return Ok(exit_code(signal.as_raw_value())),
    };
    print(&exports(&control_plane))?;
    say(format_args!(
        "The control plane is up; copy the lines above into a shell. Ctrl-C stops and removes it."
    ));
    tokio::select! {
        error = control_plane.died() => return Err(error.into()),
        _ = signals.next() => say(format_args!("Stopping")),
    }
    control_plane.stop().await?;
    Ok(ExitCode::SUCCESS)
}

fn exports(control_plane: &ControlPlane) -> String {
    let folders: Vec<String> = control_plane.assets().dirs().into_iter().map(quote).collect();
    let kubeconfig = quote(control_plane.kubeconfig_path());
    format!("export KUBECONFIG={kubeconfig}\nexport PATH={}:\"$PATH\"\n", folders.join(":"))
}

/// A path as a word of a shell.
fn quote(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word() {
        assert_eq!(quote(Path::new("/tmp/a.b-c")), "/tmp/a.b-c");
        assert_eq!(quote(Path::new("/a b/c'd")), r"'/a b/c'\''d'");
    }
}
