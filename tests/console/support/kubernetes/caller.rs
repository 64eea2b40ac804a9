//! A client of the tests' API server that logs in with a token.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Method};
use serde_json::Value;

pub struct Caller {
    http: Client,
    server: String,
    token: String,
}

impl Caller {
    /// An HTTP client belongs to the runtime of its test, so each caller has its own.
    pub fn new(authority: &str, server: &str, token: &str) -> Self {
        let authority = Certificate::from_pem(authority.as_bytes()).expect("a certificate");
        let http = Client::builder().no_proxy().tls_certs_only([authority]).build().expect("a client");
        Self { http, server: server.to_owned(), token: token.to_owned() }
    }

    pub async fn answers(&self, path: &str) -> bool {
        let request = self.http.get(format!("{}{path}", self.server)).bearer_auth(&self.token);
        request.send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Sends any request; `body` with its content type.
    pub async fn send(&self, method: Method, path: &str, body: Option<(&str, &Value)>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.server)).bearer_auth(&self.token);
        if let Some((kind, body)) = body {
            request = request.header(CONTENT_TYPE, kind).body(body.to_string());
        }
        let answer = request.send().await.expect("the API server answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// `None` if there is no such object.
    pub async fn get(&self, path: &str) -> Option<Value> {
        match self.send(Method::GET, path, None).await {
            (200, object) => Some(object),
            (404, _) => None,
            other => panic!("{path}: {other:?}"),
        }
    }

    pub async fn create(&self, path: &str, object: &Value) -> Value {
        let (status, made) = self.send(Method::POST, path, Some(("application/json", object))).await;
        assert_eq!(status, 201, "{path}: {made}");
        made
    }

    /// Sends a merge patch as a field manager such as "kubectl-edit".
    pub async fn merge(&self, path: &str, manager: &str, change: &Value) -> Value {
        let path = format!("{path}?fieldManager={manager}");
        let (status, object) = self.send(Method::PATCH, &path, Some(("application/merge-patch+json", change))).await;
        assert_eq!(status, 200, "{path}: {object}");
        object
    }

    /// Server-side apply as another field manager.
    pub async fn apply(&self, path: &str, manager: &str, object: &Value) -> Value {
        let path = format!("{path}?fieldManager={manager}&force=true");
        let (status, object) = self.send(Method::PATCH, &path, Some(("application/apply-patch+yaml", object))).await;
        assert!(matches!(status, 200 | 201), "{path}: {object}");
        object
    }

    pub async fn delete(&self, path: &str) {
        let (status, answer) = self.send(Method::DELETE, path, None).await;
        assert!(matches!(status, 200 | 202), "{path}: {answer}");
    }

    /// The answer as a stream, for a watch.
    pub(super) async fn stream(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        self.http.get(format!("{}{path}", self.server)).bearer_auth(&self.token).send().await?.error_for_status()
    }
}
