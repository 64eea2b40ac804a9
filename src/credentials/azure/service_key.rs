//! The JSON that `az ad sp create-for-rbac` prints, in both of its shapes. Only the ids, the secret and the cloud are
//! kept: no address in the document is ever called, the cloud's own are.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use crate::credentials::checks;
use crate::credentials::document::{self, Node};

/// A service principal with its secret.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceKey {
    pub client_id: String,
    pub client_secret: SecretString,
    pub tenant_id: String,
    /// The short shape of the document has none.
    pub subscription_id: Option<String>,
    pub cloud: Cloud,
}

/// One of a cloud's addresses.
type Endpoint = fn(Cloud) -> &'static str;

/// The four public clouds of Microsoft (Azure CLI, `az cloud list`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cloud {
    #[default]
    Global,
    China,
    UsGovernment,
    Germany,
}

impl Cloud {
    const ALL: [Self; 4] = [Self::Global, Self::China, Self::UsGovernment, Self::Germany];

    /// The choices of a form: what is stored, and the label.
    pub const CHOICES: &'static [(&'static str, &'static str)] = &[
        ("global", Self::Global.label()),
        ("china", Self::China.label()),
        ("us_government", Self::UsGovernment.label()),
        ("germany", Self::Germany.label()),
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Global => "Azure",
            Self::China => "Azure China",
            Self::UsGovernment => "Azure US Government",
            Self::Germany => "Azure Germany",
        }
    }

    /// Where tokens come from, without a slash at the end.
    pub fn authority(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::China => "https://login.chinacloudapi.cn",
            Self::UsGovernment => "https://login.microsoftonline.us",
            Self::Germany => "https://login.microsoftonline.de",
        }
    }

    /// The Resource Manager, without a slash at the end.
    pub fn resource_manager(self) -> &'static str {
        match self {
            Self::Global => "https://management.azure.com",
            Self::China => "https://management.chinacloudapi.cn",
            Self::UsGovernment => "https://management.usgovcloudapi.net",
            Self::Germany => "https://management.microsoftazure.de",
        }
    }

    /// The cloud whose endpoint this is: https, the exact host, no port, no path.
    fn of(address: &str, endpoint: Endpoint) -> Option<Self> {
        let url = Url::parse(address).ok()?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        let given = url.as_str().trim_end_matches('/');
        Self::ALL.into_iter().find(|cloud| plain && url.fragment().is_none() && endpoint(*cloud) == given)
    }
}

impl ServiceKey {
    pub fn parse(text: &str) -> Result<Self, String> {
        let node = document::json(text).map_err(|fault| fault.to_string())?;
        let long =
            ["clientId", "clientSecret", "tenantId", "subscriptionId"].iter().any(|name| node.get(name).is_some());
        let short = ["appId", "password", "tenant"].iter().any(|name| node.get(name).is_some());
        let names = match (long, short) {
            (true, false) => ["clientId", "clientSecret", "tenantId"],
            (false, true) => ["appId", "password", "tenant"],
            (true, true) => {
                return Err("This mixes the two shapes of a service key. Paste what the CLI printed.".into());
            }
            (false, false) => {
                return Err("This is no service key: the member clientId (or appId) is missing. Paste the whole JSON \
                            that az ad sp create-for-rbac printed."
                    .to_owned());
            }
        };
        // The one shape names the file, the other the certificate.
        if node.get("fileWithCertAndPrivateKey").is_some() || node.get("clientCertificate").is_some() {
            return Err("This principal has a certificate and no secret: choose the subtype Certificate.".to_owned());
        }
        let subscription = node.get("subscriptionId").is_some().then(|| identifier(&node, "subscriptionId"));
        Ok(Self {
            client_id: identifier(&node, names[0])?,
            client_secret: SecretString::from(text_of(&node, names[1])?),
            tenant_id: identifier(&node, names[2])?,
            subscription_id: subscription.transpose()?,
            cloud: cloud(&node)?,
        })
    }

    /// The canonical document: it parses to the same key again.
    pub fn to_json(&self) -> String {
        let mut document = json!({
            "clientId": self.client_id,
            "clientSecret": self.client_secret.expose_secret(),
            "tenantId": self.tenant_id,
            "activeDirectoryEndpointUrl": self.cloud.authority(),
        });
        if let Some(subscription) = &self.subscription_id {
            document["subscriptionId"] = json!(subscription);
        }
        document.to_string()
    }
}

impl TryFrom<String> for ServiceKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&Zeroizing::new(text))
    }
}

fn text_of(node: &Node, name: &'static str) -> Result<String, String> {
    match node.get(name) {
        None => Err(format!("The service key has no member {name}. Paste the whole JSON that the Azure CLI printed.")),
        Some(member) => match member.text().map(str::trim) {
            Some(text) if !text.is_empty() => {
                checks::token(text).map_err(|cause| format!("The member {name}: {cause}"))
            }
            Some(_) => Err(format!("The member {name} is blank. Paste the JSON as the Azure CLI printed it.")),
            None => Err(format!("The member {name} must be text in quotes.")),
        },
    }
}

fn identifier(node: &Node, name: &'static str) -> Result<String, String> {
    let text = text_of(node, name)?;
    if checks::is_identifier(&text) {
        Ok(text)
    } else {
        Err(format!("The member {name} has letters, digits, dots and dashes only."))
    }
}

/// The one cloud that both endpoints name; the global one when there are none.
fn cloud(node: &Node) -> Result<Cloud, String> {
    let endpoints: [(&'static str, Endpoint); 2] =
        [("activeDirectoryEndpointUrl", Cloud::authority), ("resourceManagerEndpointUrl", Cloud::resource_manager)];
    let mut named = None;
    for (name, endpoint) in endpoints {
        if node.get(name).is_none() {
            continue;
        }
        let cloud = Cloud::of(&text_of(node, name)?, endpoint)
            .ok_or_else(|| format!("The member {name} is not an address of one of Microsoft's public clouds."))?;
        if named.is_some_and(|other| other != cloud) {
            return Err("The addresses in this service key belong to different clouds.".to_owned());
        }
        named = Some(cloud);
    }
    Ok(named.unwrap_or(Cloud::Global))
}
