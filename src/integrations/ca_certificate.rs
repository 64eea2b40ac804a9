//! Certificate authorities of one's own, as a setting of an integration: the field, its check, and what the way out
//! makes of it.

use crate::credentials::pem;
use crate::form::{Field, Values};
use crate::providers::egress::Tls;
use crate::providers::tls_faults::Form;

/// The field; a provider may give it another help.
pub const FIELD: Field = Field::document("ca_certificate", "CA certificate")
    .optional()
    .help("As PEM, if that server's certificate is self-signed or issued by a private CA.")
    .after_credential()
    .advanced()
    .check(check);

/// Certificates in PEM form, one at least, and nothing else; each of them, in one canonical text.
pub fn check(text: &str) -> Result<String, String> {
    pem::authorities(text)
}

/// The private authorities of the settings in one canonical text: under others, somebody else may answer in the name of
/// a host.
pub fn authority(settings: &Values) -> String {
    let pasted = pasted(settings).unwrap_or_default();
    // Earlier releases kept the text as it was pasted.
    pem::authorities(pasted.trim()).unwrap_or_else(|_| pasted.trim().to_owned())
}

/// What the settings add to the authorities that everybody trusts.
pub fn tls(settings: &Values) -> Tls {
    Tls { ca_certificates: pasted(settings).into_iter().collect(), identity: None, form: Form::CA_FIELD }
}

/// The certificates of a field of that name, if there are any.
pub fn pasted(values: &Values) -> Option<String> {
    Some(values.get(FIELD.name).to_owned()).filter(|pem| !pem.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_refused_as_ca_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        assert!(check(&key.serialize_pem()).unwrap_err().contains("private key"));
        assert!(check("hello").is_err());
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        assert!(check(&certificate.pem()).is_ok());
    }
}
