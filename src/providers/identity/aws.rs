//! AWS identities: a client signs `sts:GetCallerIdentity` and hands the request over; Strongroom sends it to STS, which
//! says whose signature it is. Only that request, only to STS, and only if its signature covers the name of this
//! console, so that a request that was signed for somebody else is worth nothing here. The shape is the one of Vault's
//! clients. <https://developer.hashicorp.com/vault/docs/auth/aws>

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::{Refused, shown};
use crate::providers::aws::{Endpoints, Region};
use crate::providers::calls;
use crate::providers::clock;
use crate::providers::egress::{Egress, Tls};

/// The header that names the console; it must be signed.
pub const SERVER_ID: &str = "x-vault-aws-iam-server-id";
/// Signed headers that are passed on. Others make the signature wrong, and whoever added them has to leave them out.
const PASSED: [&str; 10] = [
    "authorization",
    "content-type",
    "host",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
    "amz-sdk-invocation-id",
    SERVER_ID,
];
/// AWS takes a signature for so long.
const SIGNATURE: TimeDelta = TimeDelta::minutes(15);

/// The members of a login, as Vault's clients name them.
#[derive(Deserialize)]
pub struct Proof {
    pub iam_http_request_method: String,
    /// Base64.
    pub iam_request_url: String,
    /// Base64.
    pub iam_request_body: String,
    /// Base64 of an object, or the object; values are texts or lists of them.
    pub iam_request_headers: Value,
}

/// Whose signature it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    /// Of a user or a role, without a path: `arn:aws:iam::123456789012:role/deployer`.
    pub arn: String,
    pub until: DateTime<Utc>,
    pub replay_key: Vec<u8>,
}

/// The request as it is sent on.
struct Signed {
    url: Url,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
    signed_at: DateTime<Utc>,
}

impl Proof {
    /// Asks STS whose it is. `server_id` is the name of this console that the client must have signed.
    pub async fn caller(&self, server_id: &str, egress: &Egress, endpoints: &Endpoints) -> Result<Caller, Refused> {
        let signed = self.checked(server_id)?;
        let until = signed.signed_at + SIGNATURE;
        if until < clock::now() {
            return Err(Refused::Expired);
        }
        let replay_key = replay_key(signed.headers.get("authorization").map(String::as_str).unwrap_or_default());
        let failed = |error| Refused::unasked(&error, "AWS");
        let client = egress.client(Tls::default()).map_err(failed)?;
        let answer = calls::send(&client, signed.request(endpoints)?).await.map_err(failed)?;
        if matches!(answer.status, 400..=403) {
            return Err(Refused::Signature);
        }
        if answer.status != 200 {
            return Err(Refused::Unasked(format!("AWS answered with status {}.", answer.status)));
        }
        let (account, arn) = identity(&answer.body).ok_or(Refused::Malformed)?;
        Ok(Caller { account, arn: plain(&arn), until, replay_key })
    }

    fn checked(&self, server_id: &str) -> Result<Signed, Refused> {
        let url = text(&self.iam_request_url).and_then(|url| Url::parse(&url).ok()).ok_or(Refused::Malformed)?;
        let body = STANDARD.decode(self.iam_request_body.trim()).map_err(|_| Refused::Malformed)?;
        let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty() && url.port().is_none();
        let is_sts = url.scheme() == "https" && url.host_str().is_some_and(is_sts);
        if !self.iam_http_request_method.eq_ignore_ascii_case("POST") || !plain || !is_sts || !asks_who(&body) {
            return Err(Refused::NotThatRequest);
        }
        let headers = self.headers()?;
        let header = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
        let covered = signed_headers(header("authorization"));
        if header("host") != url.host_str().unwrap_or_default() || !covered.contains(&"host") {
            return Err(Refused::NotThatRequest);
        }
        if server_id.is_empty() || header(SERVER_ID) != server_id || !covered.contains(&SERVER_ID) {
            return Err(Refused::ServerId);
        }
        let signed_at = NaiveDateTime::parse_from_str(header("x-amz-date"), "%Y%m%dT%H%M%SZ");
        let signed_at = signed_at.map_err(|_| Refused::Malformed)?.and_utc();
        Ok(Signed { url, headers, body, signed_at })
    }

    /// Those that are passed on, in lower case.
    fn headers(&self) -> Result<BTreeMap<String, String>, Refused> {
        let parsed = match &self.iam_request_headers {
            Value::String(encoded) => {
                let json = text(encoded).ok_or(Refused::Malformed)?;
                serde_json::from_str(&json).map_err(|_| Refused::Malformed)?
            }
            value => value.clone(),
        };
        let Value::Object(members) = parsed else { return Err(Refused::Malformed) };
        let mut headers = BTreeMap::new();
        for (name, value) in members {
            let name = name.to_ascii_lowercase();
            let value = match &value {
                Value::String(text) => Some(text.clone()),
                Value::Array(list) if list.len() == 1 => list[0].as_str().map(str::to_owned),
                _ => None,
            };
            if PASSED.contains(&&*name) && headers.insert(name, value.ok_or(Refused::Malformed)?).is_some() {
                return Err(Refused::Malformed);
            }
        }
        Ok(headers)
    }
}

impl Signed {
    /// To the host that was signed, or where the operator has STS. Nothing makes STS answer in JSON, in which a caller
    /// could choose what stands where.
    fn request(&self, endpoints: &Endpoints) -> Result<Request, Refused> {
        let base = endpoints.of("STS").and_then(|base| Url::parse(base).ok());
        let mut request = Request::new(Method::POST, base.unwrap_or_else(|| self.url.clone()));
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Refused::Malformed)?;
            let mut value = HeaderValue::from_str(value).map_err(|_| Refused::Malformed)?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/xml"));
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        request.headers_mut().entry(CONTENT_TYPE).or_insert(form);
        *request.body_mut() = Some(self.body.clone().into());
        Ok(request)
    }
}

fn text(base64: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(base64.trim()).ok()?).ok()
}

/// `sts.amazonaws.com`, or that of a region.
fn is_sts(host: &str) -> bool {
    let of_region = |host: &str| {
        let (region, _) = host.strip_prefix("sts.")?.split_once('.')?;
        let region = Region::parse(region)?;
        Some(host == format!("sts.{}.{}", region.as_str(), region.dns_suffix()))
    };
    host == "sts.amazonaws.com" || of_region(host).unwrap_or_default()
}

/// Exactly the two parameters of GetCallerIdentity.
fn asks_who(body: &[u8]) -> bool {
    let mut asked: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    asked.sort();
    let expected = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
    asked.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected)
}

/// A part of an Authorization header, however the parts are spaced.
fn part<'a>(authorization: &'a str, name: &str) -> &'a str {
    let rest = authorization.split(name).nth(1).and_then(|rest| rest.split([',', ' ']).next());
    rest.unwrap_or_default().trim()
}

fn signed_headers(authorization: &str) -> Vec<&str> {
    part(authorization, "SignedHeaders=").split(';').collect()
}

/// The same however the header is spelled.
fn replay_key(authorization: &str) -> Vec<u8> {
    let signed = [part(authorization, "Credential="), part(authorization, "Signature=")];
    Sha256::digest(signed.join("\n").to_ascii_lowercase()).to_vec()
}

/// Account and ARN of the answer. Its shape is fixed, and neither value can hold markup.
fn identity(body: &[u8]) -> Option<(String, String)> {
    let body = std::str::from_utf8(body).ok()?;
    let (_, result) = body.split_once("<GetCallerIdentityResult>")?;
    let (result, _) = result.split_once("</GetCallerIdentityResult>")?;
    let member = |open: &str, close: &str| {
        let mut parts = result.split(open).skip(1);
        let value = parts.next()?.split_once(close)?.0.trim();
        (parts.next().is_none() && !value.contains(['<', '&'])).then(|| value.to_owned())
    };
    Some((member("<Account>", "</Account>")?, member("<Arn>", "</Arn>")?))
}

/// The ARN of the role of a session, and of a user without its path: sessions do not tell the path of their role.
pub fn plain(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, partition, service, _, account, resource] = parts.as_slice() else { return shown(arn) };
    let last = |resource: &str| resource.rsplit('/').next().unwrap_or_default().to_owned();
    match (*service, resource.split_once('/')) {
        ("sts", Some(("assumed-role", rest))) => {
            let role = rest.split('/').next().unwrap_or_default();
            format!("arn:{partition}:iam::{account}:role/{role}")
        }
        ("iam", Some((kind @ ("role" | "user"), rest))) => {
            format!("arn:{partition}:iam::{account}:{kind}/{}", last(rest))
        }
        _ => shown(arn),
    }
}

#[cfg(test)]
#[path = "aws_tests.rs"]
mod tests;
