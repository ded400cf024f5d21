//! Rounds that go from subject to subject, so that whatever else the machine does meets all of them alike;
//! and their medians.

use std::time::Duration;

use crate::support::Failure;
use crate::verify::load::{Load, Order};
use crate::verify::progress::progress;
use crate::verify::subject::Subject;

/// How many connections keep a server busy.
pub const BUSY: usize = 32;
const WARM_UP: Duration = Duration::from_millis(500);

pub struct Rounds {
    /// Of each process of a server.
    pub count: usize,
    pub length: Duration,
}

/// The rounds of one subject.
pub struct Series {
    name: &'static str,
    rounds: Vec<Round>,
}

/// One round of one subject.
#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    /// Time of the server's processor for one answer, in microseconds.
    cost: f64,
    /// How much of its processor the server had.
    busy: f64,
    latency: [f64; 2],
    alone: [f64; 2],
}

/// A subject's medians. Latencies are p50 and p99 in microseconds.
pub struct Row {
    pub name: &'static str,
    pub per_second: f64,
    pub cost: f64,
    pub busy: f64,
    pub latency: [f64; 2],
    /// With one connection only.
    pub alone: [f64; 2],
    rounds: Vec<Round>,
}

impl Row {
    /// The median over rounds of how much faster this is than `other`.
    pub fn ratio(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(one, other)| one.per_second / other.per_second))
    }

    /// The same, by the time of the processor that an answer takes.
    pub fn cost_ratio(&self, other: &Self) -> f64 {
        median(self.rounds.iter().zip(&other.rounds).map(|(one, other)| other.cost / one.cost))
    }
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

/// The medians of all rounds of each subject.
pub fn rows(all: Vec<Series>) -> Vec<Row> {
    let mut joined: Vec<Series> = Vec::new();
    for Series { name, rounds } in all {
        match joined.iter_mut().find(|known| known.name == name) {
            Some(known) => known.rounds.extend(rounds),
            None => joined.push(Series { name, rounds }),
        }
    }
    joined.into_iter().map(|series| row(series.name, series.rounds)).collect()
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

fn load(
    subject: &Subject,
    connections: usize,
    time: Duration,
) -> Result<crate::verify::load::Measured, Failure> {
    let load = Load {
        address: subject.address,
        requests: &subject.requests,
        connections,
        order: Order::AtRandom(time),
    };
    load.run().map_err(|error| format!("{}: {error}", subject.name).into())
}

#[allow(clippy::cast_precision_loss, reason = "nanoseconds of seconds")]
fn quantiles(measured: &crate::verify::load::Measured) -> [f64; 2] {
    [0.5, 0.99].map(|quantile| measured.latency.value_at_quantile(quantile) as f64 / 1e3)
}

fn row(name: &'static str, rounds: Vec<Round>) -> Row {
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value));
    Row {
        name,
        per_second: of(|round| round.per_second),
        cost: of(|round| round.cost),
        busy: of(|round| round.busy),
        latency: [of(|round| round.latency[0]), of(|round| round.latency[1])],
        alone: [of(|round| round.alone[0]), of(|round| round.alone[1])],
        rounds,
    }
}

/// The middle one; of an even number the higher of the two.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value that the share `quantile` of all lies below; not a number where there are none.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index into few values"
)]
pub fn quantile(values: impl Iterator<Item = f64>, quantile: f64) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 * quantile) as usize).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::NAN)
}
