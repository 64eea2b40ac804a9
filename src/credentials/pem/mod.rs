//! Certificates and private keys in PEM (RFC 7468): read, held against each other, written again in one canonical form.
//! Keys are judged by aws-lc-rs through rustls. What a kind does with them stands in the kind.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use rustls::SignatureAlgorithm;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::SectionKind;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use serde::Deserialize;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521};
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};
use zeroize::{Zeroize, Zeroizing};

mod armour;

/// Most certificates in one text.
const MAX_CERTIFICATES: usize = 50;

/// A certificate chain, leaf first, and the leaf's private key. Deserialises from the PEM text of both.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct Pair {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

/// What may be shown of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Common name of the subject, else its whole name.
    pub subject: String,
    pub issuer: String,
    pub not_before: DateTime<Utc>,
    pub not_after: DateTime<Utc>,
}

impl Pair {
    /// Reads both parts, in any order, and finds the certificate that belongs to the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut found = sections(text)?;
        let mut certificates = std::mem::take(&mut found.certificates);
        let key = match (found.keys.pop(), found.keys.is_empty()) {
            (Some(key), true) => key,
            (None, _) if certificates.is_empty() => return Err(NO_PEM.to_owned()),
            (None, _) => return Err("The private key is missing: paste the certificate and its key together.".into()),
            (Some(_), false) => return Err("There is more than one private key here. Keep the one that fits.".into()),
        };
        if certificates.is_empty() {
            return Err("The certificate is missing: paste the certificate and its key together.".to_owned());
        }
        let signer = any_supported_type(&key).map_err(|_| unusable(&certificates).to_owned())?;
        let public = signer.public_key().ok_or(UNUSABLE_KEY)?;
        let leaf = certificates
            .iter()
            .position(|der| certificate(der).is_ok_and(|leaf| leaf.public_key().raw == public.as_ref()))
            .ok_or("The private key does not belong to the certificate. Paste the two that were made together.")?;
        certificates[..=leaf].rotate_right(1);
        Ok(Self { chain: certificates, key })
    }

    /// The canonical text: the chain, then the key.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(certificates_to_pem(&self.chain));
        text.push_str(&armour(key_label(&self.key), self.key.secret_der()));
        text
    }

    /// The chain alone, which is public.
    pub fn chain_pem(&self) -> String {
        certificates_to_pem(&self.chain)
    }

    /// The key alone.
    pub fn key_pem(&self) -> Zeroizing<String> {
        armour(key_label(&self.key), self.key.secret_der())
    }

    /// Whether the key is RSA, which is what RS256 needs.
    pub fn is_rsa(&self) -> bool {
        any_supported_type(&self.key).is_ok_and(|signer| signer.algorithm() == SignatureAlgorithm::RSA)
    }

    pub fn summary(&self) -> Option<Summary> {
        self.chain.first().and_then(summary)
    }

    /// SHA-1 of the certificate, in capital hex digits, as Microsoft names certificates.
    pub fn thumbprint(&self) -> Option<String> {
        let hash = |leaf: &_| hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, AsRef::<[u8]>::as_ref(leaf)));
        self.chain.first().map(hash)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl TryFrom<String> for Pair {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&Zeroizing::new(text))
    }
}

/// An RSA private key of at least 2048 bits.
pub struct RsaKey {
    pub pair: rsa::KeyPair,
    pem: Zeroizing<String>,
}

impl RsaKey {
    /// Reads PKCS #8 or PKCS #1 in PEM.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut found = sections(text)?;
        let (Some(key), true) = (found.keys.pop(), found.keys.is_empty()) else {
            return Err("This is not one private key in PEM: it starts with -----BEGIN PRIVATE KEY-----.".to_owned());
        };
        let pair = match &key {
            PrivateKeyDer::Pkcs8(der) => rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => rsa::KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(NOT_RSA.to_owned()),
        };
        let pair = pair.map_err(|_| NOT_RSA.to_owned())?;
        if pair.public_modulus_len() < 2048 / 8 {
            return Err(NOT_RSA.to_owned());
        }
        let pem = armour(key_label(&key), key.secret_der());
        Ok(Self { pair, pem })
    }

    /// The canonical text.
    pub fn to_pem(&self) -> &str {
        &self.pem
    }

    /// DER of the public half, as SubjectPublicKeyInfo.
    pub fn public_der(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().ok()?;
        Some(der.as_ref().to_vec())
    }
}

/// Checks certificates that are public and shown again; a private key among them is refused.
pub fn authorities(text: &str) -> Result<String, String> {
    let found = sections(text)?;
    match (found.certificates.is_empty(), found.keys.is_empty()) {
        (_, false) => {
            Err("There is a private key among these. Paste certificates only: they are shown again.".to_owned())
        }
        (true, _) => Err(NO_PEM.to_owned()),
        _ => Ok(certificates_to_pem(&found.certificates)),
    }
}

/// What may be shown of the first certificate of a text.
pub fn summary_of(text: &str) -> Option<Summary> {
    sections(text).ok()?.certificates.first().and_then(summary)
}

const NO_PEM: &str = "There is no certificate in PEM here: it starts with -----BEGIN CERTIFICATE-----.";
const OTHER_CURVE: &str = "The key is ECDSA on an unsupported curve, such \
                           as brainpool. Create one on P-256, P-384 or P-521.";
const UNUSABLE_KEY: &str = "The private key cannot be used: it must be RSA (2048 bits or more), ECDSA or Ed25519.";
const NOT_RSA: &str = "The private key is not an RSA key of 2048 bits or more.";

struct Sections {
    certificates: Vec<CertificateDer<'static>>,
    keys: Vec<PrivateKeyDer<'static>>,
}

impl Drop for Sections {
    fn drop(&mut self) {
        self.keys.iter_mut().for_each(Zeroize::zeroize);
    }
}

/// Certificates and keys of a text.
fn sections(text: &str) -> Result<Sections, String> {
    let mut found = Sections { certificates: Vec::new(), keys: Vec::new() };
    for section in armour::sections(text)? {
        let (kind, der) = section?;
        match kind {
            SectionKind::PrivateKey => found.keys.push(PrivatePkcs8KeyDer::from(der).into()),
            SectionKind::RsaPrivateKey => found.keys.push(PrivatePkcs1KeyDer::from(der).into()),
            SectionKind::EcPrivateKey => found.keys.push(PrivateSec1KeyDer::from(der).into()),
            _ => found.certificates.push(CertificateDer::from(der)),
        }
        if found.certificates.len() + found.keys.len() > MAX_CERTIFICATES {
            return Err(format!("At most {MAX_CERTIFICATES} certificates fit here."));
        }
    }
    for der in &found.certificates {
        certificate(der)?;
    }
    Ok(found)
}

fn certificate<'a>(der: &'a CertificateDer<'static>) -> Result<X509Certificate<'a>, String> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err("One of the certificates is no valid X.509 certificate.".to_owned()),
    }
}

/// Why a key cannot be used, as far as the certificates tell.
fn unusable(certificates: &[CertificateDer<'static>]) -> &'static str {
    let curves = [OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521];
    let is_odd = |der: &CertificateDer<'static>| {
        certificate(der).is_ok_and(|read| {
            let algorithm = &read.public_key().algorithm;
            let curve = algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve.is_some_and(|curve| !curves.contains(&curve))
        })
    };
    if certificates.iter().any(is_odd) { OTHER_CURVE } else { UNUSABLE_KEY }
}

fn summary(der: &CertificateDer<'static>) -> Option<Summary> {
    let certificate = certificate(der).ok()?;
    let validity = certificate.validity();
    Some(Summary {
        subject: name(certificate.subject()),
        issuer: name(certificate.issuer()),
        not_before: DateTime::from_timestamp(validity.not_before.timestamp(), 0)?,
        not_after: DateTime::from_timestamp(validity.not_after.timestamp(), 0)?,
    })
}

/// A name for people: whoever made the certificate chose it, so control characters and excess are cut.
fn name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().next().and_then(|attribute| attribute.as_str().ok()).map(str::to_owned);
    let whole = common.unwrap_or_else(|| name.to_string());
    whole.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn certificates_to_pem(certificates: &[CertificateDer<'static>]) -> String {
    certificates.iter().map(|der| armour("CERTIFICATE", der).to_string()).collect()
}

fn key_label(key: &PrivateKeyDer<'static>) -> &'static str {
    match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    }
}

fn armour(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 80));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for line in body.as_bytes().chunks(64) {
        text.extend(line.iter().map(|byte| char::from(*byte)));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests;
