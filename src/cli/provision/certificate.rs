//! The certificate request for mutual TLS: a key of its own (P-256: brokers and their
//! authorities seldom take Ed25519) and a PKCS #10 request (RFC 2986) for the site's authority.
//! A request has no dates, so that a clock that stands in 1970 does no harm to it.

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, PKCS_ECDSA_P256_SHA256};
use zeroize::Zeroizing;

use super::folder::{Folder, For, Put, put};
use crate::cli::exit;
use crate::config::Name;
use crate::os::private;

/// Makes `mqtt.key` and `mqtt.csr` where they are not. The common name is the device's: a
/// broker that takes the user from the certificate sees it.
pub fn request(folder: &Folder, site: &Name, device: &Name) -> anyhow::Result<Put> {
    let wrong = |e: rcgen::Error| exit::coded(exit::SOFTWARE, format!("{}: {e}", folder.tls_key().display()));
    if !folder.tls_key().exists() {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(wrong)?;
        let pem = Zeroizing::new(key.serialize_pem());
        put(&folder.tls_key(), pem.as_bytes(), For::Service)?;
    }
    let pem = private::read(&folder.tls_key()).map_err(|e| exit::coded(exit::PERMISSION, e.to_string()))?;
    let key = KeyPair::from_pem(&String::from_utf8_lossy(&pem)).map_err(wrong)?;
    if folder.tls_request().exists() {
        return held(folder, &key);
    }
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, site.as_str());
    params.distinguished_name.push(DnType::CommonName, device.as_str());
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let request = params.serialize_request(&key).and_then(|request| request.pem()).map_err(wrong)?;
    put(&folder.tls_request(), request.as_bytes(), For::All)
}

/// A signature is another each time, so a request that is there is held against the key alone.
fn held(folder: &Folder, key: &KeyPair) -> anyhow::Result<Put> {
    use rcgen::PublicKeyData as _;
    use rustls::pki_types::CertificateSigningRequestDer;
    use rustls::pki_types::pem::PemObject as _;
    let path = folder.tls_request();
    let request = CertificateSigningRequestDer::from_pem_file(&path);
    let public = key.subject_public_key_info();
    match request {
        Ok(request) if request.windows(public.len()).any(|window| window == public) => Ok(Put::There),
        _ => Err(exit::coded(
            exit::CANNOT_CREATE,
            format!(
                "{} is not the request for {}: move it away to have it made anew",
                path.display(),
                folder.tls_key().display()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_for_the_devices_own_key_and_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().to_owned());
        let name = |text: &str| Name::try_from(text.to_owned()).unwrap();
        let made = || request(&folder, &name("clinic"), &name("cart-7")).unwrap();
        assert_eq!(made(), Put::New);
        let before = std::fs::read(folder.tls_request()).unwrap();
        assert_eq!(made(), Put::There);
        assert_eq!(std::fs::read(folder.tls_request()).unwrap(), before);
        assert_eq!(crate::os::mode(&folder.tls_key()).unwrap(), 0o600);
        std::fs::remove_file(folder.tls_request()).unwrap();
        assert_eq!(made(), Put::New);
        std::fs::remove_file(folder.tls_key()).unwrap();
        let error = request(&folder, &name("clinic"), &name("cart-7")).unwrap_err().to_string();
        assert!(error.contains("mqtt.csr is not the request for"), "{error}");
    }
}
