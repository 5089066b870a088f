//! What opens the broker's door: host, client id, password, certificates. Everything is read
//! once, at the start, so that a wrong path is an error of the start and not of the night.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use crate::clock::{ForCertificates, Moment};
use crate::config::{Mqtt, MqttTls};
use crate::os::private::{self, NotPrivate};

/// A password; it does not show itself and is wiped when dropped.
pub struct Password(Zeroizing<String>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// The password itself.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

/// Why the door stays shut before anybody knocked.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The password file is not this device's alone, or cannot be read.
    #[error("password file {0}")]
    PasswordFile(NotPrivate),
    /// The key of the client certificate is not this device's alone, or cannot be read.
    #[error("key {0}")]
    Key(NotPrivate),
    /// The password file's first line is no password.
    #[error("password file {path}: the first line must be the password")]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
    /// A certificate or key cannot be used.
    #[error("certificate file {path}: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// Everything that a connection needs.
#[derive(Debug)]
pub struct Access {
    /// Host name or address, in brackets where it needs them.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Client id.
    pub client_id: String,
    /// User and password.
    pub login: Option<(String, Password)>,
    /// TLS; `None`: plain TCP.
    pub tls: Option<Arc<ClientConfig>>,
    /// The clock by which the broker's certificate is judged.
    pub now: fn() -> Moment,
}

impl Access {
    /// Reads the files that `settings` names.
    ///
    /// # Errors
    /// The password file, a certificate or a key cannot be read or used.
    pub fn read(settings: &Mqtt, client_id: String, now: fn() -> Moment) -> Result<Self, AccessError> {
        let login = match (&settings.user, &settings.password_file) {
            (Some(user), Some(path)) => Some((user.clone(), read_password(path)?)),
            _ => None,
        };
        Ok(Self {
            host: address(&settings.host, settings.tls.is_some()),
            port: settings.port,
            client_id,
            login,
            tls: settings.tls.as_ref().map(|tls| read_tls(tls, now)).transpose()?.map(Arc::new),
            now,
        })
    }
}

/// A bare IPv6 address needs brackets before a port, and none in a certificate name.
fn address(host: &str, tls: bool) -> String {
    if !tls && host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

fn read_password(path: &Path) -> Result<Password, AccessError> {
    let bytes = private::read(path).map_err(AccessError::PasswordFile)?;
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().and_then(|line| std::str::from_utf8(line).ok());
    match line {
        Some(line) if !line.is_empty() => Ok(Password(Zeroizing::new(line.to_owned()))),
        _ => Err(AccessError::NoPassword { path: path.to_owned() }),
    }
}

fn read_tls(tls: &MqttTls, now: fn() -> Moment) -> Result<ClientConfig, AccessError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(&tls.ca)? {
        roots.add(certificate).map_err(|e| unusable(&tls.ca, &e))?;
    }
    let builder = ClientConfig::builder_with_details(
        Arc::new(rustls::crypto::ring::default_provider()),
        Arc::new(ForCertificates(now)),
    )
    .with_safe_default_protocol_versions()
    .map_err(|e| unusable(&tls.ca, &e))?
    .with_root_certificates(roots);
    let (Some(chain), Some(key)) = (&tls.certificate, &tls.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let bytes = private::read(key).map_err(AccessError::Key)?;
    let der = PrivateKeyDer::from_pem_slice(&bytes).map_err(|e| unusable(key, &e))?;
    builder.with_client_auth_cert(read_certificates(chain)?, der).map_err(|e| unusable(chain, &e))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, AccessError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| unusable(path, &e))?;
    if certificates.is_empty() { Err(unusable(path, &"no certificate in it")) } else { Ok(certificates) }
}

fn unusable(path: &Path, why: &impl fmt::Display) -> AccessError {
    AccessError::Certificate { path: path.to_owned(), why: why.to_string() }
}
