//! Whom a connection trusts: the system's authorities, and the certificates that were pasted for it. A pasted one is an
//! authority, or the very certificate of the server: `openssl req -x509` makes such, and they cannot be checked as
//! issued by themselves (RFC 5280, 4.2.1.9: they are authorities). Every refusal says its cause.

use std::sync::Arc;

use chrono::DateTime;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier;
use secrecy::{ExposeSecret, SecretString};
use x509_parser::asn1_rs::oid;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};
use x509_parser::time::ASN1Time;

use super::ProviderError;
use super::tls_faults::CertificateFault;
use crate::names;

/// Most of the names in a certificate that a sentence shows.
const NAMES_SHOWN: usize = 3;
/// Longest chain that is followed.
const DEPTH: usize = 8;

/// What to trust and who we are. `pasted` are PEM texts of one certificate or more each; `identity` is a PEM of a client
/// certificate, its chain and its key.
pub(super) fn config(pasted: &[String], identity: Option<&SecretString>) -> Result<ClientConfig, ProviderError> {
    let mut extra = Vec::new();
    for pem in pasted {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let found = found.ok().filter(|found| !found.is_empty()).ok_or(ProviderError::BadCertificate)?;
        extra.extend(found);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let failed = |_| if extra.is_empty() { ProviderError::NoAuthorities } else { ProviderError::BadCertificate };
    let authorities = extra.iter().filter(|certificate| may_issue(certificate)).cloned();
    let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(&provider)).map_err(failed)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Judge { verifier, pasted: extra }));
    let Some(pem) = identity else { return Ok(builder.with_no_client_auth()) };
    let pem = pem.expose_secret().as_bytes();
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let (Ok(chain), Ok(key)) = (chain, PrivateKeyDer::from_pem_slice(pem)) else {
        return Err(ProviderError::BadCertificate);
    };
    builder.with_client_auth_cert(chain, key).map_err(|_| ProviderError::BadCertificate)
}

#[derive(Debug)]
struct Judge {
    verifier: Verifier,
    pasted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let judged = self.verifier.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        let fault = match judged {
            Ok(verified) => return Ok(verified),
            Err(_) if self.pasted.contains(end_entity) => match pinned(end_entity, name, now) {
                Ok(()) => return Ok(ServerCertVerified::assertion()),
                Err(fault) => fault,
            },
            Err(error) => self.fault(&error, end_entity, intermediates, now),
        };
        Err(CertificateError::Other(OtherError(Arc::new(fault))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// A certificate that was pasted itself: only its name and its dates are left to check. That the server has its key, the
/// handshake proves.
fn pinned(end_entity: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), CertificateFault> {
    let parsed = ParsedCertificate::try_from(end_entity).map_err(|_| CertificateFault::Unusable)?;
    let Some(certificate) = parse(end_entity) else { return Err(CertificateFault::Unusable) };
    let now = seconds(now);
    let validity = certificate.validity();
    if now > validity.not_after.timestamp() {
        return Err(CertificateFault::Expired { on: day(&validity.not_after) });
    }
    if now < validity.not_before.timestamp() {
        return Err(CertificateFault::NotYetValid { from: day(&validity.not_before) });
    }
    verify_server_name(&parsed, name).map_err(|_| CertificateFault::OtherName { names: host_names(&certificate) })
}

impl Judge {
    /// What the library's refusal means for this chain.
    fn fault(
        &self,
        error: &rustls::Error,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> CertificateFault {
        use CertificateError as E;
        let Some(leaf) = parse(end_entity) else { return CertificateFault::Unusable };
        let sent: Vec<_> = intermediates.iter().filter_map(parse).collect();
        match error {
            rustls::Error::InvalidCertificate(E::Expired | E::ExpiredContext { .. }) => {
                let over = |found: &&X509Certificate<'_>| found.validity().not_after.timestamp() < seconds(now);
                let on = std::iter::once(&leaf).chain(&sent).find(over).map(|found| day(&found.validity().not_after));
                CertificateFault::Expired { on: on.unwrap_or_default() }
            }
            rustls::Error::InvalidCertificate(E::NotValidYet | E::NotValidYetContext { .. }) => {
                CertificateFault::NotYetValid { from: day(&leaf.validity().not_before) }
            }
            rustls::Error::InvalidCertificate(E::NotValidForName | E::NotValidForNameContext { .. }) => {
                CertificateFault::OtherName { names: host_names(&leaf) }
            }
            _ if is_own_issuer(&leaf) => CertificateFault::SelfSigned { pasted: !self.pasted.is_empty() },
            rustls::Error::InvalidCertificate(E::UnknownIssuer | E::BadSignature) => self.unknown_issuer(&leaf, &sent),
            _ if leaf.is_ca() => CertificateFault::IsAuthority,
            _ => CertificateFault::Unusable,
        }
    }

    /// Follows the chain as far as the server sent it.
    fn unknown_issuer(&self, leaf: &X509Certificate<'_>, sent: &[X509Certificate<'_>]) -> CertificateFault {
        let mut top = leaf;
        for _ in 0..DEPTH {
            match sent.iter().find(|found| found.subject().as_raw() == top.issuer().as_raw()) {
                Some(issuer) if !is_own_issuer(top) => top = issuer,
                _ => break,
            }
        }
        let issuer = shown(top.issuer());
        let pasted: Vec<_> = self.pasted.iter().filter_map(parse).collect();
        let namesake = pasted.iter().any(|found| found.subject().as_raw() == top.issuer().as_raw());
        if namesake {
            CertificateFault::OtherKey { issuer }
        } else if is_own_issuer(top) {
            CertificateFault::UnknownAuthority { issuer }
        } else if !pasted.is_empty() || says_where_its_issuer_is(top) {
            CertificateFault::MissingIntermediate { issuer }
        } else {
            CertificateFault::UnknownAuthority { issuer }
        }
    }
}

fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(certificate).ok().map(|(_, certificate)| certificate)
}

/// Whether a pasted certificate may vouch for others: it says so, or is a root from before certificates said so. What it
/// is not, it is for itself alone. One that cannot be read is left to the library, which refuses it.
fn may_issue(certificate: &CertificateDer<'_>) -> bool {
    let Some(certificate) = parse(certificate) else { return true };
    match certificate.basic_constraints() {
        Ok(Some(constraints)) => constraints.value.ca,
        Ok(None) => is_own_issuer(&certificate),
        Err(_) => false,
    }
}

fn is_own_issuer(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
}

/// Authority Information Access (RFC 5280, 4.2.2.1), which public authorities put into what they issue.
fn says_where_its_issuer_is(certificate: &X509Certificate<'_>) -> bool {
    certificate.extensions().iter().any(|extension| extension.oid == oid!(1.3.6.1.5.5.7.1.1))
}

/// The common name, or else the organisation, if it is fit to be shown.
fn shown(name: &X509Name<'_>) -> String {
    let words = name.iter_common_name().chain(name.iter_organization()).find_map(|part| part.as_str().ok());
    words.and_then(|words| names::label(words, 64).ok()).unwrap_or_default()
}

fn host_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(found)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = found.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => names::label(name, 253).ok(),
        GeneralName::IPAddress(bytes) => match **bytes {
            [a, b, c, d] => Some(std::net::Ipv4Addr::new(a, b, c, d).to_string()),
            _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        },
        _ => None,
    });
    names.take(NAMES_SHOWN).collect()
}

fn day(time: &ASN1Time) -> String {
    DateTime::from_timestamp(time.timestamp(), 0).map(|time| time.format("%Y-%m-%d").to_string()).unwrap_or_default()
}

fn seconds(now: UnixTime) -> i64 {
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}
