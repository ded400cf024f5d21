//! One processor for the servers, another for the load: otherwise they would take it from each other, and the
//! faster a server is, the more it would lose.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::support::Failure;

pub struct Processors {
    server: usize,
    load: usize,
}

impl Processors {
    /// The first two that this process may use; twice the same where there is only one.
    pub fn choose() -> Result<Self, Failure> {
        let all = sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu));
        let server = usable.next().ok_or("no processor")?;
        let chosen = Self { server, load: usable.next().unwrap_or(server) };
        pin(chosen.load)?;
        Ok(chosen)
    }

    pub fn shared(&self) -> bool {
        self.server == self.load
    }

    /// Has `start` start a process on the servers' processor: a child inherits it from the thread that starts
    /// it.
    pub fn on_servers<T>(&self, start: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        pin(self.server)?;
        let started = start();
        pin(self.load)?;
        started
    }
}

fn pin(cpu: usize) -> Result<(), Failure> {
    let mut only = CpuSet::new();
    only.set(cpu);
    Ok(sched_setaffinity(None, &only)?)
}
