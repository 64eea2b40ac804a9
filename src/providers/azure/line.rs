//! A line to one of Azure's interfaces for the length of one scan: signs by the credential's token, waits as asked,
//! follows the pages of a list, and says what a refusal means. All of them name their pages and their errors alike.
//! Azure also counts down what is left (`x-ms-ratelimit-remaining-…`); only a 429 and its `Retry-After` are minded.
//! <https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md>,
//! <https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/request-limits-and-throttling>

use reqwest::header::{CONTENT_LENGTH, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tokio_util::sync::CancellationToken;

use super::Resource;
use crate::credentials;
use crate::credentials::azure::Payload;
use crate::form::Values;
use crate::providers::egress::{Answer, Egress, Tls};
use crate::providers::endpoints::{Endpoints, Service};
use crate::providers::oci_registry::{Entries, Lenient, Login, Next, Pages, Registry, Sign, list_or_null};
use crate::providers::patience::Observer;
use crate::providers::probe::{Finding, Verdict};
use crate::providers::tokens::{Stored, Tokens};
use crate::providers::{Failure, ProviderError, Sent, calls};

/// One of Azure's interfaces.
#[derive(Debug, PartialEq, Eq)]
pub struct Api {
    /// As people call it, within a sentence: `Azure`.
    pub name: &'static str,
    pub service: Service,
    pub resource: Resource,
}

/// What a call needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Right {
    pub api: &'static Api,
    /// `Microsoft.Web/sites/read`
    pub name: &'static str,
    /// How it is granted, as a sentence.
    pub remedy: &'static str,
}

/// Whose calls they are, and how they go out.
#[derive(Clone)]
pub struct Way<'a> {
    pub egress: &'a Egress,
    pub endpoints: &'a Endpoints,
    pub tokens: &'a Tokens,
    /// Of an Azure credential.
    pub values: &'a Values,
    pub stored: Option<Stored>,
    /// Cancelling it ends every call with [`ProviderError::Stopped`].
    pub stop: CancellationToken,
}

impl Way<'_> {
    /// A token that is good for five minutes at least.
    pub async fn token(&self, api: &Api) -> Result<SecretString, ProviderError> {
        let token = self.tokens.azure_token(self.stored, self.values, api.resource).await;
        Ok(token.map_err(ProviderError::SignIn)?.secret)
    }
}

pub struct Line<'a> {
    way: Way<'a>,
    api: &'static Api,
    /// The address of the vendor, without a slash at the end.
    vendor: &'static str,
    calls: Registry,
}

/// One page of a list.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Page<T> {
    #[serde(deserialize_with = "list_or_null")]
    value: Vec<Lenient<T>>,
    #[serde(default, rename = "nextLink", alias = "@odata.nextLink")]
    next_link: Option<String>,
}

impl<'a> Line<'a> {
    /// `observer` is told when the service makes the scan wait.
    pub async fn open(way: &Way<'a>, api: &'static Api, observer: Observer) -> Result<Self, ProviderError> {
        let payload: Payload = credentials::payload(way.values).ok_or(ProviderError::WrongCredential)?;
        let vendor = api.resource.address(payload.cloud());
        let address = way.endpoints.url(api.service, vendor, "/")?;
        let login = Login::Token(way.token(api).await?);
        let calls = Registry::new(way.egress.client(Tls::default())?, &address, login, way.stop.clone());
        Ok(Self { way: way.clone(), api, vendor, calls: calls.explaining(explained).telling(observer) })
    }

    /// The list at a path with its query: `subscriptions?api-version=2022-12-01`. Pages after the first may be missing:
    /// then the reason comes with the entries of those before.
    pub async fn list<T: DeserializeOwned>(
        &self,
        right: &'static Right,
        path: &str,
        pages: Pages,
    ) -> Result<Entries<T>, ProviderError> {
        self.calls.renew(&self.way.token(self.api).await?);
        let read = |answer: &Answer| {
            let page: Page<T> = answer.json()?;
            Ok((page.value, self.next(page.next_link)))
        };
        let (entries, rest) =
            self.calls.vendor_pages(path, Sign::Login, pages, read).await.map_err(|cause| needing(right, cause))?;
        Ok((entries, rest.map(|cause| needing(right, cause))))
    }

    /// A `GET` of one resource; `path` includes the query.
    pub async fn get(&self, right: &'static Right, path: &str) -> Result<Answer, ProviderError> {
        self.calls.renew(&self.way.token(self.api).await?);
        self.calls.vendor_get(path, Sign::Login).await.map_err(|cause| needing(right, cause))
    }

    /// A `POST` without a body, which Azure uses to return keys.
    pub async fn post(&self, right: &'static Right, path: &str) -> Result<Answer, ProviderError> {
        let url = self.way.endpoints.url(self.api.service, self.vendor, &format!("/{path}"))?;
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        if !calls::authorize(&mut request, "Bearer", self.way.token(self.api).await?.expose_secret()) {
            return Err(ProviderError::WrongCredential);
        }
        let client = self.way.egress.client(Tls::default())?;
        let call = calls::send(&client, request);
        let answer = self.way.stop.run_until_cancelled(call).await.unwrap_or(Err(ProviderError::Stopped))?;
        match explained(&answer) {
            Some(cause) => Err(cause),
            None => answer.accepted(Sent::Token).map_err(|cause| needing(right, cause)),
        }
    }

    /// Where the next page is. An address on the vendor's own host is asked for where the operator moved it to.
    fn next(&self, link: Option<String>) -> Next {
        let Some(link) = link.filter(|link| !link.is_empty()) else { return Next::End };
        let path = link.strip_prefix(self.vendor).filter(|path| path.starts_with('/'));
        Next::Address(path.map(str::to_owned).unwrap_or(link))
    }
}

/// The same refusal, with what the call needed.
fn needing(right: &'static Right, cause: ProviderError) -> ProviderError {
    if cause != ProviderError::Forbidden {
        return cause;
    }
    let sentence = format!("{} knows the credential, but does not allow {}.", right.api.name, right.name);
    ProviderError::SignIn(Finding::new(Verdict::Denied, sentence, right.remedy).into())
}

/// Whether a call failed since its right is missing.
pub fn is_denied(cause: &ProviderError) -> bool {
    has(cause, Verdict::Denied)
}

/// Whether a call failed since the subscription never used that part of Azure, so that it has nothing of it.
pub fn is_unused(cause: &ProviderError) -> bool {
    has(cause, Verdict::NotHere)
}

fn has(cause: &ProviderError, verdict: Verdict) -> bool {
    matches!(cause, ProviderError::SignIn(failure) if failure.verdict == verdict)
}

/// Code, verdict, what happened, and what to do.
type Meaning = (&'static str, Verdict, &'static str, &'static str);

/// <https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
const MEANINGS: [Meaning; 5] = [
    (
        "SubscriptionNotFound",
        Verdict::BadKey,
        "Azure does not know this subscription.",
        "Check its ID, and that it is in the cloud and the tenant of the credential.",
    ),
    (
        "InvalidSubscriptionId",
        Verdict::BadKey,
        "Azure does not take this for the ID of a subscription.",
        "Copy the ID from the Azure portal, Subscriptions.",
    ),
    (
        "InvalidAuthenticationTokenTenant",
        Verdict::BadKey,
        "the subscription belongs to another tenant than the credential.",
        "Choose a credential of that tenant, or leave the subscription out.",
    ),
    (
        "MissingSubscriptionRegistration",
        Verdict::NotHere,
        "the subscription never used this part of Azure.",
        "Leave it out, or register the resource provider in it.",
    ),
    (
        "SubscriptionNotRegistered",
        Verdict::NotHere,
        "the subscription never used this part of Azure.",
        "Leave it out, or register the resource provider in it.",
    ),
];

/// What a refusal means beyond its status, by its code; the text beside it is dropped.
fn explained(answer: &Answer) -> Option<ProviderError> {
    #[derive(Deserialize)]
    struct Refused {
        error: Body,
    }
    #[derive(Deserialize)]
    struct Body {
        code: String,
    }
    let refused = (400..500).contains(&answer.status).then(|| answer.json::<Refused>().ok()).flatten()?;
    let (_, verdict, sentence, remedy) = MEANINGS.iter().find(|(code, ..)| *code == refused.error.code)?;
    Some(ProviderError::SignIn(Failure::from(Finding::new(*verdict, *sentence, *remedy))))
}

/// A member that is missing, null or of another shape counts as its default: it costs itself alone.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(member: D) -> Result<T, D::Error> {
    Ok(match Option::<Lenient<T>>::deserialize(member)? {
        Some(Lenient::Read(value)) => value,
        Some(Lenient::Odd(_)) | None => T::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn means(status: u16, body: &Value) -> Option<Verdict> {
        let answer = Answer { status, headers: Default::default(), body: body.to_string().into_bytes() };
        match explained(&answer)? {
            ProviderError::SignIn(failure) => Some(failure.verdict),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_of_azure_is_told_by_its_code() {
        let of = |code: &str| json!({"error": {"code": code, "message": "words", "details": [{"code": "x"}]}});
        assert_eq!(means(404, &of("SubscriptionNotFound")), Some(Verdict::BadKey));
        assert_eq!(means(401, &of("InvalidAuthenticationTokenTenant")), Some(Verdict::BadKey));
        assert_eq!(means(409, &of("MissingSubscriptionRegistration")), Some(Verdict::NotHere));
        assert_eq!((means(403, &of("AuthorizationFailed")), means(500, &of("SubscriptionNotFound"))), (None, None));
        for odd in [json!({}), json!({"error": "no"}), json!({"error": {"code": null}}), json!([])] {
            assert_eq!(means(403, &odd), None, "{odd}");
        }
    }

    #[test]
    fn a_member_of_an_odd_shape_costs_itself_alone() {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(default, deserialize_with = "or_default")]
            name: String,
            #[serde(default, deserialize_with = "or_default")]
            number: i64,
        }
        let read = |text: &str| serde_json::from_str::<Entry>(text).map(|entry| (entry.name, entry.number)).unwrap();
        assert_eq!(read(r#"{"name": ["x"], "number": 7}"#), (String::new(), 7));
        assert_eq!(read(r#"{"name": "x", "number": null}"#), ("x".to_owned(), 0));
        assert_eq!(read("{}"), (String::new(), 0));
    }

    #[test]
    fn a_page_without_its_list_is_no_page() {
        let page = |text: &str| serde_json::from_str::<Page<String>>(text).map(|page| page.value.len());
        assert_eq!(page(r#"{"value": ["a", 7], "nextLink": null}"#).unwrap(), 2);
        assert_eq!(page(r#"{"value": null, "@odata.nextLink": "x"}"#).unwrap(), 0);
        assert!(page("{}").is_err());
    }
}
