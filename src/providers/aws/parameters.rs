//! The Parameter Store of AWS Systems Manager: the names of the parameters of a region, and the values of some, ten a
//! call. <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>

use serde::Deserialize;
use serde_json::json;
use zeroize::{Zeroize, Zeroizing};

use super::held::{Answers, Content, Held, Unread};
use super::lists::{Listed, listed};
use super::secrets_manager::is_denied;
use super::{Body, Call, Region, Service, SignedCalls};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

/// It knows no resources.
pub const LIST: &str = "ssm:DescribeParameters";
/// On each parameter.
pub const GET: &str = "ssm:GetParameters";

static SERVICE: Service = Service::regional("ssm", "SSM");

/// Entries on a page, and values of one call, the most that AWS gives.
const PAGE: u32 = 50;
const AT_ONCE: usize = 10;

/// A parameter as the list has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Parameter {
    pub name: String,
    /// `String`, `StringList`, `SecureString`
    #[serde(default)]
    pub r#type: String,
    pub version: Option<i64>,
    /// Seconds of the Unix clock, with a fraction.
    pub last_modified_date: Option<f64>,
}

/// The parameters of a region. Pages after the first may be missing.
pub async fn parameters(
    calls: &SignedCalls,
    region: &Region,
    pages: Pages,
) -> Result<Listed<Parameter>, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Page {
        parameters: Vec<Lenient<Parameter>>,
        next_token: Option<String>,
    }
    listed(pages, |token| async move {
        let mut body = json!({ "MaxResults": PAGE });
        if let Some(token) = token {
            body["NextToken"] = token.into();
        }
        let call = Call::post(&SERVICE, LIST, "/", Body::Target("AmazonSSM.DescribeParameters", &body));
        let page: Page = calls.ask(region, &call).await?.json()?;
        Ok((page.parameters, page.next_token))
    })
    .await
}

/// The current values of parameters, decrypted, in order. A name without its leading slash finds the one with it, too:
/// both have the same ARN, so AWS has one of them at most.
pub async fn values(calls: &SignedCalls, region: &Region, names: &[&str]) -> Answers {
    let mut answers = Vec::with_capacity(names.len());
    // Two spellings of one without a path.
    for some in names.chunks(AT_ONCE / 2) {
        match get(calls, region, some).await {
            Ok(found) => answers.extend(some.iter().map(|name| found.of(name))),
            // One that may not be read denies them all.
            Err(cause) if is_denied(&cause) && some.len() > 1 => {
                for name in some {
                    answers.push(one(calls, region, name).await);
                }
            }
            Err(cause) => answers.extend(some.iter().map(|_| Err(unread(&cause)))),
        }
    }
    answers
}

async fn one(calls: &SignedCalls, region: &Region, name: &str) -> Result<Held, Unread> {
    get(calls, region, &[name]).await.map_err(|cause| unread(&cause))?.of(name)
}

fn unread(cause: &ProviderError) -> Unread {
    if is_denied(cause) { Unread::Denied } else { Unread::Failed(cause.clone()) }
}

/// `/prod/db` of `prod/db`; of `plain` both spellings.
fn spellings(name: &str) -> Vec<String> {
    let with = format!("/{name}");
    if name.contains('/') { vec![with] } else { vec![name.to_owned(), with] }
}

async fn get(calls: &SignedCalls, region: &Region, names: &[&str]) -> Result<Found, ProviderError> {
    let names: Vec<String> = names.iter().flat_map(|name| spellings(name)).collect();
    let body = json!({ "Names": names, "WithDecryption": true });
    let call = Call::post(&SERVICE, GET, "/", Body::Target("AmazonSSM.GetParameters", &body));
    let mut answer = calls.ask(region, &call).await?;
    let found = answer.json();
    answer.body.zeroize();
    found
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    #[serde(default)]
    parameters: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    name: String,
    value: Zeroizing<String>,
    version: Option<i64>,
}

impl Found {
    fn of(&self, name: &str) -> Result<Held, Unread> {
        let found = self.parameters.iter().find(|found| found.name.trim_start_matches('/') == name);
        let found = found.ok_or(Unread::Failed(ProviderError::NotFound))?;
        let version = found.version.map(|version| version.to_string()).unwrap_or_default();
        Ok(Held { content: Content::Text(found.value.clone()), version })
    }
}
