//! A Kubernetes cluster, by our own reading of a kubeconfig: one client, whose every request goes to the one server
//! that the kubeconfig names. What is deployed there stands in the integrations.
//! <https://kubernetes.io/docs/reference/using-api/>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::try_join_all;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::calls;
use super::egress::{Answer, Client, Egress, Tls};
use super::probe::{Finding, Verdict};
use super::tls_faults::Form;
use super::{Failure, ProviderError, certificate, clock};
use crate::credentials::kubeconfig::{KIND, Kubeconfig, Login, Payload};
use crate::credentials::pem::Pair;
use crate::form::Values;

const WHO: &str = "the cluster";
/// All is entered in one document.
const FORM: Form = Form {
    authority: Some("in the kubeconfig, as certificate-authority-data"),
    client: Some("Put one that it trusts into the kubeconfig, as client-certificate-data and client-key-data."),
};

/// A cluster and a login to it. Certificates are with the client, a token or password goes into each request.
pub struct Cluster {
    client: Client,
    server: String,
    /// Scheme and value of the Authorization header.
    authorization: Option<(&'static str, Zeroizing<String>)>,
}

impl Cluster {
    pub fn new(config: &Kubeconfig, egress: &Egress) -> Result<Self, ProviderError> {
        let certificate = config.login.certificate();
        let identity = certificate.map(|pair| SecretString::from(pair.to_pem().to_string()));
        let authorization = match &config.login {
            Login::Token(token) | Login::CertificateAndToken(_, token) => {
                Some(("Bearer", Zeroizing::new(token.expose_secret().to_owned())))
            }
            Login::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
                Some(("Basic", Zeroizing::new(STANDARD.encode(pair.as_bytes()))))
            }
            Login::Certificate(_) => None,
        };
        let ca_certificates = config.authority.iter().cloned().collect();
        let client = egress.client(Tls { ca_certificates, identity, form: FORM })?;
        Ok(Self { client, server: config.server.trim_end_matches('/').to_owned(), authorization })
    }

    /// One request; any status is an answer. `path` begins with a slash.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, ProviderError> {
        let url = Url::parse(&format!("{}{path}", self.server)).map_err(|_| ProviderError::InvalidAddress)?;
        let mut request: Request = calls::get(url);
        *request.method_mut() = method;
        if let Some((scheme, secret)) = &self.authorization
            && !calls::authorize(&mut request, scheme, secret)
        {
            return Err(ProviderError::WrongCredential);
        }
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        calls::send(&self.client, request).await
    }

    /// Whether this login may do that, in all namespaces: a SelfSubjectAccessReview, which every login may create.
    /// <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/>
    pub async fn may(&self, verb: &str, group: &str, resource: &str) -> Result<bool, Answered> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": { "verb": verb, "group": group, "resource": resource } },
        });
        let answer = self.send(Method::POST, REVIEWS, Some(&review)).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(Answered::Otherwise(answer));
        }
        let review: Review = answer.json()?;
        Ok(review.status.allowed)
    }
}

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// A call that failed, or an answer that was not asked for.
pub enum Answered {
    Failed(ProviderError),
    Otherwise(Answer),
}

impl From<ProviderError> for Answered {
    fn from(error: ProviderError) -> Self {
        Self::Failed(error)
    }
}

#[derive(Deserialize)]
struct Review {
    status: ReviewStatus,
}

#[derive(Deserialize)]
struct ReviewStatus {
    allowed: bool,
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

/// What a deployment makes and removes: kind, group, resource.
const DEPLOYED: [(&str, &str, &str); 5] = [
    ("ClusterRole", "rbac.authorization.k8s.io", "clusterroles"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io", "clusterrolebindings"),
    ("DaemonSet", "apps", "daemonsets"),
    ("Secret", "", "secrets"),
    ("ServiceAccount", "", "serviceaccounts"),
];

/// The version of the cluster, and what the login may create and delete there. Nothing is created.
pub(super) async fn probe(values: &Values, egress: &Egress) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    let config = payload.kubeconfig;
    let expires_at = (KIND.examine)(values).ok().and_then(|facts| facts.expires_at);
    if let Some(summary) = config.login.certificate().and_then(Pair::summary) {
        let dates = certificate::dates(summary.not_before, summary.not_after);
        if dates.verdict != Verdict::Ok {
            return dates;
        }
    }
    let mut finding = match examine(&config, egress).await {
        Ok(finding) => finding,
        Err(Answered::Failed(error)) => calls::failed(&error, WHO).into(),
        Err(Answered::Otherwise(answer)) => explain(answer).into(),
    };
    let expired = expires_at.is_some_and(|expires_at| expires_at <= clock::now());
    if finding.verdict == Verdict::BadKey && expired {
        let remedy = "Create a new token for the service account and store the new kubeconfig.";
        finding = Finding::new(Verdict::Expired, "The token in the kubeconfig has expired.", remedy);
    }
    finding.expires_at = expires_at;
    finding
}

async fn examine(config: &Kubeconfig, egress: &Egress) -> Result<Finding, Answered> {
    let cluster = Cluster::new(config, egress)?;
    let answer = cluster.send(Method::GET, "/version", None).await?;
    // A cluster may keep its version to itself and still answer reviews.
    let version = match answer.status {
        200 => Some(answer.json::<Version>()?.git_version),
        403 => None,
        _ => return Err(Answered::Otherwise(answer)),
    };
    let reviews = DEPLOYED
        .iter()
        .flat_map(|(_, group, resource)| ["create", "delete"].map(|verb| cluster.may(verb, group, resource)));
    let allowed = try_join_all(reviews).await?;
    let rows = DEPLOYED.iter().zip(allowed.chunks(2)).map(|((kind, ..), allowed)| {
        let words = allowed.iter().map(|allowed| if *allowed { "Yes" } else { "No" }.to_owned());
        std::iter::once((*kind).to_owned()).chain(words).collect()
    });
    let mut finding = if allowed.iter().all(|allowed| *allowed) {
        Finding::ok("The cluster knows the login, and it may do all that a deployment needs.")
    } else {
        let mut finding = Finding::new(
            Verdict::Denied,
            "The cluster knows the login, but it may not do all that a deployment needs.",
            "Bind it to the ClusterRole below.",
        );
        // The guide's first snippet: the service account with its least role.
        finding
            .snippets
            .extend(KIND.guide.snippets.first().map(|(caption, text)| ((*caption).to_owned(), (*text).to_owned())));
        finding
    };
    finding.table = Some((vec!["Resource", "Create", "Delete"], rows.collect()));
    finding.facts.extend(version.and_then(|version| calls::shown(&version)).map(|version| ("Version", version)));
    Ok(finding)
}

pub(super) fn explain(answer: Answer) -> Failure {
    let (verdict, sentence, remedy) = match answer.status {
        401 => (
            Verdict::BadKey,
            "The cluster does not know this login.",
            "Create a new token or client certificate and store the new kubeconfig.",
        ),
        // Every known login may ask what it may do; a stranger may not.
        403 => (
            Verdict::Denied,
            "The cluster does not let this login ask what it may do.",
            "Check that the login is known there: a client certificate must be signed by the cluster's own authority.",
        ),
        404 => (
            Verdict::Unreachable,
            "There is no Kubernetes API at this address.",
            "Check the member server of the kubeconfig.",
        ),
        _ => return calls::unexplained(answer, WHO),
    };
    Failure::from(Finding::new(verdict, sentence, remedy))
}
