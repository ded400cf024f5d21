//! Who gets no seat if the manifests are applied in their order. It is assumed that the cluster has no
//! others.

use crate::api::shared::Seat;
use crate::domain::seats::{Candidate, admits, allot};
use crate::domain::value::time::at_second;
use crate::validate::manifest::Manifest;

/// Those of `waiting` that get none of `limit` seats, each with its number among them, counted from 1.
pub(super) fn without_seat<'a>(waiting: &[&'a Manifest<'a>], limit: usize) -> Vec<(usize, &'a Manifest<'a>)> {
    let candidates: Vec<Candidate> = (0_i64..).zip(waiting).map(candidate).collect();
    let seats = allot(&[], &candidates, &[], limit).seats;
    (1..)
        .zip(candidates.iter().zip(waiting))
        .filter(|(_, (candidate, _))| !admits(&seats, &candidate.seat.uid))
        .map(|(number, (_, manifest))| (number, *manifest))
        .collect()
}

/// A manifest has neither a UID nor a time of creation: its position among the others stands for both.
fn candidate((position, manifest): (i64, &&Manifest<'_>)) -> Candidate {
    let seat =
        Seat { uid: position.to_string(), name: manifest.name.clone(), display_name: None, serial: None };
    Candidate { seat, created: at_second(position), issued: false, eligible: true }
}
