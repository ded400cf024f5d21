//! Makes certificates.

use chrono::{DateTime, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::controller::certificate::plan::{AUTHORITY_LASTS, Pair, SERVING_LASTS};

/// What the authority is called.
const AUTHORITY: &str = "Keyward verifiers";
/// How far clients' clocks may be behind.
const CLOCKS: TimeDelta = TimeDelta::hours(1);

/// A new certificate and its private key, both as PEM.
pub(super) struct Made {
    pub(super) certificate: String,
    pub(super) key: Zeroizing<String>,
}

impl Made {
    pub(super) fn pair(&self) -> Pair<'_> {
        let Self { certificate, key } = self;
        Pair { certificate, key }
    }
}

/// A new authority. All it can make are certificates of servers.
///
/// # Errors
/// Where the library gives none.
pub(super) fn authority(now: DateTime<Utc>) -> Result<Made, rcgen::Error> {
    let key = KeyPair::generate()?;
    let certificate = authority_params(now)?.self_signed(&key)?;
    Ok(Made { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

fn authority_params(now: DateTime<Utc>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = params(Vec::new(), now, AUTHORITY_LASTS)?;
    params.distinguished_name.push(DnType::CommonName, AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

/// A new certificate for those DNS names and addresses, by the authority with that key.
///
/// # Errors
/// Where the authority's key cannot be read, or a name cannot be in a certificate.
pub(super) fn serving(
    authority_key: &str,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<Made, rcgen::Error> {
    // Of the authority itself the certificate has only its name and the id of its key.
    let issuer = Issuer::new(authority_params(now)?, KeyPair::from_pem(authority_key)?);
    let mut params = params(names.to_vec(), now, SERVING_LASTS)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &issuer)?;
    Ok(Made { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

fn params(
    names: Vec<String>,
    now: DateTime<Utc>,
    lasts: TimeDelta,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    (params.not_before, params.not_after) = (offset(now - CLOCKS), offset(now + lasts));
    Ok(params)
}

fn offset(time: DateTime<Utc>) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(time.timestamp()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
