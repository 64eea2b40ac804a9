//! A client for one Kubernetes cluster. It sends every request to the one server that the kubeconfig, or the cloud,
//! names. The credential's *Test* is in [`mod@probe`]; deployments are in `integrations::deployments`.
//! <https://kubernetes.io/docs/reference/using-api/>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use self::kinds::Kind;
use super::ProviderError;
use super::calls;
use super::egress::{Answer, Client, Egress, Tls};
use super::tls_faults::Form;
use crate::credentials::kubeconfig::{Kubeconfig, Login};

pub mod kinds;
mod objects;
mod probe;
mod refusal;
mod rights;
mod token;

pub use objects::{Apply, FIELD_MANAGER, Objects};
pub(super) use probe::{explain, probe};
pub use refusal::{ApiError, Owned, Refusal};
pub use token::Asked;

/// How sentences name the service, see [`ProviderError::sentence`].
pub const WHO: &str = "the cluster";
/// The kubeconfig is the only field, so remedies name members of it.
const FORM: Form = Form {
    authority: Some("in the kubeconfig, as certificate-authority-data"),
    client: Some("Put one that it trusts into the kubeconfig, as client-certificate-data and client-key-data."),
};

/// A cluster and a login. Certificates belong to the client; a token or password is sent with each request.
pub struct Cluster {
    client: Client,
    server: String,
    /// The value of the Authorization header, with its scheme.
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

    /// A cluster whose server, certificate authority (PEM) and token come from a cloud.
    pub fn with_token(
        server: &str,
        authority: Option<String>,
        token: &SecretString,
        egress: &Egress,
    ) -> Result<Self, ProviderError> {
        let ca_certificates = authority.into_iter().collect();
        let client = egress.client(Tls { ca_certificates, identity: None, form: Form::default() })?;
        let authorization = Some(("Bearer", Zeroizing::new(token.expose_secret().to_owned())));
        Ok(Self { client, server: server.trim_end_matches('/').to_owned(), authorization })
    }

    /// Sends one request. Any status counts as an answer. `path` starts with a slash.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, ProviderError> {
        let mut request = self.request(method, path)?;
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        calls::send(&self.client, request).await
    }

    /// Whether the login may use the verb in a namespace; blank for all namespaces.
    async fn may(&self, verb: &str, kind: &Kind, namespace: &str) -> Result<bool, Answered> {
        let answer = self.send(Method::POST, REVIEWS, Some(&review(verb, kind, namespace))).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(Answered::Otherwise(answer));
        }
        let review: Review = answer.json()?;
        Ok(review.status.allowed)
    }
}

/// Sends a SelfSubjectAccessReview, which any login may create.
/// <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/>
fn review(verb: &str, kind: &Kind, namespace: &str) -> Value {
    let asked = json!({ "namespace": namespace, "verb": verb, "group": kind.group, "resource": kind.plural });
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": asked },
    })
}

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// Turns a failed call or an unexpected answer into an error.
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
