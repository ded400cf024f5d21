//! The policies that have a deactivation confirmed, for a test that wants them.

use super::command::{run, text};
use super::policies::{apply, render};
use super::scene::Scene;

/// The policies that have a deactivation confirmed, in the scene's namespace alone.
pub struct Guard(String);

impl Guard {
    /// They are in force a moment later.
    pub fn install(scene: &Scene) -> Self {
        let values = format!("deactivationGuard=Confirm,watchNamespace={}", scene.namespace);
        let rendered = render(&["policies"], &values);
        let wanted = rendered.split("---\n").filter(|part| part.contains("serviceaccount-deactivation"));
        let wanted = wanted.collect::<Vec<_>>().join("---\n");
        assert_eq!(wanted.matches("deactivation-confirmed.iam.keyward.dev\n").count(), 3, "{wanted}");
        apply(&wanted);
        Self(wanted)
    }

    pub fn remove(self) {
        text(&run("kubectl", &["delete", "-f", "-"], &self.0));
    }
}
