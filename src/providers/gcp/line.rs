//! A line to one of Google's APIs for the length of one scan: signs by the service account's token, waits as asked,
//! follows the pages of a list, and says what a refusal means.
//! <https://cloud.google.com/apis/design/errors>, <https://google.aip.dev/158>

use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tokio_util::sync::CancellationToken;

use super::{Api, CLOUD_PLATFORM, Refusal, Right, Why};
use crate::form::Values;
use crate::providers::ProviderError;
use crate::providers::egress::{Answer, Egress, Tls};
use crate::providers::endpoints::{Endpoints, Service};
use crate::providers::oci_registry::{Lenient, Login, Next, Pages, Registry, Sign};
use crate::providers::patience::Observer;
use crate::providers::tokens::{Stored, Tokens};

/// Whose calls they are, and how they go out.
#[derive(Clone)]
pub struct Way<'a> {
    pub egress: &'a Egress,
    pub endpoints: &'a Endpoints,
    pub tokens: &'a Tokens,
    /// Of a Google Cloud credential.
    pub values: &'a Values,
    pub stored: Option<Stored>,
    /// Cancelling it ends every call with [`ProviderError::Stopped`].
    pub stop: CancellationToken,
}

impl Way<'_> {
    /// A token that is good for five minutes at least.
    pub async fn token(&self) -> Result<secrecy::SecretString, ProviderError> {
        let token = self.tokens.google_token(self.stored, self.values, CLOUD_PLATFORM).await;
        Ok(token.map_err(ProviderError::SignIn)?.secret)
    }
}

pub struct Line<'a> {
    way: Way<'a>,
    calls: Registry,
}

/// One page of a list, as its API writes it.
pub trait Page: DeserializeOwned {
    type Entry;

    /// The entries, the token of the next page, and the locations that could not be asked.
    fn parts(self) -> (Vec<Lenient<Self::Entry>>, Option<String>, Vec<String>);
}

/// A list, as far as it could be read.
#[derive(Debug)]
pub struct Listed<T> {
    pub entries: Vec<T>,
    /// Locations of which the list has nothing, since Google could not ask them: `europe-west3`.
    pub unreachable: Vec<String>,
    /// Why there are no more, if there should be.
    pub rest: Option<ProviderError>,
}

impl<T> Listed<T> {
    /// The entries that `read` finds good; one that is not makes the list incomplete.
    pub(super) fn checked<U>(self, read: impl FnMut(T) -> Option<U>) -> Listed<U> {
        let known = self.entries.len();
        let entries: Vec<U> = self.entries.into_iter().filter_map(read).collect();
        let odd = (entries.len() < known).then_some(ProviderError::BadAnswer);
        Listed { entries, unreachable: self.unreachable, rest: self.rest.or(odd) }
    }
}

impl<'a> Line<'a> {
    /// `observer` is told when the API makes the scan wait.
    pub async fn open(
        way: &Way<'a>,
        service: Service,
        api: &'static Api,
        observer: Observer,
    ) -> Result<Self, ProviderError> {
        let address = way.endpoints.url(service, &format!("https://{}", api.host), "/")?;
        let login = Login::Token(way.token().await?);
        let calls = Registry::new(way.egress.client(Tls::default())?, &address, login, way.stop.clone());
        Ok(Self { way: way.clone(), calls: calls.explaining(explained).telling(observer) })
    }

    /// A `GET` of one resource: `v1/projects/p/locations/l/clusters/c`.
    pub async fn get(&self, right: &'static Right, path: &str) -> Result<Answer, ProviderError> {
        self.calls.renew(&self.way.token().await?);
        self.calls.vendor_get(path, Sign::Login).await.map_err(|cause| needing(right, cause))
    }

    /// The list at a path with its query: `v2/projects/p/locations/-/functions?pageSize=100`.
    pub async fn list<P: Page>(
        &self,
        right: &'static Right,
        path: &str,
        pages: Pages,
    ) -> Result<Listed<P::Entry>, ProviderError> {
        self.calls.renew(&self.way.token().await?);
        let unreachable = Mutex::new(Vec::new());
        let read = |answer: &Answer| {
            let (entries, next, missing) = answer.json::<P>()?.parts();
            unreachable
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(missing.iter().filter_map(|text| location(text)));
            Ok((entries, Next::parameter("pageToken", next)))
        };
        let listed = self.calls.vendor_pages(path, Sign::Login, pages, read).await;
        let (entries, rest) = listed.map_err(|cause| needing(right, cause))?;
        let mut unreachable = unreachable.into_inner().unwrap_or_else(PoisonError::into_inner);
        unreachable.sort();
        unreachable.dedup();
        Ok(Listed { entries, unreachable, rest: rest.map(|cause| needing(right, cause)) })
    }
}

/// The name of a location, of `europe-west3` or of `projects/p/locations/europe-west3`.
fn location(text: &str) -> Option<String> {
    let name = text.rsplit('/').next().unwrap_or_default();
    is_location(name).then(|| name.to_owned())
}

/// A region or a zone, as Google names them.
pub(super) fn is_location(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The same refusal, with what the call needed.
fn needing(right: &'static Right, cause: ProviderError) -> ProviderError {
    match cause {
        ProviderError::Google(refusal) => ProviderError::Google(Refusal { right, ..refusal }),
        ProviderError::Forbidden => ProviderError::Google(Refusal { why: Why::Denied, right }),
        cause => cause,
    }
}

/// Stands in a refusal until the call says what it needed.
static ANY: Right = Right { api: &Api { name: "API", host: "" }, permission: "", role: "" };

/// What a 403 means beyond a missing permission. Only Google's own words for causes are read, never its sentences.
fn explained(answer: &Answer) -> Option<ProviderError> {
    #[derive(Deserialize)]
    struct Refused {
        error: Body,
    }
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "or_default")]
        details: Vec<Lenient<Detail>>,
    }
    #[derive(Deserialize)]
    struct Detail {
        reason: String,
        #[serde(default, deserialize_with = "or_default")]
        metadata: Metadata,
    }
    #[derive(Default, Deserialize)]
    struct Metadata {
        #[serde(default, deserialize_with = "or_default")]
        consumer: String,
    }
    let refused = (answer.status == 403).then(|| answer.json::<Refused>().ok()).flatten()?;
    let why = refused.error.details.into_iter().find_map(|detail| match detail {
        Lenient::Read(Detail { reason, metadata }) => match reason.as_str() {
            "SERVICE_DISABLED" => Some(Why::ApiOff { consumer: metadata.consumer }),
            "SECURITY_POLICY_VIOLATED" => Some(Why::Perimeter),
            "BILLING_DISABLED" => Some(Why::NoBilling),
            _ => None,
        },
        Lenient::Odd(_) => None,
    })?;
    Some(ProviderError::Google(Refusal { why, right: &ANY }))
}

/// A member that is missing or null counts as its default.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(member: D) -> Result<T, D::Error> {
    Option::deserialize(member).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    static LISTS: Right =
        Right { api: &Api { name: "Things API", host: "things.example" }, permission: "things.list", role: "Viewer" };

    fn means(status: u16, body: &Value) -> Option<Why> {
        let answer = Answer { status, headers: Default::default(), body: body.to_string().into_bytes() };
        match explained(&answer)? {
            ProviderError::Google(refusal) => Some(refusal.why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_of_google_is_told_by_its_reason() {
        let of = |reason: &str| {
            let metadata = json!({"service": "run.googleapis.com", "consumer": "projects/12"});
            json!({"error": {"code": 403, "message": "words", "status": "PERMISSION_DENIED",
                "details": [{"@type": "Help", "links": []}, {"reason": reason, "metadata": metadata}]}})
        };
        assert_eq!(means(403, &of("SERVICE_DISABLED")), Some(Why::ApiOff { consumer: "projects/12".to_owned() }));
        assert_eq!(means(403, &of("SECURITY_POLICY_VIOLATED")), Some(Why::Perimeter));
        assert_eq!(means(403, &of("BILLING_DISABLED")), Some(Why::NoBilling));
        assert_eq!((means(403, &of("IAM_PERMISSION_DENIED")), means(404, &of("SERVICE_DISABLED"))), (None, None));
        for odd in [json!({}), json!({"error": "no"}), json!({"error": {"details": null}}), json!([])] {
            assert_eq!(means(403, &odd), None, "{odd}");
        }
        let said = needing(&LISTS, ProviderError::Forbidden).sentence("Google");
        assert!(said.starts_with("the service account lacks the permission things.list there"), "{said}");
    }

    #[test]
    fn a_location_is_named_with_or_without_its_project() {
        let named = |text: &str| location(text);
        assert_eq!(named("projects/p/locations/europe-west3").as_deref(), Some("europe-west3"));
        assert_eq!(named("us-central1-a").as_deref(), Some("us-central1-a"));
        assert_eq!((named(""), named("projects/p/locations/<b>")), (None, None));
    }
}
