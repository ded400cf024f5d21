//! Decides what is to be made. No client, no clock, no randomness.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;

/// How long an authority lasts.
pub(super) const AUTHORITY_LASTS: TimeDelta = TimeDelta::days(3650);
/// How long before its end another one follows. Clients have that long to learn of it, since a certificate of
/// the one before is used until it is renewed.
const AUTHORITY_RENEWED: TimeDelta = TimeDelta::days(365);
/// How long a certificate lasts.
pub(super) const SERVING_LASTS: TimeDelta = TimeDelta::days(90);
/// How long before its end it is renewed.
pub(super) const SERVING_RENEWED: TimeDelta = TimeDelta::days(30);

/// A certificate and its private key, both as PEM.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) certificate: &'a str,
    pub(super) key: &'a str,
}

/// The authority that certificates are made with.
#[derive(Clone, Copy)]
pub(super) struct Authority<'a> {
    pub(super) pair: Pair<'a>,
    /// When it ends.
    pub(super) expires_at: DateTime<Utc>,
}

/// What there is.
#[derive(Clone, Copy, Default)]
pub(super) struct Observed<'a> {
    pub(super) authority: Option<Authority<'a>>,
    pub(super) serving: Option<Pair<'a>>,
    /// The authorities that clients are told of, as PEM.
    pub(super) published: &'a str,
}

/// What is to be done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Another authority.
    pub(super) authority: bool,
    /// Clients must be told of the authority.
    pub(super) publish: bool,
    /// Another certificate for the verifier.
    pub(super) serving: bool,
}

/// Decides. `names` are the DNS names and addresses that the verifier is reached at.
pub(super) fn plan(observed: &Observed<'_>, names: &[String], now: DateTime<Utc>) -> Plan {
    let Observed { authority, serving, published } = observed;
    let lasting = authority.filter(|authority| authority.expires_at - AUTHORITY_RENEWED > now);
    let known = lasting.is_some_and(|authority| published.contains(authority.pair.certificate.trim()));
    let good = serving.is_some_and(|pair| is_good(&pair, published, names, now + SERVING_RENEWED));
    Plan { authority: lasting.is_none(), publish: !known, serving: !good }
}

/// Whether clients who know the `published` authorities accept the certificate at that time, under all names.
fn is_good(pair: &Pair<'_>, published: &str, names: &[String], at: DateTime<Utc>) -> bool {
    let (Some(provider), Ok(chain), Ok(key)) = (
        CryptoProvider::get_default(),
        certificates(pair.certificate),
        PrivateKeyDer::from_pem_slice(pair.key.as_bytes()),
    ) else {
        return false;
    };
    let Some(certificate) = chain.first() else { return false };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(published).unwrap_or_default());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    let Ok(verifier) = verifier else { return false };
    let at = Duration::from_secs(u64::try_from(at.timestamp()).unwrap_or_default());
    let accepts = |name: &String| {
        ServerName::try_from(name.as_str()).is_ok_and(|name| {
            let at = UnixTime::since_unix_epoch(at);
            verifier.verify_server_cert(certificate, &[], &name, &[], at).is_ok()
        })
    };
    names.iter().all(accepts) && CertifiedKey::from_der(chain, key, provider).is_ok()
}

fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect()
}

/// The authorities that clients are told of: the one that makes certificates now, and the one before, since
/// one of its certificates may still be used.
pub(super) fn bundle(authority: &str, published: &str) -> String {
    const END: &str = "-----END CERTIFICATE-----\n";
    let authority = authority.trim();
    let before =
        published.split_inclusive(END).map(str::trim).find(|one| !one.is_empty() && *one != authority);
    let mut both = std::iter::once(authority).chain(before).collect::<Vec<_>>().join("\n");
    both.push('\n');
    both
}
