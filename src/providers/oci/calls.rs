//! The signed calls of one scan of Oracle Cloud: they share a key, an HTTP client, a region and what the scan waits for a
//! busy service in all. <https://docs.oracle.com/en-us/iaas/Content/API/Concepts/usingapi.htm>

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::{domain_of, explain, sign};
use crate::credentials::oci::Payload;
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::egress::{Answer, Client, Egress, LIST_LIMIT, Tls};
use crate::providers::endpoints::{Endpoints, Service};
use crate::providers::oci_registry::{Entries, Lenient, Pages};
use crate::providers::patience::{MOST_WAITING, Observer, Patience, Pause, retry_after};
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Sent, calls};

/// A call that is throttled is made this often in all, unless the service asks for other pauses, and one that fails by a
/// fault this often.
const THROTTLED_ATTEMPTS: u32 = 6;
const FAULT_ATTEMPTS: u32 = 3;
const THROTTLED_PAUSE: Duration = Duration::from_secs(1);
const FAULT_PAUSE: Duration = Duration::from_millis(250);

/// Bounds of one list.
const MAX_PAGES: usize = 1000;
const MAX_ENTRIES: usize = 200_000;
/// Longest page token that is sent back, in bytes.
const MAX_TOKEN: usize = 8_192;

/// The calls of one scan, in one region.
pub struct Calls<'a> {
    client: Client,
    payload: Arc<Payload>,
    region: String,
    endpoints: &'a Endpoints,
    patience: Arc<Patience>,
}

/// A service of Oracle's in a region.
#[derive(Clone, Copy)]
pub struct Api {
    pub service: Service,
    /// `artifacts` of `artifacts.eu-frankfurt-1.oci.oraclecloud.com`.
    pub name: &'static str,
    /// What a group needs for the calls: `read repos`.
    pub right: &'static str,
}

impl<'a> Calls<'a> {
    pub fn new(
        payload: Payload,
        region: &str,
        egress: &Egress,
        endpoints: &'a Endpoints,
    ) -> Result<Self, ProviderError> {
        let client = egress.client(Tls::default())?;
        let (payload, patience) = (Arc::new(payload), Arc::new(Patience::new(MOST_WAITING)));
        Ok(Self { client, payload, region: region.to_owned(), endpoints, patience })
    }

    /// The same, telling when all calls wait.
    #[must_use]
    pub fn told_to(self, observer: Observer) -> Self {
        Self { patience: Arc::new(Patience::new(MOST_WAITING).told_to(observer)), ..self }
    }

    /// The same calls in another region.
    pub fn in_region(&self, region: &str) -> Self {
        let (client, payload, patience) = (self.client.clone(), Arc::clone(&self.payload), Arc::clone(&self.patience));
        Self { client, payload, region: region.to_owned(), endpoints: self.endpoints, patience }
    }

    pub fn tenancy(&self) -> &str {
        &self.payload.tenancy_ocid
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    pub fn endpoints(&self) -> &Endpoints {
        self.endpoints
    }

    /// The address of a path; `None` for a realm whose hosts are not known and that the operator has not named.
    pub fn at(&self, api: Api, path: &str) -> Option<Url> {
        let vendor = match (domain_of(&self.payload.tenancy_ocid), self.endpoints.moved(api.service)) {
            (Some(domain), _) => format!("https://{}.{}.oci.{domain}", api.name, self.region),
            (None, Some(_)) => String::new(),
            (None, None) => return None,
        };
        self.endpoints.url(api.service, &vendor, path).ok()
    }

    /// One answer of a service, if it is a success.
    pub async fn get(&self, api: Api, path: &str) -> Result<Answer, ProviderError> {
        let url = self.at(api, path).ok_or(ProviderError::InvalidAddress)?;
        self.ask(&url, api.right).await
    }

    /// The answer if it is a success, after having asked again while the service was busy or out of order.
    pub async fn ask(&self, url: &Url, right: &'static str) -> Result<Answer, ProviderError> {
        let once = || async {
            let mut request = calls::get(url.clone());
            sign(&mut request, &self.payload)?;
            let answer = self.client.send(request, LIST_LIMIT).await?;
            if (200..300).contains(&answer.status) { Ok(answer) } else { Err(refused(answer, right)) }
        };
        self.patience.ask(once, again).await
    }

    /// A list over several pages, which the header `opc-next-page` leads on. `read` gives the entries of one. Pages after
    /// the first may be missing.
    pub async fn list<T>(
        &self,
        api: Api,
        path: &str,
        pages: Pages,
        read: fn(&Answer) -> Result<Vec<Lenient<T>>, ProviderError>,
    ) -> Result<Entries<T>, ProviderError> {
        let first = self.at(api, path).ok_or(ProviderError::InvalidAddress)?;
        let (mut url, mut found, mut tokens, mut odd) = (first.clone(), Vec::new(), HashSet::new(), None);
        for number in 0..MAX_PAGES {
            let page = self.ask(&url, api.right).await.and_then(|answer| Ok((read(&answer)?, answer)));
            let (entries, answer) = match page {
                Ok(page) => page,
                Err(cause) if number == 0 => return Err(cause),
                Err(cause) => return Ok((found, Some(cause))),
            };
            for entry in entries {
                match entry {
                    Lenient::Read(entry) => found.push(entry),
                    Lenient::Odd(_) => odd = Some(BadAnswer),
                }
            }
            let token = answer.header("opc-next-page").filter(|token| !token.is_empty() && pages == Pages::All);
            let Some(token) = token else { return Ok((found, odd)) };
            if found.len() >= MAX_ENTRIES {
                break;
            }
            // Pages that lead in a circle have no end.
            if token.len() > MAX_TOKEN || !tokens.insert(token.to_owned()) {
                return Ok((found, Some(BadAnswer)));
            }
            url = first.clone();
            url.query_pairs_mut().append_pair("page", token);
        }
        Ok((found, Some(ProviderError::TooLarge)))
    }
}

/// Oracle limits calls by user and tenancy: all tasks wait.
fn again(result: &Result<Answer, ProviderError>, answers: u32) -> Option<Pause> {
    match result {
        Err(ProviderError::Throttled { retry_after }) if answers < THROTTLED_ATTEMPTS => {
            let asked = retry_after.map(Duration::from_secs);
            Some(Pause::after(answers, asked, THROTTLED_PAUSE).of_all(true))
        }
        Err(ProviderError::ServerError { .. } | ProviderError::Dropped { .. } | ProviderError::Broken { .. })
            if answers < FAULT_ATTEMPTS =>
        {
            Some(Pause::after(answers, None, FAULT_PAUSE))
        }
        _ => None,
    }
}

/// What a refusal means: its status and its code, never its message.
/// <https://docs.oracle.com/en-us/iaas/Content/API/References/apierrors.htm>
fn refused(answer: Answer, right: &'static str) -> ProviderError {
    #[derive(Default, Deserialize)]
    struct Body {
        code: String,
    }
    let code = answer.json::<Body>().unwrap_or_default().code;
    match (answer.status, code.as_str()) {
        (401, _) => ProviderError::SignIn(explain(answer, false)),
        (404, "NotAuthorizedOrNotFound") | (403, _) => ProviderError::SignIn(denied(right).into()),
        (429, _) => ProviderError::Throttled { retry_after: retry_after(&answer).map(|pause| pause.as_secs()) },
        _ => answer.accepted(Sent::Token).err().unwrap_or(BadAnswer),
    }
}

/// Oracle does not tell a missing right from a missing thing, and so it is said.
fn denied(right: &str) -> Finding {
    let mut finding = Finding::new(
        Verdict::Denied,
        "Oracle Cloud says that what was asked for does not exist, or that the user may not see it; it does not say which.",
        format!(
            "Check the region and the OCID of the compartment, and whether the policy of the user's group has: Allow \
             group strongroom to {right} in tenancy."
        ),
    );
    let statement = format!("Allow group strongroom to {right} in tenancy");
    finding.snippets.push(("Policy of the group".to_owned(), statement));
    finding
}
