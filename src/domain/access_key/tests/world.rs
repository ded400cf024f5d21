//! Whoever reads the Secret holds a token that is good, also at a gateway that has it published: over
//! arbitrary clocks, edits and crashes between any two writes.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::api::access_key::{DataTemplate, PublishSpec};
use crate::domain::access_key::publish::secrets::{NamespacedName, PublishedSecret, desired};
use crate::domain::access_key::record::Distrust;

/// The Secret as the API server keeps it.
#[derive(Clone, Debug)]
struct Stored {
    version: u32,
    token: Option<TokenStatus>,
    serial: i64,
    as_requested: bool,
}

/// The published Secret of a gateway, with the ids of the tokens in it.
#[derive(Clone, Debug)]
struct GatewayCopy {
    version: u32,
    tokens: Vec<String>,
    made_of: String,
}

/// The cluster, a clock, and a controller that makes its writes one at a time.
#[derive(Clone, Debug)]
struct World {
    observed: Observed,
    secret: Option<Stored>,
    copy: Option<GatewayCopy>,
    now: DateTime<Utc>,
    versions: u32,
}

/// The controller died before its next write.
struct Crash;

impl World {
    fn new(renew_before: &str, overlap: Option<&str>) -> Self {
        let mut observed = unissued();
        observed.key.spec.rotation =
            Some(RotationSpec { renew_before: duration(renew_before), overlap: overlap.map(duration) });
        Self { observed, secret: None, copy: None, now: at(NOW), versions: 0 }
    }

    /// With a gateway to which both tokens of an overlap are published.
    fn publishing(overlap: &str) -> Self {
        let mut world = Self::new("P14D", Some(overlap));
        world.observed.key.spec.publish = Some(vec![both_tokens()]);
        world
    }

    /// The copy as its metadata shows it.
    fn standing(&self, checked: bool) -> Vec<PublishedSecret> {
        let copy = self.copy.iter();
        copy.map(|GatewayCopy { version, made_of, .. }| PublishedSecret {
            id: NamespacedName { namespace: "team-a".into(), name: "gateway".into() },
            uid: "copy-uid".into(),
            resource_version: version.to_string(),
            made_of: Some(made_of.clone()),
            checked,
        })
        .collect()
    }

    fn publish(&mut self, current: &TokenStatus, previous: Option<&TokenStatus>) {
        let made_of = desired(&self.observed.key.owner(), current, previous, &[])[0].made_of.clone();
        let tokens = [Some(current), previous].into_iter().flatten().map(|token| token.id.clone()).collect();
        self.versions += 1;
        self.copy = Some(GatewayCopy { version: self.versions, tokens, made_of });
        self.observed.published.secrets = self.standing(true);
    }

    /// Reads the Secret where the production rule says so.
    fn observe(&mut self) {
        let key = &self.observed.key;
        let seen = self.secret.as_ref().map(|secret| secret.version.to_string());
        let read = needs_inspection(&key.status, key.object.generation, seen.as_deref());
        self.observed.secret = self.view(read);
        let version = self.copy.as_ref().map(|copy| copy.version.to_string());
        let recorded = self.observed.key.status.published.first().map(|known| known.resource_version.clone());
        self.observed.published.secrets = self.standing(recorded == version);
    }

    fn view(&self, read: bool) -> SecretView {
        let Some(Stored { version, token, serial, as_requested }) = self.secret.clone() else {
            return SecretView::Absent;
        };
        let holds = match &token {
            _ if !read => Holds::Unread,
            None => Holds::Nothing,
            Some(token) => Holds::Token { sha256: token.sha256.clone(), as_requested },
        };
        SecretView::Owned(OwnedSecret {
            resource_version: version.to_string(),
            record: match token {
                None => SecretRecord::None,
                Some(token) if token.id == "forged" => SecretRecord::Distrusted(Distrust::NotSealed),
                Some(token) => SecretRecord::Sealed(Box::new(Record { serial, ..record(&token) })),
            },
            holds,
        })
    }

    fn store(&mut self, token: Option<TokenStatus>, serial: i64) {
        self.versions += 1;
        self.secret = Some(Stored { version: self.versions, token, serial, as_requested: true });
        self.observed.secret = self.view(true);
    }

    /// One pass of the controller, which dies after `writes` writes. Gives back when it wants to look again.
    fn pass(&mut self, mut writes: usize) -> Result<Option<DateTime<Utc>>, Crash> {
        self.observe();
        for _ in 0..6 {
            let plan = plan(&self.observed, self.now);
            let again = plan.actions.iter().any(|action| {
                matches!(
                    action,
                    Action::Issue(_) | Action::RepairSecret(_) | Action::Publish(_) | Action::Unpublish
                )
            });
            for action in plan.actions {
                self.act(action, &mut writes)?;
                self.check();
            }
            if !again {
                return Ok(plan.look_again_at);
            }
        }
        panic!("more rounds than any plan needs: {self:?}")
    }

    fn act(&mut self, action: Action, writes: &mut usize) -> Result<(), Crash> {
        let mut write = || {
            *writes = writes.checked_sub(1).ok_or(Crash)?;
            Ok(())
        };
        match action {
            Action::Audit(_) => {}
            Action::WriteStatus(status) => {
                write()?;
                self.observed.key.status = sealed(*status);
            }
            Action::Issue(issue) => {
                let id = format!("k{}", self.versions + 1);
                let token = TokenStatus {
                    revision: issue.revision,
                    issued_at: issue.issued_at,
                    expires_at: issue.expires_at,
                    ..token(&id)
                };
                if let Some(index) = issue.seat {
                    write()?;
                    let seat = Some(GivenSeat { index, serial: Some(issue.serial) });
                    if let Parent::Found(parent) = &mut self.observed.service_account {
                        parent.seat = seat;
                    }
                }
                if issue.stage {
                    write()?;
                    self.observed.key.status.next_token = Some(token.clone());
                    self.observed.key.status.serial = Some(issue.serial);
                    self.check();
                    if self.observed.key.spec.publish.is_some() {
                        write()?;
                        let stays = issue.previous.clone().map(|stays| stays.token);
                        self.publish(&token, stays.as_ref());
                        self.check();
                    }
                }
                write()?;
                assert_eq!(issue.replaces, self.secret.as_ref().map(|s| s.version.to_string()));
                self.store(Some(token), issue.serial);
            }
            Action::RepairSecret(_) => {
                write()?;
                let token = self.secret.take().and_then(|s| s.token);
                let status = self.observed.key.status.clone();
                assert_eq!(token, status.token);
                self.store(token, status.serial.unwrap());
            }
            Action::EmptySecret => {
                write()?;
                self.store(None, 0);
            }
            Action::Publish(_) => {
                write()?;
                let AccessKeyStatus { token, previous_token, .. } = self.observed.key.status.clone();
                self.publish(&token.unwrap(), previous_token.map(|previous| previous.token).as_ref());
            }
            Action::Unpublish => {
                write()?;
                self.copy = None;
                self.observed.published.secrets = Vec::new();
            }
            Action::DeleteLeftBehind { .. } => panic!("nobody left a Secret behind: {self:?}"),
            Action::DeleteKey => panic!("its service account is there: {self:?}"),
        }
        Ok(())
    }

    /// What a verifier takes.
    fn accepts(&self, token: &TokenStatus) -> bool {
        let status = &self.observed.key.status;
        let same = |other: &TokenStatus| other.sha256 == token.sha256;
        status.state == Some(KeyState::Active)
            && token.expires_at > self.now
            && (status.token.as_ref().is_some_and(same)
                || status.next_token.as_ref().is_some_and(same)
                || status
                    .previous_token
                    .as_ref()
                    .is_some_and(|old| same(&old.token) && old.valid_until > self.now))
    }

    /// A consumer that reads the Secret now is served, while the key is on and its token's time is not over.
    fn check(&self) {
        let Some(token) = self.secret.as_ref().and_then(|s| s.token.as_ref()) else {
            return;
        };
        let forged = token.id == "forged";
        if !forged && self.observed.key.status.state == Some(KeyState::Active) && token.expires_at > self.now
        {
            assert!(self.accepts(token), "a token that can be read is refused: {self:?}");
            let known = |copy: &GatewayCopy| copy.tokens.contains(&token.id);
            assert!(self.copy.as_ref().is_none_or(known), "the gateway does not know it: {self:?}");
        }
    }

    fn is_settled(&self) -> bool {
        let mut last = self.clone();
        last.observe();
        plan(&last.observed, last.now).actions.is_empty()
    }

    /// Nothing happens for a while.
    fn come_to_rest(&mut self) {
        self.now += TimeDelta::seconds(31);
        for _ in 0..3 {
            assert!(self.pass(usize::MAX).is_ok());
        }
        assert!(self.is_settled(), "{self:?}");
    }

    fn edit(&mut self, change: impl FnOnce(&mut AccessKeySpec)) {
        change(&mut self.observed.key.spec);
        self.observed.key.object.generation += 1;
    }
}

fn both_tokens() -> PublishSpec {
    let entry = |text: &str| DataTemplate(text.into());
    PublishSpec {
        name: "gateway".into(),
        namespace: None,
        type_: None,
        labels: None,
        annotations: None,
        data: [("ci".to_owned(), entry("$(token)")), ("ci-previous".to_owned(), entry("$(previousToken)"))]
            .into(),
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Sleep(TimeDelta),
    Pass { writes: usize },
    RaiseRevision,
    Overlap(Option<&'static str>),
    Switch(DesiredState),
    SwitchServiceAccount(DesiredState),
    DeleteSecret,
    AlterSecret,
    ForgeSecret,
}

fn events() -> impl Strategy<Value = Event> {
    let state =
        || prop::sample::select(vec![DesiredState::Active, DesiredState::Active, DesiredState::Inactive]);
    prop_oneof![
        2 => (1i64..60).prop_map(|n| Event::Sleep(TimeDelta::seconds(n))),
        3 => (1i64..40).prop_map(|n| Event::Sleep(TimeDelta::days(n))),
        6 => (0usize..6).prop_map(|writes| Event::Pass { writes }),
        2 => Just(Event::Pass { writes: usize::MAX }),
        1 => Just(Event::RaiseRevision),
        1 => prop::sample::select(vec![None, Some("PT20S"), Some("P7D"), Some("P1Y")]).prop_map(Event::Overlap),
        1 => state().prop_map(Event::Switch),
        1 => state().prop_map(Event::SwitchServiceAccount),
        1 => Just(Event::DeleteSecret),
        1 => Just(Event::AlterSecret),
        1 => Just(Event::ForgeSecret),
    ]
}

fn happens(world: &mut World, event: Event) {
    match event {
        Event::Sleep(time) => world.now += time,
        Event::Pass { writes } => {
            let _ = world.pass(writes);
        }
        Event::RaiseRevision => world.edit(|spec| spec.revision = spec.revision.map(|revision| revision + 1)),
        Event::Overlap(overlap) => world.edit(|spec| {
            if let Some(rotation) = &mut spec.rotation {
                rotation.overlap = overlap.map(duration);
            }
        }),
        Event::Switch(state) => world.edit(|spec| spec.state = state),
        Event::SwitchServiceAccount(state) => {
            if let Parent::Found(parent) = &mut world.observed.service_account {
                parent.state = state;
            }
        }
        Event::DeleteSecret => world.secret = None,
        Event::ForgeSecret => {
            world.versions += 1;
            if let Some(secret) = &mut world.secret {
                secret.version = world.versions;
                secret.token = Some(token("forged"));
            }
        }
        Event::AlterSecret => {
            world.versions += 1;
            if let Some(secret) = &mut world.secret {
                secret.version = world.versions;
                secret.as_requested = false;
            }
        }
    }
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whoever_reads_the_secret_is_served_whatever_crashes(history in prop::collection::vec(events(), 1..40)) {
        let mut world = World::new("P14D", None);
        for event in history {
            happens(&mut world, event);
        }
        world.come_to_rest();
        let status = &world.observed.key.status;
        if status.state == Some(KeyState::Active) {
            prop_assert_eq!(&world.secret.as_ref().unwrap().token, &status.token);
        } else if status.token.as_ref().is_some_and(|token| token.expires_at <= world.now) {
            prop_assert_eq!(world.secret.and_then(|secret| secret.token), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_gateway_knows_every_token_that_can_be_read_whatever_crashes(
        history in prop::collection::vec(events(), 1..40)
    ) {
        let mut world = World::publishing("P30D");
        // Without an overlap nothing of the old token is to be published.
        for event in history.into_iter().filter(|event| !matches!(event, Event::Overlap(_))) {
            happens(&mut world, event);
        }
        world.come_to_rest();
        let AccessKeyStatus { state, token, previous_token, published, .. } = &world.observed.key.status;
        if *state == Some(KeyState::Active) {
            let good = [token.as_ref(), previous_token.as_ref().map(|previous| &previous.token)];
            let good: Vec<String> = good.into_iter().flatten().map(|token| token.id.clone()).collect();
            prop_assert_eq!(&world.copy.as_ref().unwrap().tokens, &good);
            prop_assert_eq!(published.len(), 1);
        } else {
            prop_assert!(world.copy.is_none() && published.is_empty());
        }
    }
}

#[test]
fn a_key_that_is_looked_at_when_its_plan_says_so_never_stops_over_five_years() {
    for overlap in [None, Some("PT20S"), Some("P7D"), Some("P1Y")] {
        let mut world = World::new("P14D", overlap);
        let mut minted = 0;
        while world.now < at("2031-08-31T12:00:00Z") {
            let before = world.versions;
            let Ok(Some(again)) = world.pass(usize::MAX) else {
                panic!("nothing to look at again: {world:?}")
            };
            minted += world.versions - before;
            assert!(world.is_settled(), "{world:?}");
            let previous = world.observed.key.status.token.clone().unwrap();
            assert!(world.accepts(&previous));
            world.now = again - TimeDelta::seconds(1);
            assert!(world.accepts(&previous), "up to the last second: {world:?}");
            world.now = again;
            world.check();
        }
        assert_eq!(minted, 11, "one for each renewal, with overlap {overlap:?}");
    }
}

#[test]
fn a_crash_after_any_write_of_a_rotation_is_made_good_by_the_next_pass() {
    for writes in 0..5 {
        let mut world = World::new("P14D", Some("P7D"));
        assert!(world.pass(usize::MAX).is_ok());
        let old = world.observed.key.status.token.clone().unwrap();
        world.now = at("2027-02-14T12:00:00Z");
        let crashed = world.pass(writes).is_err();
        assert_eq!(crashed, writes < 4, "seat, stage, Secret, status");
        assert!(world.accepts(&old));
        world.now += TimeDelta::seconds(30);
        assert!(world.pass(usize::MAX).is_ok());
        assert!(world.is_settled() && world.accepts(&old));
        let status = &world.observed.key.status;
        assert_eq!(status.previous_token.as_ref().map(|previous| &previous.token), Some(&old));
        assert_eq!(status.token, world.secret.unwrap().token);
    }
}
