//! The one place that draws random values. A process makes one [`Random`] at its top and hands it down, so
//! that all of it can run from one seed.

use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::{StdRng, SysError, SysRng};
use rand::{Rng as _, RngExt as _, SeedableRng as _, TryRng as _};

/// Where a process draws random values from.
#[derive(Debug, Clone, Default)]
pub enum Random {
    /// The operating system's generator for secrets, the thread's own for jitter.
    #[default]
    System,
    /// Everything from one seed: for tests alone, since whoever knows the seed knows the secrets.
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    /// Everything from `seed`, for tests.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fills `bytes` with what nobody can guess.
    ///
    /// # Errors
    /// When the operating system's generator gives nothing.
    pub fn fill(&self, bytes: &mut [u8]) -> Result<(), SysError> {
        match self {
            Self::System => SysRng.try_fill_bytes(bytes),
            Self::Seeded(generator) => {
                generator.lock().fill_bytes(bytes);
                Ok(())
            }
        }
    }

    /// A number that nobody can guess.
    ///
    /// # Errors
    /// When the operating system's generator gives nothing.
    pub fn seed(&self) -> Result<u64, SysError> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A value in `range`, so that processes do not all do a thing in the same moment. The range's start
    /// where it is empty.
    pub fn jitter(&self, range: Range<f64>) -> f64 {
        if range.is_empty() {
            return range.start;
        }
        match self {
            Self::System => rand::rng().random_range(range),
            Self::Seeded(generator) => generator.lock().random_range(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(random: &Random) -> ([u8; 32], f64) {
        let mut bytes = [0; 32];
        random.fill(&mut bytes).unwrap();
        (bytes, random.jitter(1.0..1.25))
    }

    #[test]
    fn the_same_seed_draws_the_same_and_the_system_never_does() {
        assert_eq!(drawn(&Random::seeded(7)), drawn(&Random::seeded(7)));
        assert_ne!(drawn(&Random::seeded(7)).0, drawn(&Random::seeded(8)).0);
        assert_ne!(drawn(&Random::System).0, drawn(&Random::System).0);
    }

    #[test]
    fn jitter_stays_in_its_range() {
        for random in [Random::System, Random::seeded(7)] {
            assert!((0..100).all(|_| (1.0..1.25).contains(&random.jitter(1.0..1.25))));
            assert!((random.jitter(1.0..1.0) - 1.0).abs() < f64::EPSILON);
        }
    }
}
