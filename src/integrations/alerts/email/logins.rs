//! How a credential of the store logs in at a mail server: by its user name and password, or by an access token for the
//! mailbox of the sender address (XOAUTH2).
//! <https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth>,
//! <https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>

use super::super::{Job, SendError, call};
use super::session::Login;
use crate::credentials::{self, azure, basic, gcp};
use crate::form::Values;
use crate::providers::azure::{Resource, token as azure_token};
use crate::providers::calls::AccessToken;
use crate::providers::gcp::{Asked, MAIL, token as google_token};

/// The login of the job's credential; none without one.
pub(super) async fn login(job: &Job<'_>) -> Result<Option<Login>, SendError> {
    let Some((kind, values)) = job.credential else { return Ok(None) };
    let user = job.settings.get("from").to_owned();
    let login = match kind.slug {
        "azure" => Login::Token { user, token: microsoft(job, values).await?.secret },
        "gcp" => {
            let token = google(job, values, &user).await?.secret;
            Login::Token { user, token }
        }
        _ => {
            let basic::Payload { username, password } = payload(values)?;
            Login::Password { user: username, password }
        }
    };
    Ok(Some(login))
}

fn payload<P: serde::de::DeserializeOwned>(values: &Values) -> Result<P, SendError> {
    let unfit = "The credential cannot be used here. Choose a Basic authentication, Azure or Google Cloud credential.";
    credentials::payload(values).ok_or_else(|| SendError::never(unfit))
}

async fn microsoft(job: &Job<'_>, values: &Values) -> Result<AccessToken, SendError> {
    let token = match job.kept() {
        Some(stored) => job.tokens.azure_token(stored, values, Resource::Outlook).await,
        None => {
            let payload: azure::Payload = payload(values)?;
            azure_token(&payload, Resource::Outlook, job.egress, job.endpoints).await
        }
    };
    token.map_err(|finding| call::found(&finding))
}

/// The service account acts for the mailbox, by its domain-wide delegation.
async fn google(job: &Job<'_>, values: &Values, mailbox: &str) -> Result<AccessToken, SendError> {
    let asked = Asked { scope: MAIL, subject: Some(mailbox) };
    let token = match job.kept() {
        Some(stored) => job.tokens.google_token(stored, values, asked).await,
        None => {
            let payload: gcp::Payload = payload(values)?;
            google_token(&payload.service_account, asked, job.egress, job.endpoints).await
        }
    };
    token.map_err(|finding| call::found(&finding))
}
