//! Oracle Cloud Infrastructure: a user's API signing key.

use md5::{Digest as _, Md5};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, pem};
use crate::form::{Errors, Field, Values};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    pub user_ocid: String,
    pub tenancy_ocid: String,
    /// Sixteen pairs of lower-case hex digits with colons between.
    pub fingerprint: String,
    /// PEM.
    pub private_key: SecretString,
    /// `eu-frankfurt-1`; `None` leaves it to be found.
    pub region: Option<String>,
}

pub static KIND: Kind = Kind {
    slug: "oci",
    label: "Oracle Cloud",
    summary: "A user's API signing key: Oracle Cloud Infrastructure.",
    fields: &[
        Field::text("user_ocid", "User OCID")
            .placeholder("ocid1.user.oc1..")
            .max(255)
            .check(|value| ocid("user", value))
            .identity(),
        Field::text("tenancy_ocid", "Tenancy OCID")
            .placeholder("ocid1.tenancy.oc1..")
            .max(255)
            .check(|value| ocid("tenancy", value))
            .identity(),
        Field::text("fingerprint", "Fingerprint").max(64).check(fingerprint).identity().renewed(),
        Field::secret_document("private_key", "Private key")
            .help("PEM, without a passphrase.")
            .max(16_384)
            .check(|value| pem::RsaKey::parse(value).map(|key| key.to_pem().to_owned())),
        Field::text("region", "Home region")
            .optional()
            .placeholder("eu-frankfurt-1")
            .help("Leave blank for the large regions. To be sure, enter a region that the tenancy subscribes to.")
            .max(64)
            .check(region),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Create a user for Strongroom and put it into a group whose policy allows only what is read (below).",
            "On the user's page open API keys, choose Add API key, then Generate API key pair, and download the private key.",
            "Copy user, tenancy, fingerprint and region from the configuration file preview that Oracle shows.",
        ],
        snippets: &[
            ("Policy of the group", "Allow group strongroom to read repos in tenancy"),
            ("The fingerprint of a key", "openssl pkey -in key.pem -pubout -outform DER | openssl md5 -c"),
        ],
        source: "https://docs.oracle.com/en-us/iaas/Content/API/Concepts/apisigningkey.htm",
    },
    policies: super::no_policies,
    address: super::no_address,
};

/// `ocid1.<type>.<realm>.[region][.future use].<unique id>` (Oracle's "Resource identifiers").
pub fn ocid(kind: &str, value: &str) -> Result<String, String> {
    let word = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let parts: Vec<&str> = value.split('.').collect();
    let valid = matches!(parts.len(), 5 | 6)
        && parts[..2] == ["ocid1", kind]
        && parts[2].strip_prefix("oc").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        && parts[3..].iter().all(|part| word(part))
        && parts.last().is_some_and(|unique| !unique.is_empty());
    if valid {
        Ok(value.to_owned())
    } else {
        Err(format!("This OCID starts with ocid1.{kind}.oc1.. and ends with small letters and digits. Copy it whole."))
    }
}

/// Becomes part of a host name: `eu-frankfurt-1`, `us-gov-ashburn-1` (Oracle's "Regions and availability domains").
pub fn region(value: &str) -> Result<String, String> {
    let value = value.to_ascii_lowercase();
    let parts: Vec<&str> = value.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let valid = match parts.as_slice() {
        [words @ .., number] => {
            (2..=3).contains(&words.len()) && words.iter().all(word) && matches!(*number, "1" | "2" | "3")
        }
        [] => false,
    };
    if valid { Ok(value) } else { Err("Enter the region's identifier: eu-frankfurt-1.".to_owned()) }
}

fn fingerprint(value: &str) -> Result<String, String> {
    let pairs: Vec<&str> = value.split(':').collect();
    let pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    if pairs.len() == 16 && pairs.iter().all(pair) {
        Ok(value.to_ascii_lowercase())
    } else {
        Err("A fingerprint is 16 pairs of hex digits with colons between them.".to_owned())
    }
}

/// Oracle's fingerprint of a key: MD5 of the public half's DER, as its console shows it.
fn fingerprint_of(key: &pem::RsaKey) -> Option<String> {
    let digest = Md5::digest(key.public_der()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"))
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    let key = pem::RsaKey::parse(values.get("private_key")).map_err(|message| Errors::one("private_key", message))?;
    if fingerprint_of(&key).as_deref() != Some(values.get("fingerprint")) {
        return Err(Errors::one(
            "fingerprint",
            "This is not the fingerprint of the private key. Copy the one that Oracle shows beside this key.",
        ));
    }
    Ok(Facts {
        identity: values.get("user_ocid").to_owned(),
        lines: vec![
            ("Tenancy", values.get("tenancy_ocid").to_owned()),
            ("Fingerprint", values.get("fingerprint").to_owned()),
        ],
        ..Facts::default()
    })
}

#[cfg(test)]
mod tests;
