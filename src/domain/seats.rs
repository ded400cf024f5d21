//! Seats: who is admitted under a limit. Pure, so that the invariant can be tested over every history.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::api::shared::Seat;

/// An object that has or wants a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its seat, as it would stand in the list.
    pub seat: Seat,
    /// When it was created: the oldest is first.
    pub created: DateTime<Utc>,
    /// It already holds something issued, so it goes first where a lost list is rebuilt.
    pub issued: bool,
    /// It may be admitted now. One that has a seat keeps it without.
    pub eligible: bool,
}

/// The outcome of [`allot`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allotment {
    /// The new list, oldest seat first.
    pub seats: Vec<Seat>,
    /// Those that came in now.
    pub admitted: Vec<Seat>,
    /// Seats of objects that are gone.
    pub freed: Vec<Seat>,
}

/// Hands out seats: the ones in `held` whose object is still among `candidates` stay, then the waiting come in, those
/// with something issued first, then the oldest. `gone` tells which held seats are known to have no object any more;
/// any other seat stays, so a cache that lags frees nothing.
pub fn allot(held: &[Seat], candidates: &[Candidate], gone: &[String], limit: usize) -> Allotment {
    let known: HashMap<&str, &Candidate> = candidates.iter().map(|c| (c.seat.uid.as_str(), c)).collect();
    let gone: HashSet<&str> = gone.iter().map(String::as_str).collect();
    let seated: HashSet<&str> = held.iter().map(|seat| seat.uid.as_str()).collect();
    let (freed, kept): (Vec<&Seat>, Vec<&Seat>) =
        held.iter().partition(|seat| gone.contains(seat.uid.as_str()));

    // A seat whose object is unseen but not known to be gone counts as the oldest: it must not be lost.
    let mut seats: Vec<(Option<&Candidate>, &Seat)> =
        kept.into_iter().map(|seat| (known.get(seat.uid.as_str()).copied(), seat)).collect();
    seats.sort_by_key(|(candidate, seat)| (candidate.map(|c| c.created), seat.uid.clone()));
    seats.truncate(limit);

    let waiting =
        |candidate: &&Candidate| candidate.eligible && !seated.contains(candidate.seat.uid.as_str());
    let mut waiting: Vec<&Candidate> = candidates.iter().filter(waiting).collect();
    waiting.sort_by_key(|candidate| (!candidate.issued, candidate.created, candidate.seat.uid.clone()));
    let admitted: Vec<Seat> =
        waiting.into_iter().take(limit - seats.len()).map(|candidate| candidate.seat.clone()).collect();

    Allotment {
        seats: seats.into_iter().map(|(_, seat)| seat.clone()).chain(admitted.iter().cloned()).collect(),
        admitted,
        freed: freed.into_iter().cloned().collect(),
    }
}

/// Whether `seats` admits the object with `uid`.
pub fn admits(seats: &[Seat], uid: &str) -> bool {
    seats.iter().any(|seat| seat.uid == uid)
}

#[cfg(test)]
#[path = "seats_tests.rs"]
mod tests;
