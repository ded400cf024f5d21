//! TLS with a certificate that is read again when it is renewed, as cert-manager and the kubelet renew
//! mounted Secrets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::domain::value::digest::{Sha256Hash, sha256};
use crate::verifier::metrics::Metrics;

/// How often the files are looked at. They are small, and a look costs less than a request.
const LOOK: Duration = Duration::from_secs(5);
/// The same while there is none.
const FIRST_LOOK: Duration = Duration::from_millis(500);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// A file does not hold what it must.
    #[error("{0} holds no certificate chain, or no private key, in PEM form")]
    Pem(PathBuf, #[source] pem::Error),
    /// The chain is empty.
    #[error("{0} holds no certificate")]
    Empty(PathBuf),
    /// Key and certificate do not go together, or the key is of an unknown kind.
    #[error("the private key cannot be used with the certificate")]
    Key(#[from] rustls::Error),
    /// There is no TLS library.
    #[error("no TLS library was chosen for this process")]
    NoProvider,
}

/// Certificate and key, as they are on disk.
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: Files,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug)]
struct Current(ArcSwapOption<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load_full()
    }
}

impl Tls {
    /// Reads a certificate chain and its private key, both PEM. Where there is no such file yet, no client is
    /// answered until there is.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let certified = match files.load() {
            Err(Error::Read(path, error)) if error.kind() == std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), "waiting for the certificate");
                None
            }
            read => Some(read?),
        };
        let current = Arc::new(Current(ArcSwapOption::from_pointee(certified)));
        let mut config =
            ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::clone(&current) as Arc<_>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), current, files })
    }

    /// What agrees on TLS with clients, by the certificate as it is at that moment.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Whether there is a certificate to answer with.
    pub fn is_there(&self) -> bool {
        self.current.0.load().is_some()
    }

    /// Reads the files again whenever they change, for ever. What cannot be used is logged, and the old one
    /// stays.
    pub async fn follow(&self, metrics: &Metrics) {
        let mut seen = self.files.digest().ok().filter(|_| self.is_there());
        loop {
            tokio::time::sleep(if self.is_there() { LOOK } else { FIRST_LOOK }).await;
            let now = self.files.digest().ok();
            if now == seen || now.is_none() {
                continue;
            }
            seen = now;
            match self.files.load() {
                Ok(certified) => {
                    self.current.0.store(Some(Arc::new(certified)));
                    metrics.reloads.inc();
                    tracing::info!("the certificate was read again");
                }
                Err(error) => {
                    let error = crate::runtime::telemetry::with_causes(&error);
                    tracing::error!(error, "the renewed certificate cannot be used; the one before stays");
                }
            }
        }
    }
}

impl Files {
    fn contents(&self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let read = |path: &PathBuf| std::fs::read(path).map_err(|error| Error::Read(path.clone(), error));
        Ok((read(&self.certificate)?, read(&self.key)?))
    }

    fn digest(&self) -> Result<[Sha256Hash; 2], Error> {
        let (certificate, key) = self.contents()?;
        Ok([sha256(&certificate), sha256(&key)])
    }

    fn load(&self) -> Result<CertifiedKey, Error> {
        let (certificate, key) = self.contents()?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Pem(self.certificate.clone(), error))?;
        if chain.is_empty() {
            return Err(Error::Empty(self.certificate.clone()));
        }
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| Error::Pem(self.key.clone(), error))?;
        let provider = CryptoProvider::get_default().ok_or(Error::NoProvider)?;
        Ok(CertifiedKey::from_der(chain, key, provider)?)
    }
}
