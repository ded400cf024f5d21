//! A program of the control plane that never outlives whoever started it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::watch;

use crate::say::say;

use super::Error;
use super::log_tail::tail;

/// A running program, in a process group of its own, that writes into a log file. A drop kills it.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    pid: Pid,
    log: PathBuf,
    /// Locked to send a signal: until it is true the number belongs to this process and no other.
    reaped: Arc<Mutex<bool>>,
    ended: watch::Receiver<Option<String>>,
    keeper: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts the program; `log` takes what it writes.
    pub(crate) fn start(name: &'static str, path: &Path, args: &[String], log: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Run { program: name, source };
        let command = command(path, args, log)?;
        let reaped = Arc::new(Mutex::new(false));
        let (end, ended) = watch::channel(None);
        let (started, start) = channel();
        let keeper = std::thread::Builder::new()
            .name(format!("keep-{name}"))
            .spawn({
                let reaped = Arc::clone(&reaped);
                move || keep(command, &started, &reaped, &end)
            })
            .map_err(failed)?;
        let pid = start.recv().map_err(io::Error::other).and_then(|pid| pid).map_err(failed)?;
        Ok(Self { name, pid, log: log.to_owned(), reaped, ended, keeper: Some(keeper) })
    }

    /// An error with the end of the log when the program has ended.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match &*self.ended.borrow() {
            None => Ok(()),
            Some(how) => Err(Error::Died { program: self.name, how: how.clone(), tail: tail(&self.log) }),
        }
    }

    /// The error of a program that still runs but wasn't ready in time.
    pub(crate) fn not_ready(&self, after: Duration, last: String) -> Error {
        Error::NotReady { program: self.name, seconds: after.as_secs(), last, tail: tail(&self.log) }
    }

    /// Waits for the program's end.
    pub(crate) async fn ended(&self) {
        // The other end is dropped only after it has sent.
        let _ = self.ended.clone().wait_for(Option::is_some).await;
    }

    /// Asks the program to end, and kills it when it hasn't after `bound`.
    pub(crate) async fn stop(&self, bound: Duration) -> Result<(), Error> {
        self.signal(Signal::TERM)?;
        if tokio::time::timeout(bound, self.ended()).await.is_err() {
            self.signal(Signal::KILL)?;
            self.ended().await;
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if *reaped {
            return Ok(());
        }
        kill_process_group(self.pid, signal)
            .map_err(|error| Error::Signal { program: self.name, source: error.into() })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.signal(Signal::KILL) {
            say(format_args!("{error}"));
            return;
        }
        if self.keeper.take().is_some_and(|keeper| keeper.join().is_err()) {
            say(format_args!("The thread that keeps {} has panicked", self.name));
        }
    }
}

/// Starts the program and waits for its end. A death signal comes when the thread that started a process
/// ends, so this thread stays as long as the program does.
fn keep(
    mut command: Command,
    started: &Sender<io::Result<Pid>>,
    reaped: &Mutex<bool>,
    end: &watch::Sender<Option<String>>,
) {
    let spawned = command.spawn();
    let (pid, child) = match spawned {
        Ok(child) => (Ok(Pid::from_child(&child)), Some(child)),
        Err(error) => (Err(error), None),
    };
    // Whoever started this thread waits for the answer.
    let _ = started.send(pid);
    if let Some(mut child) = child {
        let how =
            wait(&mut child, reaped).map_or_else(|error| error.to_string(), |status| status.to_string());
        end.send_replace(Some(how));
    }
}

/// Reaps the program under the lock: after that its number may belong to another.
fn wait(child: &mut Child, reaped: &Mutex<bool>) -> io::Result<std::process::ExitStatus> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let waited = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(Pid::from_child(child)), options));
    let mut reaped = reaped.lock().unwrap_or_else(PoisonError::into_inner);
    let status = child.wait();
    *reaped = true;
    waited?;
    status
}

/// The environment stays out: etcd takes any of its flags from there.
fn command(path: &Path, args: &[String], log: &Path) -> Result<Command, Error> {
    let open = || {
        let file = File::create(log)?;
        Ok((file.try_clone()?, file))
    };
    let (out, err) = open().map_err(Error::file("write", log))?;
    let mut command = match setpriv() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(path);
            command
        }
        None => Command::new(path),
    };
    command.args(args).env_clear().process_group(0).stdin(Stdio::null()).stdout(out).stderr(err);
    Ok(command)
}

/// The program that makes the kernel kill a process when its parent is gone, where there is one that can.
fn setpriv() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| find_setpriv(&std::env::var_os("PATH")?)).as_deref()
}

fn find_setpriv(path: &OsStr) -> Option<PathBuf> {
    let can = |program: &Path| {
        let mut probe = Command::new(program);
        probe.args(["--pdeathsig", "KILL", "--"]).arg(program).arg("--version");
        probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    };
    std::env::split_paths(path).map(|folder| folder.join("setpriv")).find(|program| can(program))
}

#[cfg(test)]
mod tests {
    use crate::patience::PATIENCE;

    use super::*;

    const SHORT: Duration = Duration::from_millis(100);

    fn shell(folder: &Path, script: &str) -> Result<Process, Error> {
        let args = ["-c".to_owned(), script.to_owned()];
        Process::start("sh", Path::new("/bin/sh"), &args, &folder.join("log"))
    }

    #[tokio::test]
    async fn an_end_is_reported_with_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell(folder.path(), "echo out; echo err >&2; exit 3").unwrap();
        process.ended().await;
        let error = process.check().unwrap_err().to_string();
        assert_eq!(error, "sh ended (exit status: 3); its last lines:\nout\nerr");
        process.stop(PATIENCE).await.unwrap();
    }

    #[tokio::test]
    async fn a_program_that_ignores_the_request_is_killed_with_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready");
        let script = format!("trap '' TERM; mkfifo {0}; while :; do read x <{0}; done", ready.display());
        let process = shell(folder.path(), &script).unwrap();
        while !ready.exists() {
            tokio::time::sleep(SHORT).await;
        }
        assert!(process.check().is_ok());
        process.stop(SHORT).await.unwrap();
        assert!(matches!(process.check(), Err(Error::Died { .. })));
    }

    #[tokio::test]
    async fn a_drop_leaves_no_process() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell(folder.path(), "read x </dev/zero").unwrap();
        let pid = process.pid;
        drop(process);
        assert!(rustix::process::test_kill_process_group(pid).is_err());
    }

    #[test]
    fn a_missing_program_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("no/folder/log");
        assert!(matches!(Process::start("sh", Path::new("/bin/sh"), &[], &log), Err(Error::File { .. })));
    }
}
