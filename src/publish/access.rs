//! What opens the broker's door: host, client id, password, certificates. Everything is read
//! once, at the start, so that a wrong path is an error of the start and not of the night.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use super::PublishError;
use crate::clock::{ForCertificates, Moment};
use crate::config::{Device, Mqtt, MqttTls};

/// Largest password file that is read: a password is one line.
const MAX_PASSWORD_FILE_BYTES: u64 = 4096;

/// A password; it does not show itself and is wiped when dropped.
pub(super) struct Password(Zeroizing<String>);

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

/// Everything that a connection needs.
#[derive(Debug)]
pub(super) struct Access {
    pub host: String,
    pub port: u16,
    pub client_id: String,
    pub login: Option<(String, Password)>,
    pub tls: Option<Arc<ClientConfig>>,
    /// The clock by which the broker's certificate is judged.
    pub now: fn() -> Moment,
}

impl Access {
    /// Reads the files that `settings` names.
    pub(super) fn read(settings: &Mqtt, device: &Device, now: fn() -> Moment) -> Result<Self, PublishError> {
        let login = match (&settings.user, &settings.password_file) {
            (Some(user), Some(path)) => Some((user.clone(), read_password(path)?)),
            _ => None,
        };
        Ok(Self {
            host: address(&settings.host, settings.tls.is_some()),
            port: settings.port,
            client_id: format!("{}-{}", device.site, device.name),
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

fn read_password(path: &Path) -> Result<Password, PublishError> {
    let failed = |source| PublishError::PasswordFile { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_PASSWORD_FILE_BYTES {
        return Err(PublishError::NoPassword { path: path.to_owned() });
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Password(Zeroizing::new(line.to_owned()))),
        _ => Err(PublishError::NoPassword { path: path.to_owned() }),
    }
}

fn read_tls(tls: &MqttTls, now: fn() -> Moment) -> Result<ClientConfig, PublishError> {
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
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| unusable(key, &e))?;
    builder.with_client_auth_cert(read_certificates(chain)?, private).map_err(|e| unusable(chain, &e))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, PublishError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| unusable(path, &e))?;
    if certificates.is_empty() { Err(unusable(path, &"no certificate in it")) } else { Ok(certificates) }
}

fn unusable(path: &Path, why: &impl fmt::Display) -> PublishError {
    PublishError::Certificate { path: path.to_owned(), why: why.to_string() }
}
