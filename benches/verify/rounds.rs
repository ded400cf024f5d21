//! Rounds that go from subject to subject, so that whatever else the machine does meets all of them alike.

use std::time::Duration;

use crate::load::{Load, Order};
use crate::medians::{Round, Series};
use crate::report::progress;
use crate::subject::Subject;
use crate::support::Failure;

/// How many connections keep a server busy.
pub const BUSY: usize = 32;
const WARM_UP: Duration = Duration::from_millis(500);

pub struct Rounds {
    /// Of each process of a server.
    pub count: usize,
    pub length: Duration,
}

/// Measures all of them.
pub fn measure(subjects: &[Subject], rounds: &Rounds) -> Result<Vec<Series>, Failure> {
    let new = |subject: &Subject| Series { name: subject.name, rounds: Vec::new() };
    let mut all: Vec<Series> = subjects.iter().map(new).collect();
    for subject in subjects {
        load(subject, BUSY, WARM_UP)?;
    }
    for n in 1..=rounds.count {
        for (subject, its) in subjects.iter().zip(&mut all) {
            progress(&format!("round {n} of {}: {}", rounds.count, subject.name));
            its.rounds.push(round(subject, rounds.length)?);
        }
    }
    Ok(all)
}

#[allow(clippy::cast_precision_loss, reason = "no round has that many answers")]
fn round(subject: &Subject, length: Duration) -> Result<Round, Failure> {
    let before = subject.process.processor_seconds()?;
    let measured = load(subject, BUSY, length)?;
    let seconds = subject.process.processor_seconds()? - before;
    let alone = load(subject, 1, length / 4)?;
    Ok(Round {
        per_second: measured.per_second(),
        cost: seconds * 1e6 / measured.answers as f64,
        busy: seconds / measured.elapsed.as_secs_f64(),
        latency: quantiles(&measured),
        alone: quantiles(&alone),
    })
}

fn load(subject: &Subject, connections: usize, time: Duration) -> Result<crate::load::Measured, Failure> {
    let load = Load {
        address: subject.address,
        requests: &subject.requests,
        connections,
        order: Order::AtRandom(time),
    };
    load.run().map_err(|error| format!("{}: {error}", subject.name).into())
}

#[allow(clippy::cast_precision_loss, reason = "nanoseconds of seconds")]
fn quantiles(measured: &crate::load::Measured) -> [f64; 2] {
    [0.5, 0.99].map(|quantile| measured.latency.value_at_quantile(quantile) as f64 / 1e3)
}
