//! Reads and writes objects: server-side apply, create, delete with a precondition, and bounded lists. Every call is
//! safe to repeat, so it is retried after a network failure or if the server is busy.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::Cluster;
use super::kinds::{Kind, NODE};
use super::refusal::{ApiError, judged};
use crate::providers::egress::{Answer, BODY_LIMIT, LIST_LIMIT};
use crate::providers::patience::{Patience, Pause};
use crate::providers::{ProviderError, calls};

/// Our name as field manager.
pub const FIELD_MANAGER: &str = "strongroom";

/// Most bytes of an object. More than for other answers, since somebody else's object may be large.
const OBJECT_LIMIT: usize = 2 * BODY_LIMIT;
const PAGE_SIZE: usize = 250;
/// Page size for nodes, which are large: each lists its images.
const SMALL_PAGE_SIZE: usize = 100;
/// Most pages of a list: enough for 5,000 nodes, the most that Kubernetes supports.
const MOST_PAGES: usize = 50;

/// Most bytes of all pages of a list.
const MOST_BYTES: usize = 96 * BODY_LIMIT;
const LIST_PATIENCE: Duration = Duration::from_secs(120);

const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Most attempts of a call.
const ATTEMPTS: u32 = 5;
/// Most attempts if there is no answer at all.
const SILENT_ATTEMPTS: u32 = 3;

/// How an object is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apply {
    /// Takes over fields from other managers.
    pub is_forced: bool,
    /// A dry run: nothing is stored.
    pub is_dry: bool,
}

/// The entries of a list that were read.
#[derive(Debug)]
pub struct Objects<T> {
    pub items: Vec<T>,
    /// There are more than Strongroom's limits allow to read.
    pub has_more: bool,
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
    #[serde(default)]
    metadata: PageMetadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PageMetadata {
    #[serde(rename = "continue")]
    next: String,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

impl Cluster {
    /// `v1.36.2`; `None` if the cluster does not report it.
    pub async fn version(&self) -> Result<Option<String>, ApiError> {
        match self.ask(Method::GET, "/version", None, BODY_LIMIT).await {
            Ok(answer) => Ok(calls::shown(&answer.json::<Version>()?.git_version)),
            Err(error) if error.is_forbidden() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads an object; `None` if it does not exist.
    pub async fn find(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Value>, ApiError> {
        match self.ask(Method::GET, &path(kind, namespace, name)?, None, OBJECT_LIMIT).await {
            Ok(answer) => Ok(Some(answer.json()?)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Server-side apply. Returns the resulting object, also for a dry run.
    pub async fn apply(&self, kind: &Kind, body: &Value, how: Apply) -> Result<Value, ApiError> {
        let text = |member: &str| body["metadata"][member].as_str().unwrap_or_default();
        let path = path(kind, text("namespace"), text("name"))?;
        let force = if how.is_forced { "&force=true" } else { "" };
        let dry = if how.is_dry { "&dryRun=All" } else { "" };
        let query = format!("{path}?fieldManager={FIELD_MANAGER}{force}{dry}");
        Ok(self.ask(Method::PATCH, &query, Some((APPLY, body)), OBJECT_LIMIT).await?.json()?)
    }

    /// Changes an object by a merge patch (RFC 7396).
    pub async fn merge(&self, kind: &Kind, namespace: &str, name: &str, patch: &Value) -> Result<Value, ApiError> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", path(kind, namespace, name)?);
        Ok(self.ask(Method::PATCH, &path, Some((MERGE, patch)), OBJECT_LIMIT).await?.json()?)
    }

    /// Creates a new object.
    pub async fn create(&self, kind: &Kind, namespace: &str, body: &Value) -> Result<Value, ApiError> {
        let path = format!("{}?fieldManager={FIELD_MANAGER}", kind.list_path(namespace));
        Ok(self.ask(Method::POST, &path, Some((JSON, body)), OBJECT_LIMIT).await?.json()?)
    }

    /// Deletes the object only if it has this UID. Succeeds if it is already gone.
    pub async fn delete(&self, kind: &Kind, namespace: &str, name: &str, uid: &str) -> Result<(), ApiError> {
        let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
        let path = path(kind, namespace, name)?;
        match self.ask(Method::DELETE, &path, Some((JSON, &options)), OBJECT_LIMIT).await {
            Err(error) if !error.is_missing() => Err(error),
            _ => Ok(()),
        }
    }

    /// Lists the objects that match a label selector; blank for all. Bounded in pages, bytes and time.
    pub async fn list<T: DeserializeOwned>(
        &self,
        kind: &Kind,
        namespace: &str,
        selector: &str,
    ) -> Result<Objects<T>, ApiError> {
        let late = |_| -> Result<Objects<T>, ApiError> {
            let url = Url::parse(&self.server).map_err(|_| ProviderError::InvalidAddress)?;
            Err(ProviderError::Timeout { host: url.host_str().unwrap_or_default().to_owned() }.into())
        };
        tokio::time::timeout(LIST_PATIENCE, self.pages(kind, namespace, selector)).await.unwrap_or_else(late)
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        kind: &Kind,
        namespace: &str,
        selector: &str,
    ) -> Result<Objects<T>, ApiError> {
        let (mut items, mut next, mut seen, mut read) = (Vec::new(), String::new(), Vec::new(), 0);
        for _ in 0..MOST_PAGES {
            let path = format!("{}?{}", kind.list_path(namespace), page(kind, selector, &next));
            let answer = self.ask(Method::GET, &path, None, LIST_LIMIT).await?;
            read += answer.body.len();
            if read > MOST_BYTES {
                return Err(ProviderError::TooLarge.into());
            }
            let page: Page<T> = answer.json()?;
            items.extend(page.items);
            if page.metadata.next.is_empty() {
                return Ok(Objects { items, has_more: false });
            }
            // A continue token that repeats would never end.
            if seen.contains(&page.metadata.next) {
                return Err(ProviderError::BadAnswer.into());
            }
            seen.push(std::mem::replace(&mut next, page.metadata.next));
        }
        Ok(Objects { items, has_more: true })
    }

    /// Whether the login may use the verb on this kind in the namespace.
    pub async fn is_allowed(&self, verb: &str, kind: &Kind, namespace: &str) -> Result<bool, ApiError> {
        self.is_allowed_for(verb, kind, namespace, "").await
    }

    /// The same for one object; a blank name for all.
    pub async fn is_allowed_for(&self, verb: &str, kind: &Kind, namespace: &str, name: &str) -> Result<bool, ApiError> {
        let mut review = super::review(verb, kind, namespace);
        if !name.is_empty() {
            review["spec"]["resourceAttributes"]["name"] = json!(name);
        }
        let answer = self.ask(Method::POST, super::REVIEWS, Some((JSON, &review)), BODY_LIMIT).await?;
        let review: super::Review = answer.json()?;
        Ok(review.status.allowed)
    }

    /// Sends a call, and retries it while that may help.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, &Value)>,
        limit: usize,
    ) -> Result<Answer, ApiError> {
        let patience = Patience::new(LONGEST_PAUSE * 2);
        let again = |result: &Result<Answer, ApiError>, answers| {
            let error = result.as_ref().err().filter(|error| error.may_pass())?;
            let (most, asked) = match error {
                ApiError::Call(ProviderError::Throttled { retry_after }) => (ATTEMPTS, *retry_after),
                ApiError::Call(ProviderError::ServerError { .. }) | ApiError::Refused(_) => (ATTEMPTS, None),
                ApiError::Call(_) => (SILENT_ATTEMPTS, None),
            };
            let pause = Pause::after(answers, asked.map(Duration::from_secs), FIRST_PAUSE);
            (answers < most && pause.length <= LONGEST_PAUSE).then_some(pause)
        };
        patience.ask(|| self.ask_once(method.clone(), path, body, limit), again).await
    }

    async fn ask_once(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, &Value)>,
        limit: usize,
    ) -> Result<Answer, ApiError> {
        let mut request = self.request(method, path)?;
        if let Some((content_type, body)) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            *request.body_mut() = Some(body.to_string().into());
        }
        if limit > OBJECT_LIMIT {
            self.client.allow_time(&mut request);
        }
        judged(self.client.send(request, limit).await?)
    }

    /// A request with the login's header. `path` starts with a slash.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<Request, ProviderError> {
        let url = Url::parse(&format!("{}{path}", self.server)).map_err(|_| ProviderError::InvalidAddress)?;
        let mut request = calls::get(url);
        *request.method_mut() = method;
        if let Some((scheme, secret)) = &self.authorization
            && !calls::authorize(&mut request, scheme, secret)
        {
            return Err(ProviderError::WrongCredential);
        }
        Ok(request)
    }
}

/// The query string for one page of a list.
fn page(kind: &Kind, selector: &str, next: &str) -> String {
    let size = if *kind == NODE { SMALL_PAGE_SIZE } else { PAGE_SIZE }.to_string();
    let pairs = [("limit", size.as_str()), ("labelSelector", selector), ("continue", next)];
    let filled = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(filled).finish()
}

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

fn path(kind: &Kind, namespace: &str, name: &str) -> Result<String, ProviderError> {
    kind.path(namespace, name).ok_or(ProviderError::InvalidAddress)
}
