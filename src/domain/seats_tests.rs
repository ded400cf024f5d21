//! Seats, as a table and over arbitrary histories.

use proptest::prelude::*;

use super::*;

fn seat(n: u32) -> Seat {
    Seat { uid: format!("uid-{n:04}"), name: format!("key-{n}"), display_name: None }
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
    let outcome = allot(&[seat(1), seat(2)], &[candidate(2), candidate(4), candidate(3)], &[seat(1).uid], 2);
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
    /// A controller may see any part of the objects; the list still never grows beyond the limit, an issued seat is
    /// lost only with its object, and a second pass over the same view changes nothing.
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
