//! A client certificate with its private key, for services that know their clients by mutual TLS.

use serde::Deserialize;

use super::{Facts, Guide, Kind, date, pem};
use crate::form::{Errors, Field, Values};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    pub certificate: pem::Pair,
    /// PEM of the authorities that the server's certificate is held against, beside the public ones.
    pub ca_certificate: Option<String>,
}

pub static KIND: Kind = Kind {
    slug: "certificate",
    label: "Certificate",
    summary: "A client certificate with its private key: registries with mutual TLS.",
    fields: &[
        Field::secret_document("certificate", "Client certificate with private key")
            .help("PEM: the certificate, any intermediate certificates, and the private key without a passphrase.")
            .check(|value| pem::Pair::parse(value).map(|pair| pair.to_pem().to_string())),
        Field::document("ca_certificate", "CA certificate")
            .optional()
            .help("The server's CA certificate, as PEM. Leave blank for public CAs.")
            .check(pem::authorities),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Create a private key and a signing request (below) and \
             have the service's CA sign it as a client certificate.",
            "Paste the certificate and the private key together into one field, in any order.",
            "If the server's own certificate is issued by a private CA, paste that CA's certificate too.",
        ],
        snippets: &[
            (
                "Key and signing request",
                "openssl req -newkey rsa:3072 -nodes -keyout client.key -out client.csr -subj /CN=strongroom",
            ),
            ("Certificate and key in one text", "cat client.crt client.key"),
            ("Remove the passphrase of a key", "openssl pkey -in locked.key -out client.key"),
        ],
        source: "https://docs.openssl.org/3.0/man1/openssl-req/",
    },
    policies: super::no_policies,
    address: super::no_address,
};

fn examine(values: &Values) -> Result<Facts, Errors> {
    let Some(summary) = pem::summary_of(values.get("certificate")) else {
        return Err(Errors::one("certificate", "There is no certificate here."));
    };
    let mut lines = vec![("Issuer", summary.issuer), ("Valid from", date(summary.not_before))];
    lines.extend(authority_line(values.get("ca_certificate")));
    Ok(Facts { identity: summary.subject, lines, expires_at: Some(summary.not_after), ..Facts::default() })
}

/// What to show of an optional CA certificate.
pub(super) fn authority_line(authorities: &str) -> Option<(&'static str, String)> {
    let summary = pem::summary_of(authorities)?;
    Some(("CA certificate", format!("{}, valid until {}", summary.subject, date(summary.not_after))))
}
