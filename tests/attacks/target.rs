//! What is attacked: a verifier under the chart's rules, with a key that must be answered and one that is
//! switched off and on.

use std::path::Path;

use keyward::domain::value::token::Token;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::cgroup::Cgroup;
use crate::figures::MEMORY;
use crate::support::{Controller, Scene, Verifier};

pub struct Target {
    pub scene: Scene,
    _controller: Controller,
    pub verifier: Verifier,
    pub address: String,
    pub health: String,
    /// Of the key that must be answered.
    pub good: Token,
    /// Of the key that is switched off and on.
    pub switched: Token,
    /// After the verifier, which is in it.
    _limit: Option<Cgroup>,
}

impl Target {
    pub async fn start(name: &str) -> Self {
        allow_files();
        let (scene, controller) = Scene::with_controller(name).await;
        let good = scene.issued("good").await;
        let switched = scene.issued("switched").await;
        let verifier = Verifier::start(&scene, &[]).await;
        let limit = Cgroup::hold(verifier.pid(), MEMORY);
        verifier.answers(&good, 200).await;
        verifier.answers(&switched, 200).await;
        let address = verifier.address().await;
        let line = verifier.lines().into_iter().find(|line| line["address"].is_string()).unwrap();
        let health = line["address"].as_str().unwrap().to_owned();
        Self { scene, _controller: controller, verifier, address, health, good, switched, _limit: limit }
    }

    /// Switches the key `switched` off or on.
    pub async fn switch(&self, state: &str) {
        self.scene.set::<keyward::api::AccessKey>("switched-key", json!({"state": state})).await;
    }

    /// The most that the verifier has had in memory, in KiB.
    pub fn peak(&self) -> u64 {
        peak_of(self.verifier.pid())
    }
}

/// The most that a process has had in memory, in KiB.
pub fn peak_of(pid: u32) -> u64 {
    let path = Path::new("/proc").join(pid.to_string()).join("status");
    let status = std::fs::read_to_string(path).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Lets this process, and those that it starts, have as many files open as the system lets them.
pub fn allow_files() {
    let Rlimit { current: _, maximum } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}
