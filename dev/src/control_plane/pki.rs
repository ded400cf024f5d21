//! The certificates of one control plane: an own authority, trusted by nothing else, that goes with the
//! folder.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::Error;
use super::folder::write_private;

/// The names under which programs are reached; the last address is the `kubernetes` service's.
const SERVER_NAMES: [&str; 6] =
    ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.0.0.1"];

/// A certificate with its key, as PEM.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// What the programs and their clients need; the authority's key is never written.
pub(crate) struct Pki {
    folder: PathBuf,
    pub(crate) authority: String,
    pub(crate) admin: Identity,
    pub(crate) controller_manager: Identity,
}

impl Pki {
    /// Makes all certificates and writes into `folder` those that programs read from files.
    pub(crate) fn create(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir(folder).map_err(Error::file("create", folder))?;
        let authority = authority()?;
        let pki = Self {
            folder: folder.to_owned(),
            authority: authority.pem(),
            admin: client(&authority, "keyward-dev-admin", Some("system:masters"))?,
            controller_manager: client(&authority, "system:kube-controller-manager", None)?,
        };
        pki.write("ca.crt", &pki.authority)?;
        pki.write_identity("server", &server(&authority)?)?;
        pki.write_identity("etcd-client", &client(&authority, "kube-apiserver-etcd-client", None)?)?;
        pki.write_token_keys()?;
        Ok(pki)
    }

    /// The path of a file, as an argument.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, content: &str) -> Result<(), Error> {
        write_private(&self.folder.join(name), content.as_bytes())
    }

    fn write_identity(&self, name: &str, identity: &Identity) -> Result<(), Error> {
        self.write(&format!("{name}.crt"), &identity.certificate)?;
        self.write(&format!("{name}.key"), &identity.key)
    }

    /// The pair that signs and verifies the tokens of core service accounts.
    fn write_token_keys(&self) -> Result<(), Error> {
        let key = KeyPair::generate()?;
        self.write("service-account.key", &key.serialize_pem())?;
        self.write("service-account.pub", &key.public_key_pem())
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Result<Authority, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "keyward-dev");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

/// etcd presents its certificate to itself too, so this one also is a client's.
fn server(authority: &Authority) -> Result<Identity, Error> {
    let names: Vec<String> = SERVER_NAMES.map(str::to_owned).into();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "keyward-dev-server");
    sign(authority, params, vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth])
}

fn client(authority: &Authority, user: &str, group: Option<&str>) -> Result<Identity, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, user);
    if let Some(group) = group {
        params.distinguished_name.push(DnType::OrganizationName, group);
    }
    sign(authority, params, vec![ExtendedKeyUsagePurpose::ClientAuth])
}

fn sign(
    authority: &Authority,
    mut params: CertificateParams,
    usages: Vec<ExtendedKeyUsagePurpose>,
) -> Result<Identity, Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usages;
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
}
