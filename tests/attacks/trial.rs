//! One attack on a target: what must hold while it runs, and after it.

use crate::attack::{Attack, Length};
use crate::figures::{Figures, MEMORY};
use crate::probe::Probe;
use crate::target::Target;

impl Target {
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
