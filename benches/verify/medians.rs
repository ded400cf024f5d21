//! What rounds come to: the median of each subject, and ratios.

/// The rounds of one subject.
pub struct Series {
    pub name: &'static str,
    pub rounds: Vec<Round>,
}

/// One round of one subject.
#[derive(Clone, Copy)]
pub struct Round {
    pub per_second: f64,
    /// Time of the server's processor for one answer, in microseconds.
    pub cost: f64,
    /// How much of its processor the server had.
    pub busy: f64,
    pub latency: [f64; 2],
    pub alone: [f64; 2],
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
