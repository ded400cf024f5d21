//! Whatever others write to Secrets, and whatever is lost or forged in status: no token is good that the
//! controller did not draw for this key, and none that was retired comes back. With real seals, over many
//! histories; the controller may die between any two writes.
//!
//! One thing is left out: that the seat hears of a first token within seconds. A status that is lost before
//! it does, with the Secret, has a second first token drawn under the same serial; lost once more, it may be
//! put together from either.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::api::AccessKey;
use crate::domain::access_key::record::Trust;
use crate::domain::object::Stamps;
use crate::domain::service_account::{KeyView, seat_serial};
use crate::domain::value::seal::{PublicKeys, SigningKey};

const UID: &str = "key-uid";

/// A Secret as the API server keeps it: its annotations, and which token lies in it.
#[derive(Clone, Debug, PartialEq)]
struct Stored {
    version: i64,
    annotations: BTreeMap<String, String>,
    token: Option<TokenStatus>,
}

struct Sim {
    spec: AccessKeySpec,
    generation: i64,
    /// As the API server has it, whoever wrote it.
    status: AccessKeyStatus,
    secret: Option<Stored>,
    /// Every Secret that there ever was.
    history: Vec<Stored>,
    seat: Option<i64>,
    now: DateTime<Utc>,
    /// The API server's: it counts every write.
    version: i64,
    /// Those of the key and of its service account.
    key_version: i64,
    parent_version: i64,
    key: SigningKey,
    trust: Trust,
    drawn: BTreeSet<String>,
    /// Those that the controller's last status had good. A loss of status alone retires none.
    in_use: BTreeSet<String>,
    /// Those that a status of the controller replaced.
    retired: BTreeSet<String>,
}

/// The controller died before its next write.
struct Crash;

#[derive(Clone, Copy, Debug)]
enum Event {
    Pass {
        writes: usize,
    },
    SeatPass,
    Sleep(i64),
    RaiseRevision,
    DeleteSecret,
    PutBack(prop::sample::Index),
    /// A token of one's own, with annotations of one's own.
    Plant,
    /// The same with the annotations of a Secret that there was.
    PlantUnder(prop::sample::Index),
    /// A Secret that was sealed for another key.
    CopyOfAnother,
    Unlabel,
    LoseStatus,
    ForgeStatus {
        serial: Option<i64>,
    },
    ForgeNext,
    LoseSeats,
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0usize..7).prop_map(|writes| Event::Pass { writes }),
        6 => Just(Event::Pass { writes: usize::MAX }),
        5 => Just(Event::SeatPass),
        3 => (1i64..90).prop_map(Event::Sleep),
        1 => (1i64..60).prop_map(|days| Event::Sleep(days * 86_400)),
        2 => Just(Event::RaiseRevision),
        2 => Just(Event::DeleteSecret),
        4 => any::<prop::sample::Index>().prop_map(Event::PutBack),
        1 => Just(Event::Plant),
        1 => any::<prop::sample::Index>().prop_map(Event::PlantUnder),
        1 => Just(Event::CopyOfAnother),
        1 => Just(Event::Unlabel),
        2 => Just(Event::LoseStatus),
        1 => prop::option::of(prop_oneof![99i64..150, Just(i64::MAX)])
            .prop_map(|serial| Event::ForgeStatus { serial }),
        1 => Just(Event::ForgeNext),
        1 => Just(Event::LoseSeats),
    ]
}

impl Sim {
    fn new() -> Self {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let trust = Trust { keys: PublicKeys::new([&key.public()]), adopting: false };
        let rotation =
            Some(RotationSpec { renew_before: duration("P14D"), overlap: Some(duration("PT60S")) });
        Self {
            spec: AccessKeySpec { rotation, ..unissued().key.spec },
            generation: 1,
            status: AccessKeyStatus::default(),
            secret: None,
            history: Vec::new(),
            seat: None,
            now: at(NOW),
            version: 100,
            key_version: 0,
            parent_version: 0,
            key,
            trust,
            drawn: BTreeSet::new(),
            in_use: BTreeSet::new(),
            retired: BTreeSet::new(),
        }
    }

    fn object(&self) -> AccessKey {
        let mut object = AccessKey::new("deploy", self.spec.clone());
        object.metadata.namespace = Some("team-a".into());
        object.metadata.uid = Some(UID.into());
        object.metadata.generation = Some(self.generation);
        object.metadata.resource_version = Some(self.key_version.to_string());
        object.status = Some(self.status.clone());
        object
    }

    fn view(&self) -> SecretView {
        let Some(Stored { version, annotations, token }) = self.secret.clone() else {
            return SecretView::Absent;
        };
        let record = self.trust.of_annotations(UID, &annotations);
        let holds = token.map_or(Holds::Nothing, |token| {
            let as_requested = record.sealed().is_some_and(|record| record.token == token);
            Holds::Token { sha256: token.sha256, as_requested }
        });
        SecretView::Owned(OwnedSecret { resource_version: version.to_string(), record, holds })
    }

    fn observed(&self) -> Observed {
        let seat = self.seat.map(|serial| GivenSeat { index: 0, serial: Some(serial) });
        Observed {
            key: Key::of(&self.object(), Stamps::Ignored, &self.trust),
            secret: self.view(),
            ..of(FoundParent { seat, ..parent() })
        }
    }

    fn store(&mut self, annotations: BTreeMap<String, String>, token: Option<TokenStatus>) {
        self.version += 1;
        let stored = Stored { version: self.version, annotations, token };
        self.history.push(stored.clone());
        self.secret = Some(stored);
    }

    fn change_status(&mut self, change: impl FnOnce(&mut AccessKeyStatus)) {
        change(&mut self.status);
        self.version += 1;
        self.key_version = self.version;
    }

    fn write_seat(&mut self, seat: Option<i64>) {
        if seat != self.seat {
            self.seat = seat;
            self.version += 1;
            self.parent_version = self.version;
        }
    }

    fn write_status(&mut self, mut status: AccessKeyStatus) {
        if status.seal.is_none() {
            status.seal = Record::of_status(&status).map(|record| record.seal(UID, &self.key));
        }
        self.change_status(|found| *found = status);
        let after: BTreeSet<String> = self.believed().into_iter().map(|token| token.id).collect();
        // One that only says that there is none, as while a Secret is in the way, retires none either.
        if after.is_empty() {
            return;
        }
        let before = std::mem::replace(&mut self.in_use, after.clone());
        self.retired.extend(before.into_iter().filter(|id| !after.contains(id)));
    }

    /// The tokens that a verifier takes.
    fn believed(&self) -> Vec<TokenStatus> {
        if self.trust.of_status(UID, &self.status).is_err() {
            return Vec::new();
        }
        let AccessKeyStatus { token, next_token, previous_token, .. } = self.status.clone();
        let previous = previous_token.filter(|old| old.valid_until > self.now).map(|old| old.token);
        [token, next_token, previous].into_iter().flatten().collect()
    }

    fn pass(&mut self, mut writes: usize) -> Result<(), Crash> {
        for _ in 0..6 {
            let observed = self.observed();
            let plan = plan(&observed, self.now);
            let again = plan
                .actions
                .iter()
                .any(|action| matches!(action, Action::Issue(_) | Action::RepairSecret(_)));
            for action in plan.actions {
                self.act(&observed, action, &mut writes)?;
                self.check();
            }
            if !again {
                return Ok(());
            }
        }
        panic!("more rounds than any plan needs: {:?} {:?}", self.status, self.secret)
    }

    fn act(&mut self, observed: &Observed, action: Action, writes: &mut usize) -> Result<(), Crash> {
        let mut write = || {
            *writes = writes.checked_sub(1).ok_or(Crash)?;
            Ok(())
        };
        match action {
            Action::Audit(_) => {}
            Action::WriteStatus(status) => {
                write()?;
                self.write_status(*status);
            }
            Action::Issue(issue) => {
                let Issue {
                    revision,
                    issued_at,
                    expires_at,
                    service_account_uid,
                    serial,
                    seat,
                    stage,
                    previous,
                    replaces,
                } = *issue;
                let token = TokenStatus {
                    revision,
                    issued_at,
                    expires_at,
                    ..token(&format!("k{}", self.drawn.len()))
                };
                self.drawn.insert(token.id.clone());
                if seat.is_some() {
                    write()?;
                    self.write_seat(Some(serial));
                }
                if stage {
                    write()?;
                    let status = observed.key.status.clone();
                    let next_token = Some(token.clone());
                    self.write_status(AccessKeyStatus {
                        next_token,
                        serial: Some(serial),
                        seal: None,
                        ..status
                    });
                    self.check();
                }
                write()?;
                assert_eq!(replaces, self.secret.as_ref().map(|secret| secret.version.to_string()));
                let record =
                    Record { token: token.clone(), next: None, previous, service_account_uid, serial };
                self.store(record.annotations(&record.seal(UID, &self.key)), Some(token));
            }
            Action::RepairSecret(record) => {
                write()?;
                let token = self.secret.as_ref().and_then(|secret| secret.token.clone());
                assert_eq!(token.as_ref(), Some(&record.token));
                self.store(record.annotations(&record.seal(UID, &self.key)), token);
            }
            Action::EmptySecret => {
                write()?;
                self.store(BTreeMap::new(), None);
            }
            other @ (Action::Publish(_)
            | Action::Unpublish
            | Action::DeleteLeftBehind { .. }
            | Action::DeleteKey) => {
                panic!("not in this world: {other:?}")
            }
        }
        Ok(())
    }

    fn check(&self) {
        for token in self.believed() {
            assert!(self.drawn.contains(&token.id), "not drawn by the controller: {token:?}");
            assert!(!self.retired.contains(&token.id), "it was retired: {token:?}");
        }
    }

    fn happens(&mut self, event: Event) {
        let before = self.believed();
        match event {
            Event::Pass { writes } => drop(self.pass(writes)),
            Event::SeatPass => self.seat_pass(),
            Event::Sleep(seconds) => self.now += TimeDelta::seconds(seconds),
            Event::RaiseRevision => {
                self.spec.revision = self.spec.revision.map(|revision| revision + 1);
                self.generation += 1;
            }
            Event::LoseSeats => self.write_seat(None),
            Event::LoseStatus => {
                self.hear();
                self.change_status(|status| *status = AccessKeyStatus::default());
            }
            Event::ForgeStatus { serial } => {
                self.hear();
                self.change_status(|status| {
                    status.token = Some(token("forged"));
                    status.serial = serial;
                    status.service_account_uid.get_or_insert("sa-uid".into());
                });
            }
            Event::ForgeNext => {
                self.hear();
                self.change_status(|status| status.next_token = Some(token("forged")));
            }
            others_write => {
                self.secret_event(others_write);
                assert_eq!(self.believed(), before, "a write to Secrets alone ends no token");
            }
        }
        self.check();
    }

    fn seat_pass(&mut self) {
        let object = self.object();
        let reached = KeyView::of(&object).serial;
        self.write_seat(Some(seat_serial(self.seat, reached, self.parent_version)));
    }

    /// The seat hears of the token that status has.
    fn hear(&mut self) {
        if self.seat.is_some() {
            self.seat_pass();
        }
    }

    fn secret_event(&mut self, event: Event) {
        let old = |index: prop::sample::Index, sim: &Self| {
            (!sim.history.is_empty()).then(|| index.get(&sim.history).clone())
        };
        match event {
            Event::DeleteSecret => self.secret = None,
            Event::PutBack(index) => {
                if let Some(Stored { annotations, token, .. }) = old(index, self) {
                    self.store(annotations, token);
                }
            }
            Event::Plant => {
                let forged = Record { serial: i64::MAX, ..record(&token("forged")) };
                let own = SigningKey::from_seed(&[8; 32]).unwrap();
                let mut annotations = forged.annotations(&forged.seal(UID, &own));
                // It names the key that is trusted.
                let id = self.key.public().id();
                if let Some(seal) = annotations.get_mut(crate::api::names::SEAL) {
                    *seal = seal.replacen(&own.public().id(), &id, 1);
                }
                self.store(annotations, Some(token("forged")));
            }
            Event::PlantUnder(index) => {
                if let Some(Stored { annotations, .. }) = old(index, self) {
                    self.store(annotations, Some(token("forged")));
                }
            }
            Event::CopyOfAnother => {
                let record = record(&token("of-another"));
                self.store(
                    record.annotations(&record.seal("another-key", &self.key)),
                    Some(token("of-another")),
                );
            }
            Event::Unlabel => {
                if let Some(Stored { token, .. }) = self.secret.clone() {
                    self.store(BTreeMap::new(), token);
                }
            }
            other => panic!("not about Secrets: {other:?}"),
        }
    }
}

/// How many histories are tried: a share of what `make simulate` does.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn no_token_is_good_that_was_not_drawn_for_the_key_and_none_comes_back(
        history in prop::collection::vec(events(), 1..24)
    ) {
        let mut sim = Sim::new();
        for event in history {
            sim.happens(event);
        }
    }
}

#[test]
fn a_replaced_token_does_not_come_back_where_status_and_seats_are_lost_at_once() {
    let mut sim = Sim::new();
    let whole = Event::Pass { writes: usize::MAX };
    for event in [Event::SeatPass, whole, Event::DeleteSecret, whole] {
        sim.happens(event);
    }
    let first = sim.history.first().cloned().unwrap();
    assert_eq!(sim.retired, BTreeSet::from(["k0".to_owned()]));
    for event in [Event::LoseSeats, Event::LoseStatus] {
        sim.happens(event);
    }
    sim.store(first.annotations, first.token);
    for event in [Event::SeatPass, whole, Event::Sleep(60), whole] {
        sim.happens(event);
    }
    assert_eq!(sim.status.token.map(|token| token.id), Some("k2".to_owned()), "a new one is drawn");
}
