//! Microsoft Azure: a service principal by secret or certificate, or the managed identity of the machine. The document
//! that the Azure CLI printed is read by [`ServiceKey`]; which cloud it belongs to, by [`Cloud`].

use serde::Deserialize;

use super::{Facts, Guide, Kind, checks, date, pem};
use crate::form::{Errors, Field, Values};
use crate::pasted::Wanted;

mod service_key;

pub use service_key::{Cloud, ServiceKey};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(try_from = "Sealed")]
pub enum Payload {
    ServiceKey(ServiceKey),
    Certificate {
        certificate: pem::Pair,
        /// Earlier releases stored none: they knew the global one only.
        cloud: Cloud,
        tenant_id: String,
        client_id: String,
        subscription_id: String,
    },
    ManagedIdentity {
        subscription_id: String,
        /// Names a user-assigned identity; `None` is the system-assigned one.
        client_id: Option<String>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    method: String,
    service_key: Option<ServiceKey>,
    certificate: Option<pem::Pair>,
    cloud: Option<Cloud>,
    tenant_id: Option<String>,
    client_id: Option<String>,
    subscription_id: Option<String>,
    identity_client_id: Option<String>,
}

impl TryFrom<Sealed> for Payload {
    type Error = &'static str;

    fn try_from(sealed: Sealed) -> Result<Self, &'static str> {
        const WRONG: &str = "not an Azure credential";
        match sealed.method.as_str() {
            "service_key" => Ok(Self::ServiceKey(sealed.service_key.ok_or(WRONG)?)),
            "certificate" => Ok(Self::Certificate {
                certificate: sealed.certificate.ok_or(WRONG)?,
                cloud: sealed.cloud.unwrap_or_default(),
                tenant_id: sealed.tenant_id.ok_or(WRONG)?,
                client_id: sealed.client_id.ok_or(WRONG)?,
                subscription_id: sealed.subscription_id.ok_or(WRONG)?,
            }),
            "managed_identity" => Ok(Self::ManagedIdentity {
                subscription_id: sealed.subscription_id.ok_or(WRONG)?,
                client_id: sealed.identity_client_id,
            }),
            _ => Err(WRONG),
        }
    }
}

impl Payload {
    /// Whose addresses hold. A machine's identity is taken to be of the global cloud.
    pub fn cloud(&self) -> Cloud {
        match self {
            Self::ServiceKey(key) => key.cloud,
            Self::Certificate { cloud, .. } => *cloud,
            Self::ManagedIdentity { .. } => Cloud::Global,
        }
    }

    /// The tenant that the credential names; `None` for a machine's identity.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::ServiceKey(key) => Some(&key.tenant_id),
            Self::Certificate { tenant_id, .. } => Some(tenant_id),
            Self::ManagedIdentity { .. } => None,
        }
    }

    /// The subscription that the credential names; `None` where a service key names none.
    pub fn subscription(&self) -> Option<&str> {
        match self {
            Self::ServiceKey(key) => key.subscription_id.as_deref(),
            Self::Certificate { subscription_id, .. } | Self::ManagedIdentity { subscription_id, .. } => {
                Some(subscription_id)
            }
        }
    }
}

pub static KIND: Kind = Kind {
    slug: "azure",
    label: "Azure",
    summary: "A service principal or a managed identity: Container Registry, function apps, mail by Microsoft 365.",
    fields: &[
        Field::choice(
            "method",
            "Subtype",
            &[("service_key", "Service key"), ("certificate", "Certificate"), ("managed_identity", "Managed identity")],
        ),
        Field::secret_document("service_key", "Service Key")
            .when("method", &["service_key"])
            .wants(Wanted::ServiceKey)
            .help("The whole JSON that az ad sp create-for-rbac printed.")
            .max(16_384)
            .check(|value| ServiceKey::parse(value).map(|key| key.to_json())),
        Field::secret_document("certificate", "Certificate and private key")
            .when("method", &["certificate"])
            .help("One PEM text with both parts, as in the file that az ad sp create-for-rbac --create-cert wrote.")
            .check(|value| pem::Pair::parse(value).map(|pair| pair.to_pem().to_string())),
        Field::choice("cloud", "Cloud", Cloud::CHOICES)
            .when("method", &["certificate"])
            .help("The one that the tenant belongs to."),
        Field::text("tenant_id", "Tenant ID").when("method", &["certificate"]).max(128).check(id).identity(),
        Field::text("client_id", "Client ID").when("method", &["certificate"]).max(128).check(id).identity(),
        Field::text("subscription_id", "Subscription ID")
            .when("method", &["certificate", "managed_identity"])
            .max(128)
            .check(id)
            .identity(),
        Field::text("identity_client_id", "Client ID")
            .when("method", &["managed_identity"])
            .optional()
            .help("Only for a user-assigned identity.")
            .max(128)
            .check(id)
            .identity(),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Install the Azure CLI and log in: az login.",
            "Create a service principal with the command below that fits its \
             use, and paste the whole JSON that it prints into Service Key.",
            "With a certificate: use the last command below, and paste the file that it writes.",
            "Managed identity: switch it on at the machine that Strongroom runs on and give it the same role. No secret \
             is stored.",
        ],
        snippets: &[
            (
                "Container Registry scans: role AcrPull",
                "az ad sp create-for-rbac --name strongroom-reader --role AcrPull \\\n  \
                 --scopes /subscriptions/SUBSCRIPTION --json-auth",
            ),
            (
                "Function app scans: role Reader, or the narrower one that this page shows for the integration",
                "az ad sp create-for-rbac --name strongroom-reader --role Reader \\\n  \
                 --scopes /subscriptions/SUBSCRIPTION --json-auth",
            ),
            (
                "With a certificate instead of a secret",
                "az ad sp create-for-rbac --name strongroom-reader --role AcrPull \\\n  \
                 --scopes /subscriptions/SUBSCRIPTION --create-cert",
            ),
            (
                "E-mail through Microsoft 365: application permission SMTP.SendAsApp of Office 365 Exchange Online with admin \
                 consent, then in Exchange Online PowerShell for the mailbox of the sender address",
                "New-ServicePrincipal -AppId CLIENT -ObjectId OBJECT\n\
                 Add-MailboxPermission -Identity MAILBOX -User OBJECT -AccessRights FullAccess\n\
                 Set-CASMailbox -Identity MAILBOX -SmtpClientAuthenticationDisabled $false",
            ),
        ],
        source: "https://learn.microsoft.com/en-us/cli/azure/azure-cli-sp-tutorial-1",
    },
    policies,
    address: super::no_address,
};

fn id(value: &str) -> Result<String, String> {
    if checks::is_identifier(value) {
        Ok(value.to_owned())
    } else {
        Err("An ID has letters, digits, dots and dashes only, and begins with a letter or digit.".to_owned())
    }
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    let subscription = values.get("subscription_id").to_owned();
    match values.get("method") {
        "certificate" => {
            let pair = pem::Pair::parse(values.get("certificate")).map_err(about_certificate)?;
            let summary = pair.summary().ok_or_else(|| about_certificate("There is no certificate here.".into()))?;
            let (client, tenant) = (values.get("client_id").to_owned(), values.get("tenant_id").to_owned());
            let mut warnings = warnings(&[("client", &client), ("tenant", &tenant), ("subscription", &subscription)]);
            let cloud = Cloud::CHOICES.iter().find(|(slug, _)| *slug == values.get("cloud"));
            let cloud = cloud.map_or(Cloud::Global.label(), |(_, label)| label);
            if !pair.is_rsa() {
                warnings.push(
                    "Microsoft Entra ID accepts only certificates with an RSA key. This one has \
                    another."
                        .to_owned(),
                );
            }
            Ok(Facts {
                warnings,
                identity: client,
                subtype: Some("Certificate"),
                lines: vec![
                    ("Cloud", cloud.to_owned()),
                    ("Tenant", tenant),
                    ("Subscription", subscription),
                    ("Certificate", summary.subject),
                    ("Valid from", date(summary.not_before)),
                ],
                expires_at: Some(summary.not_after),
                key_id: pair.thumbprint(),
            })
        }
        "managed_identity" => {
            let client = values.get("identity_client_id");
            let named = if client.is_empty() { Vec::new() } else { vec![("client", client)] };
            Ok(Facts {
                warnings: warnings(&[&named[..], &[("subscription", &subscription)]].concat()),
                identity: if client.is_empty() { "System-assigned identity".to_owned() } else { client.to_owned() },
                subtype: Some("Managed identity"),
                lines: vec![("Subscription", subscription)],
                ..Facts::default()
            })
        }
        _ => {
            let key =
                ServiceKey::parse(values.get("service_key")).map_err(|message| Errors::one("service_key", message))?;
            let subscription = key.subscription_id.as_deref();
            let mut ids = vec![("client", key.client_id.as_str()), ("tenant", key.tenant_id.as_str())];
            ids.extend(subscription.map(|id| ("subscription", id)));
            let mut lines = vec![("Cloud", key.cloud.label().to_owned()), ("Tenant", key.tenant_id.clone())];
            lines.extend(subscription.map(|id| ("Subscription", id.to_owned())));
            Ok(Facts {
                warnings: warnings(&ids),
                identity: key.client_id.clone(),
                subtype: Some("Service key"),
                key_id: Some(secret_of(&key.client_id)),
                lines,
                ..Facts::default()
            })
        }
    }
}

/// Stands for the key id of an application's secret, which nothing that is stored tells: which application it is of.
pub fn secret_of(client_id: &str) -> String {
    format!("secret of {}", client_id.to_ascii_lowercase())
}

fn about_certificate(message: String) -> Errors {
    Errors::one("certificate", message)
}

/// One sentence for each (name, id) that is no GUID.
fn warnings(ids: &[(&str, &str)]) -> Vec<String> {
    let odd = ids.iter().filter(|(_, id)| !checks::is_guid(id));
    odd.map(|(name, _)| format!("The {name} ID is not a GUID. Check that it was copied whole.")).collect()
}

/// The role by use, for the subscription where it is known.
fn policies(values: &Values) -> Vec<(String, String)> {
    let (client, subscription) = match values.get("method") {
        "certificate" => (values.get("client_id"), values.get("subscription_id")),
        "managed_identity" => (values.get("identity_client_id"), values.get("subscription_id")),
        _ => return Vec::new(),
    };
    if subscription.is_empty() {
        return Vec::new();
    }
    let client = if client.is_empty() { "PRINCIPAL" } else { client };
    let line =
        format!("az role assignment create --assignee {client} --role AcrPull --scope /subscriptions/{subscription}");
    vec![("Container Registry scans: role AcrPull".to_owned(), line)]
}

#[cfg(test)]
mod tests;
