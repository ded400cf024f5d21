//! Who is admitted to an account, and under which display name.

use std::collections::{HashMap, HashSet};

use crate::api::shared::Seat;
use crate::domain::account::observed::{Observed, ServiceAccountView};
use crate::domain::seats::{Allotment, Candidate, allot};

/// The seats as they are to be.
pub(super) fn allotment(observed: &Observed) -> Allotment {
    let held = renamed(observed);
    let limit = observed.policy.limits.service_accounts;
    allot(&held, &candidates(observed, &held), &observed.gone, limit)
}

/// The seats with the display names that their service accounts ask for now, where nobody else holds them.
fn renamed(observed: &Observed) -> Vec<Seat> {
    let mut seats = observed.status.seats.clone();
    let mut holders = holders(&seats, &observed.gone);
    let places: HashMap<String, usize> =
        seats.iter().enumerate().map(|(at, seat)| (seat.uid.clone(), at)).collect();
    for ServiceAccountView { uid, display_name, .. } in &observed.service_accounts {
        let Some(seat) = places.get(uid).and_then(|at| seats.get_mut(*at)) else { continue };
        let folded = display_name.to_lowercase();
        if holders.get(&folded).is_some_and(|holder| holder != uid) {
            continue;
        }
        if let Some(old) = seat.display_name.replace(display_name.clone()) {
            holders.remove(&old.to_lowercase());
        }
        holders.insert(folded, uid.clone());
    }
    seats
}

/// Who holds which name, folded.
fn holders(seats: &[Seat], gone: &[String]) -> HashMap<String, String> {
    let present = seats.iter().filter(|seat| !gone.contains(&seat.uid));
    present.filter_map(|seat| Some((seat.display_name.as_ref()?.to_lowercase(), seat.uid.clone()))).collect()
}

/// The service accounts as candidates; of several that want one name, the first in line is eligible.
fn candidates(observed: &Observed, held: &[Seat]) -> Vec<Candidate> {
    let mut waiting: Vec<&ServiceAccountView> = observed.service_accounts.iter().collect();
    waiting.sort_by_key(|view| (!view.issued, view.created, view.uid.clone()));
    let mut taken: HashSet<String> = holders(held, &observed.gone).into_keys().collect();
    let seated: HashSet<&str> = held.iter().map(|seat| seat.uid.as_str()).collect();
    let candidate = |view: &ServiceAccountView| {
        let name = view.name_to_hold();
        Candidate {
            seat: Seat {
                uid: view.uid.clone(),
                name: view.name.clone(),
                display_name: Some(name.to_owned()),
                serial: None,
            },
            created: view.created,
            issued: view.issued,
            eligible: seated.contains(view.uid.as_str()) || taken.insert(name.to_lowercase()),
        }
    };
    waiting.into_iter().map(candidate).collect()
}
