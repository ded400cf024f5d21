//! What was measured while an attack ran, and the bars.

use std::time::Duration;

use hdrhistogram::Histogram;

/// How long others had to wait.
#[derive(Default)]
pub struct Figures {
    pub asked: u64,
    pub answered: u64,
    /// Of good keys, in microseconds.
    pub answers: Vec<u64>,
    /// From the API server's answer to a switch-off until the key is refused, in microseconds.
    pub revocations: Vec<u64>,
    /// Of `/livez`, in microseconds.
    pub health: Vec<u64>,
}

/// The least part of good keys that is answered, in tenths of a percent.
const ANSWERED: u64 = 999;
const ANSWER_P99: Duration = Duration::from_millis(250);
const REVOCATION_MEDIAN: Duration = Duration::from_millis(250);
const REVOCATION_WORST: Duration = Duration::from_secs(1);
/// After which the kubelet takes `/livez` for unanswered, as the chart has it.
const HEALTH_WORST: Duration = Duration::from_secs(3);
/// The chart's limit, in KiB.
pub const MEMORY: u64 = 256 * 1024;

fn histogram(values: &[u64]) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).unwrap();
    for value in values {
        histogram.record(*value).unwrap();
    }
    histogram
}

fn at(histogram: &Histogram<u64>, quantile: f64) -> Duration {
    Duration::from_micros(histogram.value_at_quantile(quantile))
}

impl Figures {
    /// Prints them.
    pub fn print(&self, attack: &str, done: u64, peak: u64) {
        let answers = histogram(&self.answers);
        let (revocations, health) = (histogram(&self.revocations), histogram(&self.health));
        println!("{attack}: {done} steps of the attack, at most {} MiB resident", peak / 1024);
        println!(
            "  good keys: {} of {} answered, median {:.1?}, p99 {:.1?}, worst {:.1?}",
            self.answered,
            self.asked,
            at(&answers, 0.5),
            at(&answers, 0.99),
            at(&answers, 1.0),
        );
        println!(
            "  {} switch-offs seen: median {:.1?}, worst {:.1?}; /livez: worst {:.1?}",
            self.revocations.len(),
            at(&revocations, 0.5),
            at(&revocations, 1.0),
            at(&health, 1.0),
        );
    }

    /// Holds them against the bars.
    pub fn check(&self, attack: &str) {
        let answers = histogram(&self.answers);
        let (revocations, health) = (histogram(&self.revocations), histogram(&self.health));
        assert!(self.answered * 1000 >= self.asked * ANSWERED, "{attack}: good keys are not answered");
        assert!(at(&answers, 0.99) < ANSWER_P99, "{attack}: good keys wait");
        assert!(at(&revocations, 0.5) < REVOCATION_MEDIAN, "{attack}: switched-off keys are let in");
        assert!(at(&revocations, 1.0) < REVOCATION_WORST, "{attack}: a switched-off key is let in");
        assert!(at(&health, 1.0) < HEALTH_WORST, "{attack}: the kubelet would restart it");
    }
}
