//! The chart's limit of memory as the kernel holds a pod to it: whoever goes beyond is killed. Only where
//! this process may make a control group below its own.

use std::fs;
use std::path::{Path, PathBuf};

/// A control group of memory.
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// Puts a process into one that may have so many KiB; `None` where there can be none.
    pub fn hold(pid: u32, kib: u64) -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let below = |start: &str, root: &str| {
            let path = own.lines().find_map(|line| line.split_once(start))?.1;
            Some(Path::new(root).join(path.trim_start_matches('/')).join(format!("keyward-{pid}")))
        };
        // Of the first version of control groups, and of the second.
        let first = below(":memory:", "/sys/fs/cgroup/memory").map(|path| (path, "memory.limit_in_bytes"));
        let second = below("0::", "/sys/fs/cgroup").map(|path| (path, "memory.max"));
        let group = first.into_iter().chain(second).find_map(|(path, limit)| Self::make(path, limit, kib));
        if let Some(Self(path)) = &group {
            fs::write(path.join("cgroup.procs"), pid.to_string()).unwrap();
        } else {
            println!("process {pid} is measured, and not under a limit: no control group can be made here");
        }
        group
    }

    fn make(path: PathBuf, limit: &str, kib: u64) -> Option<Self> {
        fs::create_dir(&path).ok()?;
        let group = Self(path);
        fs::write(group.0.join(limit), (kib * 1024).to_string()).ok().map(|()| group)
    }
}

impl Drop for Cgroup {
    /// Nothing is in it any more.
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.0) {
            println!("{} is left: {error}", self.0.display());
        }
    }
}
