//! IBM Cloud IAM: an API key becomes an access token. What is done with the token stands in the integrations.
//! <https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey>

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::calls::{self, AccessToken, Outcome};
use super::egress::{Answer, Egress, Tls};
use super::endpoints::{Endpoints, Service};
use super::probe::{Finding, Verdict};
use super::{Failure, ProviderError, clock, jwt};
use crate::credentials::checks;
use crate::credentials::ibm_cloud::Payload;
use crate::form::Values;

const WHO: &str = "IBM Cloud IAM";

/// A token; of one's own making each time, see [`super::sessions`] for keeping it.
pub async fn token(payload: &Payload, egress: &Egress, endpoints: &Endpoints) -> Outcome<AccessToken> {
    let request = || {
        let url = endpoints.url(Service::IbmIam, "https://iam.cloud.ibm.com", "/identity/token")?;
        let fields =
            [("grant_type", "urn:ibm:params:oauth:grant-type:apikey"), ("apikey", payload.api_key.expose_secret())];
        Ok((egress.client(Tls::default())?, calls::form(url, &fields)))
    };
    let (http, request) = request().map_err(|error: ProviderError| calls::failed(&error, WHO))?;
    let answer = calls::send(&http, request).await.map_err(|error| calls::failed(&error, WHO))?;
    if answer.status == 200 { calls::token(&answer, WHO) } else { Err(explain(answer)) }
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "errorCode")]
    code: String,
}

/// What it refuses, for the help.
pub(super) fn known_refusals() -> Vec<Failure> {
    ["BXNIM0415E", ""].map(|code| explain(Answer::made_up(400, &format!("{{\"errorCode\":\"{code}\"}}")))).into()
}

fn explain(answer: Answer) -> Failure {
    if !matches!(answer.status, 400 | 401 | 403) {
        return calls::unexplained(answer, WHO);
    }
    let skew = clock::skew(&answer);
    let Ok(refusal) = answer.json::<Refusal>() else { return calls::failed(&ProviderError::BadAnswer, WHO) };
    let mut finding = match refusal.code.as_str() {
        "BXNIM0415E" => Finding::new(
            Verdict::BadKey,
            "IBM Cloud does not know this API key.",
            "It may have been deleted. Create a new one for the service ID and store it here.",
        ),
        _ => Finding::new(
            Verdict::BadKey,
            "IBM Cloud refused this API key.",
            "Check that it was copied whole and is neither locked nor disabled. If in doubt, create a new one.",
        ),
    };
    if let Some(skew) = skew {
        finding.remedy = format!("{skew}: set it first, then test again. {}", finding.remedy);
    }
    Failure::from(finding)
}

/// A token, and whose it is. A key of another account works, and is warned of: calls that name the account will fail.
pub(super) async fn probe(values: &Values, egress: &Egress, endpoints: &Endpoints) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    let token = match token(&payload, egress, endpoints).await {
        Ok(token) => token,
        Err(finding) => return finding.into(),
    };
    let claims = jwt::claims(token.secret.expose_secret());
    let mut finding = Finding::ok("IBM Cloud gave a token.");
    let lines = [("Account", "/account/bss"), ("Identity", "/iam_id"), ("Name", "/name")];
    finding.facts.extend(lines.into_iter().filter_map(|(label, at)| Some((label, jwt::claim(&claims, at)?))));
    let account = jwt::claim(&claims, "/account/bss").and_then(|account| checks::guid(&account).ok());
    if account.is_some_and(|account| account != payload.account_guid) {
        finding.sentence = "The API key works, but belongs to another account than the Account GUID.".to_owned();
        finding.remedy = "Correct the Account GUID, or enter a key of that account.".to_owned();
    }
    finding
}
