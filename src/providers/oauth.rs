//! The client credentials grant of OAuth 2.0 (RFC 6749, section 4.4), for services that are no cloud of their own file.

use reqwest::header::WWW_AUTHENTICATE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::calls::{self, AccessToken, Outcome};
use super::capital;
use super::egress::{Answer, Client};
use super::probe::Verdict;

/// A token for a client ID and its secret; `who` is the service as it stands within a sentence.
pub async fn client_credentials(
    client: &Client,
    url: Url,
    id: &str,
    secret: &SecretString,
    who: &str,
) -> Outcome<AccessToken> {
    let fields = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret.expose_secret())];
    let answer = calls::send(client, calls::form(url, &fields)).await.map_err(|error| calls::failed(&error, who))?;
    if answer.status == 200 { calls::token(&answer, who) } else { refused(answer, who) }
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// RFC 6749, section 5.2.
fn refused(answer: Answer, who: &str) -> Outcome<AccessToken> {
    let code = answer.json::<Refusal>().map(|refusal| refusal.error).unwrap_or_default();
    let who = capital(who);
    match (answer.status, code.as_str()) {
        (_, "unauthorized_client" | "unsupported_grant_type") => calls::found(
            Verdict::Denied,
            format!("{who} does not give this client tokens by client credentials."),
            "Allow the grant type Client Credentials for it, and for the instance as a whole.",
        ),
        (400 | 401, _) if !code.is_empty() || answer.header(WWW_AUTHENTICATE.as_str()).is_some() => calls::found(
            Verdict::BadKey,
            format!("{who} refused the client ID or the client secret."),
            "Check the credential: its user name is the client ID and its password the client secret.",
        ),
        _ => Err(calls::unexplained(answer, &who)),
    }
}
