//! What is attacked: a verifier under the chart's rules, with a key that must be answered and one that is
//! switched off and on.

use std::path::Path;

use keyward::domain::value::token::Token;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::attack::{Attack, Length};
use crate::figures::{Figures, MEMORY};
use crate::probe::Probe;
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
}

impl Target {
    pub async fn start(name: &str) -> Self {
        allow_files();
        let (scene, controller) = Scene::with_controller(name).await;
        let good = scene.issued("good").await;
        let switched = scene.issued("switched").await;
        let verifier = Verifier::start(&scene, &[]).await;
        verifier.answers(&good, 200).await;
        verifier.answers(&switched, 200).await;
        let address = verifier.address().await;
        let line = verifier.lines().into_iter().find(|line| line["address"].is_string()).unwrap();
        let health = line["address"].as_str().unwrap().to_owned();
        Self { scene, _controller: controller, verifier, address, health, good, switched }
    }

    /// Switches the key `switched` off or on.
    pub async fn switch(&self, state: &str) {
        self.scene.set::<keyward::api::AccessKey>("switched-key", json!({"state": state})).await;
    }

    /// The most that the verifier has had in memory, in KiB.
    pub fn peak(&self) -> u64 {
        let path = Path::new("/proc").join(self.verifier.pid().to_string()).join("status");
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Has `attack` run for its time. Meanwhile and afterwards good keys are answered, one that is switched
    /// off is refused, the process says that it is alive, and has no more memory than the chart gives it.
    pub async fn withstands(&mut self, name: &str, attack: Attack) {
        let Length { time, measured } = Length::of_this_run();
        let figures: Figures = Probe::new(self).run(time).await;
        let done = attack.stop().await;
        assert!(done > 0, "{name}: it was no attack");
        assert!(self.verifier.is_running(), "{name}: the verifier ended");
        assert!(figures.answered > 0 && !figures.revocations.is_empty() && !figures.health.is_empty());
        self.verifier.answers(&self.good, 200).await;
        let peak = self.peak();
        figures.print(name, done, peak);
        assert!(peak < MEMORY, "{name}: {peak} KiB");
        if measured {
            figures.check(name);
        }
    }
}

/// Lets this process, and those that it starts, have as many files open as the system lets them.
fn allow_files() {
    let Rlimit { current: _, maximum } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}
