//! CyberArk's Central Credential Provider: one account of a safe, by a client certificate. It has no list.
//! <https://docs.cyberark.com/credential-providers/latest/en/content/ccp/calling-the-web-service-using-rest.htm>

use reqwest::Request;
use serde::Deserialize;
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use super::egress::{Answer, Client};
use super::{ProviderError, Sent, calls};

/// Where an account is, and for which application.
pub struct Query<'a> {
    pub application: &'a str,
    pub safe: &'a str,
    /// Blank: the root.
    pub folder: &'a str,
    pub object: &'a str,
}

/// An account, as far as it is passed on.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    pub content: Zeroizing<String>,
    #[serde(default)]
    pub user_name: String,
    #[serde(default)]
    pub address: String,
    #[serde(default)]
    pub database: String,
    #[serde(default)]
    pub port: String,
}

/// Why there is no account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The application is not known, or the certificate or address is not one of its own.
    Application,
    /// There is none of this name, or the application may not use it.
    Missing,
    /// Several answer to the query.
    Several,
    /// Its password is being changed.
    Changing,
    /// The provider does not reach its vault.
    VaultAway,
    Other(ProviderError),
}

impl From<ProviderError> for Refused {
    fn from(error: ProviderError) -> Self {
        Self::Other(error)
    }
}

/// `base` is the address of the web service: `https://ccp.example.com/AIMWebService`.
pub async fn account(client: &Client, base: &Url, query: &Query<'_>) -> Result<Account, Refused> {
    let mut answer = calls::send(client, request(base, query)?).await?;
    if answer.status != 200 {
        return Err(refused(answer));
    }
    let account = answer.json();
    answer.body.zeroize();
    Ok(account?)
}

/// A space is written as `%20`: the service takes a plus sign for itself.
fn request(base: &Url, query: &Query<'_>) -> Result<Request, ProviderError> {
    let mut pairs = vec![("AppID", query.application), ("Safe", query.safe)];
    if !query.folder.is_empty() {
        pairs.push(("Folder", query.folder));
    }
    pairs.push(("Object", query.object));
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().replace('+', "%20");
    let whole = format!("{}/api/Accounts?{text}", base.as_str().trim_end_matches('/'));
    Ok(calls::get(Url::parse(&whole).map_err(|_| ProviderError::InvalidAddress)?))
}

/// By the code, never by the text beside it.
fn refused(answer: Answer) -> Refused {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Body {
        error_code: String,
    }
    let code = answer.json::<Body>().unwrap_or_default().error_code;
    match (code.as_str(), answer.status) {
        ("APPAP004E" | "APPAP249E" | "APPAP324E", _) => Refused::Missing,
        ("APPAP227E" | "APPAP228E" | "APPAP229E", _) => Refused::Several,
        ("APPAP282E", _) => Refused::Changing,
        ("APPAP007E", _) => Refused::VaultAway,
        ("APPAP008E" | "APPAP087E" | "APPAP132E" | "APPAP133E" | "APPAP306E" | "APPAP083E", _) => Refused::Application,
        // The web server itself, before the service is asked.
        ("", 401 | 403) => ProviderError::Unauthorized { sent: Sent::Certificate }.into(),
        (_, 403) => Refused::Application,
        _ => answer.accepted(Sent::Certificate).err().unwrap_or(ProviderError::BadAnswer).into(),
    }
}
