//! TLS of the listener (PS3.15 B): our certificate, and theirs where a CA is configured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::clock::{ForCertificates, Moment};
use crate::config::DicomTls;
use crate::os::private::{self, NotPrivate};

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read, or has nothing of its kind in it.
    #[error("{path}: {what}")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The key is not this device's alone, or cannot be read.
    #[error("key {0}")]
    NotPrivate(#[from] NotPrivate),
    /// Certificate and key do not go together, or are of a kind that is not supported.
    #[error("certificate {certificate}: {source}")]
    Certificate {
        /// Which file.
        certificate: PathBuf,
        /// What rustls said.
        source: rustls::Error,
    },
    /// The client authorities cannot be used.
    #[error("client CA {path}: {what}")]
    ClientCa {
        /// Which file.
        path: PathBuf,
        /// What rustls said.
        what: String,
    },
}

/// Makes the acceptor that `[dicom.tls]` describes.
///
/// # Errors
/// A file is missing or not what it should be.
pub(super) fn acceptor(settings: &DicomTls, now: fn() -> Moment) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unusable = |source| TlsError::Certificate { certificate: settings.certificate.clone(), source };
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(ForCertificates(now)))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let wrong = |what: String| TlsError::ClientCa { path: path.clone(), what };
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|e| wrong(e.to_string()))?)
        }
    };
    let key = PrivateKeyDer::from_pem_slice(&private::read(&settings.key)?)
        .map_err(|e| TlsError::Pem { path: settings.key.clone(), what: e.to_string() })?;
    let config = builder.with_single_cert(certificates(&settings.certificate)?, key).map_err(unusable)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |what: String| TlsError::Pem { path: path.to_owned(), what };
    let found: Vec<_> =
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|e| wrong(e.to_string()))?;
    if found.is_empty() { Err(wrong("no certificate in it".to_owned())) } else { Ok(found) }
}
