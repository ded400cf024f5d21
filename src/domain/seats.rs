//! Seats: who is admitted under a limit. Pure, so that the invariant can be tested over every history.
//!
//! ```text
//!   held (in status) ──┬── object seen, or not known to be gone ──► keeps its seat ──┐
//!                      └── known to be gone ──► freed                               ├──► new list,
//!   candidates ── eligible, issued first, then oldest ──► takes a seat that is free ─┘    at most `limit`
//! ```
//!
//! The new list is written with the resourceVersion that `held` was read at, so no two writers can both give
//! the last seat. Counting objects in a cache does not come in here: a cache lags.

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

/// Hands out seats: the ones in `held` whose object is still among `candidates` stay, then the waiting come
/// in, those with something issued first, then the oldest. `gone` tells which held seats are known to have no
/// object any more; any other seat stays, so a cache that lags frees nothing.
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
mod tests {
    //! Seats, as a table and over arbitrary histories.

    use proptest::prelude::*;

    use super::*;

    fn seat(n: u32) -> Seat {
        Seat { uid: format!("uid-{n:04}"), name: format!("key-{n}"), display_name: None, serial: None }
    }

    fn candidate(n: u32) -> Candidate {
        let created = DateTime::from_timestamp(i64::from(n), 0).unwrap();
        Candidate { seat: seat(n), created, issued: false, eligible: true }
    }

    fn names(seats: &[Seat]) -> Vec<&str> {
        seats.iter().map(|seat| seat.name.as_str()).collect()
    }

    #[test]
    fn the_oldest_come_in_first() {
        let outcome = allot(&[], &[candidate(3), candidate(1), candidate(2)], &[], 2);
        assert_eq!(names(&outcome.seats), ["key-1", "key-2"]);
        assert_eq!(names(&outcome.admitted), ["key-1", "key-2"]);
    }

    #[test]
    fn a_seat_is_kept_against_an_older_one_that_came_late() {
        let outcome = allot(&[seat(5)], &[candidate(1), candidate(5)], &[], 1);
        assert_eq!(names(&outcome.seats), ["key-5"]);
        assert!(outcome.admitted.is_empty());
    }

    #[test]
    fn a_freed_seat_goes_to_the_oldest_waiting_one() {
        let outcome =
            allot(&[seat(1), seat(2)], &[candidate(2), candidate(4), candidate(3)], &[seat(1).uid], 2);
        assert_eq!(names(&outcome.freed), ["key-1"]);
        assert_eq!(names(&outcome.seats), ["key-2", "key-3"]);
    }

    #[test]
    fn a_seat_whose_object_is_unseen_is_not_freed() {
        let outcome = allot(&[seat(1)], &[candidate(2)], &[], 1);
        assert_eq!(names(&outcome.seats), ["key-1"]);
    }

    #[test]
    fn a_lowered_limit_takes_the_seats_of_the_youngest() {
        let held = [seat(1), seat(2), seat(3)];
        let outcome = allot(&held, &[candidate(1), candidate(2), candidate(3)], &[], 1);
        assert_eq!(names(&outcome.seats), ["key-1"]);
    }

    #[test]
    fn a_lost_list_is_rebuilt_from_those_that_hold_a_token() {
        let issued = Candidate { issued: true, ..candidate(9) };
        let outcome = allot(&[], &[candidate(1), candidate(2), issued], &[], 2);
        assert_eq!(names(&outcome.seats), ["key-9", "key-1"]);
    }

    #[test]
    fn one_that_is_not_eligible_waits_but_keeps_a_seat_it_has() {
        let refused = |n| Candidate { eligible: false, ..candidate(n) };
        assert!(allot(&[], &[refused(1)], &[], 5).seats.is_empty());
        assert_eq!(names(&allot(&[seat(1)], &[refused(1)], &[], 5).seats), ["key-1"]);
    }

    proptest! {
        /// A controller may see any part of the objects; the list still never grows beyond the limit, an
        /// issued seat is lost only with its object, and a second pass over the same view changes nothing.
        #[test]
        fn no_history_of_partial_views_breaks_the_limit(
            limit in 0usize..8,
            views in prop::collection::vec(prop::collection::btree_set(0u32..20, 0..20), 1..12),
            deletions in prop::collection::vec(prop::option::of(0u32..20), 12),
        ) {
            let mut seats: Vec<Seat> = Vec::new();
            let mut deleted: Vec<u32> = Vec::new();
            for (view, deletion) in views.iter().zip(deletions) {
                deleted.extend(deletion);
                let gone: Vec<String> = deleted.iter().map(|n| seat(*n).uid).collect();
                let seen: Vec<Candidate> = view.iter().map(|n| candidate(*n)).collect();
                let outcome = allot(&seats, &seen, &gone, limit);
                prop_assert!(outcome.seats.len() <= limit);
                for kept in &seats {
                    prop_assert!(gone.contains(&kept.uid) || outcome.seats.contains(kept));
                }
                let live: Vec<Candidate> = seen.iter().filter(|c| !gone.contains(&c.seat.uid)).cloned().collect();
                let again = allot(&outcome.seats, &live, &[], limit);
                prop_assert!(again.seats.len() <= limit && outcome.seats.iter().all(|s| again.seats.contains(s)));
                seats = outcome.seats;
            }
        }
    }
}
