//! TLS with a certificate that is read again when it is renewed, as cert-manager and the kubelet renew
//! mounted Secrets.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
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
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads a certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// When they cannot be read or used.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let certified = files.load()?;
        let current = Arc::new(Current(ArcSwap::from_pointee(certified)));
        let mut config =
            ServerConfig::builder().with_no_client_auth().with_cert_resolver(Arc::clone(&current) as Arc<_>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), current, files })
    }

    /// What agrees on TLS with clients, by the certificate as it is at that moment.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the files again whenever they change, for ever. What cannot be used is logged, and the old one
    /// stays.
    pub async fn follow(&self, metrics: &Metrics) {
        let mut seen = self.files.digest().ok();
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.files.digest().ok();
            if now == seen || now.is_none() {
                continue;
            }
            seen = now;
            match self.files.load() {
                Ok(certified) => {
                    self.current.0.store(Arc::new(certified));
                    metrics.reloads.inc();
                    tracing::info!("the certificate was read again");
                }
                Err(error) => {
                    let error = crate::runtime::telemetry::with_causes(&error);
                    tracing::error!(error, "the renewed certificate cannot be used; the old one stays");
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
