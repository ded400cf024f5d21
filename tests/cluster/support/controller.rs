//! A controller process.

use std::ops::{Deref, DerefMut};

use super::identity::CONTROLLER;
use super::program::{self, Program};
use super::scene::Scene;

const RULES: [&str; 3] = [
    include_str!("../../../charts/keyward/files/controller-rules.yaml"),
    include_str!("../../../charts/keyward/files/sealing-rules.yaml"),
    include_str!("../../../charts/keyward/files/lease-rules.yaml"),
];

/// How a controller is started.
#[derive(Clone, Default)]
pub struct Flags {
    /// Where it takes part in leader election, the lease's name and how many seconds it lasts.
    pub lease: Option<(&'static str, u32)>,
    /// Base URL of a proxy in front of the API server.
    pub through: Option<String>,
    /// Keeps no quota: it would come after a minute, in the midst of whatever is looked at.
    pub no_quota: bool,
    /// Removes from the rules every one that concerns this resource.
    pub without: Option<&'static str>,
}

pub struct Controller(Program);

impl Scene {
    /// With a controller at work.
    pub async fn with_controller(name: &str) -> (Self, Controller) {
        let scene = Self::new(name).await;
        let controller = Controller::start(&scene, Flags::default()).await;
        (scene, controller)
    }
}

impl Controller {
    /// Starts one and waits until it is ready.
    pub async fn start(scene: &Scene, flags: Flags) -> Self {
        let controller = Self::launch(scene, flags).await;
        controller.ready().await;
        controller
    }

    /// Starts one.
    pub async fn launch(scene: &Scene, flags: Flags) -> Self {
        // The chart puts the lease's name in.
        let lease = flags.lease.map_or("none", |(name, _)| name);
        let named = RULES.map(|rules| rules.replace("$(lease)", lease));
        let rules = program::rules(&named.each_ref().map(String::as_str), flags.without);
        let name = flags.without.map_or_else(|| CONTROLLER.to_owned(), |name| format!("without-{name}"));
        let token = program::identity(scene, &name, &rules).await;
        let program = Program::spawn(scene, "controller", &token, flags.through.as_deref(), |command| {
            command
                .args(["--trust-changed-by", "true"])
                .args(["--resource-quotas", if flags.no_quota { "false" } else { "true" }]);
            match flags.lease {
                Some((lease, seconds)) => command
                    .args(["--lease-namespace", &scene.namespace, "--lease-name", lease])
                    .args(["--lease-seconds", &seconds.to_string()]),
                None => command.args(["--leader-elect", "false"]),
            };
        });
        Self(program)
    }
}

impl Deref for Controller {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.0
    }
}

impl DerefMut for Controller {
    fn deref_mut(&mut self) -> &mut Program {
        &mut self.0
    }
}
