//! What every bench needs: knobs out of the environment, the CRDs, and processes that are looked at from
//! outside.

use std::process::{Child, Command, Stdio};

use keyward::api::crds;
use keyward_dev::TIMEOUT;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A number out of the environment.
pub fn number(variable: &str, default: usize) -> Result<usize, Failure> {
    let text = std::env::var(variable).ok().filter(|text| !text.is_empty());
    text.map_or(Ok(default), |text| text.parse().map_err(|_| format!("{variable} must be a number").into()))
}

pub fn install_crds() -> Result<(), Failure> {
    let mut apply = Command::new("kubectl")
        .args(["apply", "--server-side", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let all = crds::yaml().map_err(|error| error.to_string())?;
    std::io::Write::write_all(&mut apply.stdin.take().ok_or("no standard input")?, all.as_bytes())?;
    let established = ["wait", "--for=condition=Established", "crd", "--all", TIMEOUT];
    let ended = [apply.wait()?, Command::new("kubectl").args(established).stdout(Stdio::null()).status()?];
    if ended.iter().all(std::process::ExitStatus::success) { Ok(()) } else { Err("kubectl failed".into()) }
}

/// A process that ends with the run.
pub struct Running(Child);

impl Running {
    /// Starts it, silent.
    pub fn start(command: &mut Command) -> Result<Self, Failure> {
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }

    /// Why it is no use to wait for it.
    pub fn check(&mut self) -> Result<(), Failure> {
        self.0.try_wait()?.map_or(Ok(()), |status| Err(format!("it ended: {status}").into()))
    }

    /// Memory that it has in use, in MB of a million bytes.
    pub fn resident_megabytes(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024.0 / 1e6)
    }

    /// In user and kernel mode, of all threads; Linux counts hundredths.
    pub fn processor_seconds(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let after_name = stat.rsplit_once(')').ok_or("no name")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks =
            |at: usize| -> Result<f64, Failure> { Ok(fields.get(at).ok_or("too few fields")?.parse()?) };
        Ok((ticks(11)? + ticks(12)?) / 100.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        if let Err(error) = ended {
            eprintln!("a process could not be stopped: {error}");
        }
    }
}
