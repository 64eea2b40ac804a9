//! How a credential of the store logs in at a mail server: by its user name and password, or by an access token for the
//! mailbox of the sender address (XOAUTH2).
//! <https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth>,
//! <https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>

use super::super::Failure;
use super::server::Login;
use crate::credentials::{self, basic};
use crate::form::Values;
use crate::integrations::context::{Context, Secret};
use crate::providers::azure::Resource;
use crate::providers::calls::AccessToken;
use crate::providers::gcp::{Asked, MAIL};

/// The login of the credential; none without one.
pub(super) async fn login(cx: &Context<'_>) -> Result<Option<Login>, Failure> {
    let Some(secret) = cx.main() else { return Ok(None) };
    let user = cx.settings.get("from").to_owned();
    let login = match secret.kind.slug {
        "azure" => Login::Token { user, token: microsoft(cx, secret).await?.secret },
        "gcp" => {
            let token = google(cx, secret, &user).await?.secret;
            Login::Token { user, token }
        }
        _ => {
            let basic::Payload { username, password } = payload(secret.values)?;
            Login::Password { user: username, password }
        }
    };
    Ok(Some(login))
}

fn payload<P: serde::de::DeserializeOwned>(values: &Values) -> Result<P, Failure> {
    let unfit = "The credential cannot be used here. Choose a Basic authentication, Azure or Google Cloud credential.";
    credentials::payload(values).ok_or_else(|| Failure::never(unfit))
}

async fn microsoft(cx: &Context<'_>, secret: Secret<'_>) -> Result<AccessToken, Failure> {
    cx.outside.tokens.azure_token(secret.stored, secret.values, Resource::Outlook).await
}

/// The service account acts for the mailbox, by its domain-wide delegation.
async fn google(cx: &Context<'_>, secret: Secret<'_>, mailbox: &str) -> Result<AccessToken, Failure> {
    let asked = Asked { scope: MAIL, subject: Some(mailbox) };
    cx.outside.tokens.google_token(secret.stored, secret.values, asked).await
}
