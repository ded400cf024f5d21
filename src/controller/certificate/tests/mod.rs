//! When what is made, and that clients accept it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::controller::certificate::make::{self, Made};
use crate::controller::certificate::plan::{Authority, Observed, Plan, bundle, plan};

const NOTHING: Plan = Plan { authority: false, publish: false, serving: false };

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// All that there is a moment after everything was made.
struct Kept {
    authority: Made,
    serving: Made,
    published: String,
}

impl Kept {
    fn new() -> Self {
        crate::runtime::client::choose_tls();
        let authority = make::authority(now()).unwrap();
        let serving = make::serving(&authority.key, &names(&["verifier.ns.svc", "10.0.0.7"]), now()).unwrap();
        let published = bundle(&authority.certificate, "");
        Self { authority, serving, published }
    }

    fn observed(&self) -> Observed<'_> {
        Observed {
            authority: Some(Authority {
                pair: self.authority.pair(),
                expires_at: now() + TimeDelta::days(3650),
            }),
            serving: Some(self.serving.pair()),
            published: &self.published,
        }
    }

    fn after(&self, days: i64) -> Plan {
        plan(&self.observed(), &names(&["verifier.ns.svc", "10.0.0.7"]), now() + TimeDelta::days(days))
    }
}

#[test]
fn at_first_everything_is_made_and_then_nothing() {
    let kept = Kept::new();
    let all = Plan { authority: true, publish: true, serving: true };
    assert_eq!(plan(&Observed::default(), &names(&["verifier.ns.svc"]), now()), all);
    assert_eq!(kept.after(0), NOTHING);
}

#[test]
fn a_certificate_is_renewed_a_month_before_its_end_and_an_authority_a_year() {
    let kept = Kept::new();
    let serving = Plan { serving: true, ..NOTHING };
    assert_eq!((kept.after(60), kept.after(61)), (NOTHING, serving));
    assert_eq!((kept.after(3284).authority, kept.after(3285).authority), (false, true));
}

#[test]
fn another_name_needs_another_certificate() {
    let kept = Kept::new();
    for (wanted, made) in [
        (&["verifier.ns.svc"][..], false),
        (&["verifier.other.svc"], true),
        (&["verifier.ns.svc", "10.0.0.8"], true),
    ] {
        assert_eq!(plan(&kept.observed(), &names(wanted), now()).serving, made, "{wanted:?}");
    }
}

#[test]
fn what_clients_would_refuse_is_made_anew() {
    let kept = Kept::new();
    let other = Kept::new();
    let names = names(&["verifier.ns.svc"]);
    let key_of_another =
        make::Made { certificate: kept.serving.certificate.clone(), key: other.serving.key.clone() };
    let nonsense = make::Made { certificate: "x".into(), key: "y".to_owned().into() };
    for pair in [other.serving.pair(), key_of_another.pair(), nonsense.pair()] {
        let observed = Observed { serving: Some(pair), ..kept.observed() };
        assert_eq!(plan(&observed, &names, now()), Plan { serving: true, ..NOTHING });
    }
    let unpublished = Observed { published: "", ..kept.observed() };
    assert_eq!(plan(&unpublished, &names, now()), Plan { publish: true, serving: true, ..NOTHING });
}

#[test]
fn a_certificate_of_the_authority_before_stays_in_use_and_clients_know_both() {
    let kept = Kept::new();
    let next = make::authority(now()).unwrap();
    let both = bundle(&next.certificate, &kept.published);
    assert!(both.contains(kept.authority.certificate.trim()) && both.starts_with(next.certificate.trim()));
    let authority = Authority { pair: next.pair(), expires_at: now() + TimeDelta::days(3650) };
    let observed = Observed { authority: Some(authority), published: &both, ..kept.observed() };
    assert_eq!(plan(&observed, &names(&["verifier.ns.svc"]), now()), NOTHING);
    let third = make::authority(now()).unwrap();
    let latest = bundle(&third.certificate, &both);
    assert_eq!(latest.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(latest.contains(next.certificate.trim()));
    assert_eq!(bundle(&third.certificate, &latest), latest);
}
