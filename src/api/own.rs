//! Strongroom's own protocol: a bearer token and JSON. Errors are problem details (RFC 9457).

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::web::{Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::answer::{refused, unknown_rule};
use super::program::{Posted, Program};
use crate::accounts::fetches::Fetched;
use crate::form::Values;
use crate::integrations::issue::Delivery;
use crate::providers::identity::aws;
use crate::usecases::clients::by_identity::Claim;
use crate::usecases::clients::changes;
use crate::usecases::clients::fetch::{self, Refused};
use crate::usecases::clients::identity;
use crate::usecases::clients::login::{self, LoggedIn, Proof};

/// `POST /machine/v1/login`
#[derive(Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Login {
    AppRole {
        id: String,
        secret: Zeroizing<String>,
    },
    /// Of a Kubernetes service account, or of an OpenID Connect issuer.
    #[serde(alias = "oidc")]
    Kubernetes {
        client: String,
        token: String,
    },
    Aws {
        client: String,
        #[serde(flatten)]
        proof: aws::Proof,
    },
}

impl From<Login> for Proof {
    fn from(login: Login) -> Self {
        match login {
            Login::AppRole { id, secret } => Self::AppRole { id, secret },
            Login::Kubernetes { client, token } => {
                Self::Identity(Claim { client, proof: identity::Proof::Token(token) })
            }
            Login::Aws { client, proof } => Self::Identity(Claim { client, proof: identity::Proof::Aws(proof) }),
        }
    }
}

pub async fn log_in(program: Program, posted: Posted<Login>) -> HttpResponse {
    match login::log_in(&program.services, posted.0.into(), program.address).await {
        Ok(LoggedIn { token, known }) => {
            HttpResponse::Ok().json(json!({"token": token.as_str(), "expires_at": known.ends_at}))
        }
        Err(why) => refused(program.shape, &why),
    }
}

pub async fn rules(program: Program) -> HttpResponse {
    match fetch::rules(&program.services, program.token(), program.address).await {
        Ok(rules) => {
            let rules = rules.iter().map(|(name, form)| json!({"name": name, "form": form.gives}));
            HttpResponse::Ok().json(json!({"rules": rules.collect::<Vec<_>>()}))
        }
        Err(why) => refused(program.shape, &why),
    }
}

/// Longest that a program may wait for a change.
const LONGEST_WAIT: u64 = 55;

/// `?wait=50`
#[derive(Deserialize)]
pub struct Wait {
    #[serde(default)]
    wait: u64,
}

/// How the rules stand, once that differs from what the program knows, or after the seconds that it waits.
pub async fn changed(program: Program, query: Query<Wait>, request: HttpRequest) -> HttpResponse {
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = |tag: &str| has_tag(known, &format!("\"{tag}\""));
    let longest = Duration::from_secs(query.wait.min(LONGEST_WAIT));
    match changes::wait(&program.services, (program.token(), program.address), is_known, longest).await {
        Ok(standing) => {
            let tag = format!("\"{}\"", standing.tag);
            if has_tag(known, &tag) {
                return HttpResponse::NotModified().insert_header((ETAG, tag)).finish();
            }
            HttpResponse::Ok().insert_header((ETAG, tag)).json(json!({"rules": standing.rules}))
        }
        Err(why) => refused(program.shape, &why),
    }
}

/// Whether a header names a tag.
fn has_tag(known: &str, tag: &str) -> bool {
    known.split(',').any(|one| one.trim() == tag || one.trim() == "*")
}

/// The value of a credential, or of an entry of a secret store.
pub async fn value(program: Program, rule: Path<String>, request: HttpRequest) -> HttpResponse {
    answer(&program, &request, &rule, true, None).await
}

/// One field of it.
pub async fn field(program: Program, path: Path<(String, String)>, request: HttpRequest) -> HttpResponse {
    let (rule, field) = path.into_inner();
    answer(&program, &request, &rule, true, Some(&field)).await
}

/// What ends by itself.
pub async fn session(program: Program, rule: Path<String>, request: HttpRequest) -> HttpResponse {
    answer(&program, &request, &rule, false, None).await
}

async fn answer(
    program: &Program,
    request: &HttpRequest,
    rule: &str,
    values: bool,
    field: Option<&str>,
) -> HttpResponse {
    match fetch::fetch(&program.services, program.question(rule)).await {
        Ok(fetched) if fetched.form.is_value() == values => {
            shown(request, &fetched, field).unwrap_or_else(|| unknown_rule(program.shape))
        }
        Ok(_) => refused(program.shape, &Refused::Unknown),
        Err(why) => refused(program.shape, &why),
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    data: Fields<'a>,
    form: &'a str,
    version: i32,
    expires_at: Option<chrono::DateTime<chrono::Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<&'a Delivery>,
}

/// `None` without such a field.
fn shown(request: &HttpRequest, fetched: &Arc<Fetched>, field: Option<&str>) -> Option<HttpResponse> {
    let fields = &fetched.issued.fields;
    if field.is_some_and(|field| !fields.contains(field)) {
        return None;
    }
    let (version, expires_at) = (fetched.version, fetched.issued.expires_at);
    let tag = format!("\"{}\"", fetched.tag);
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| has_tag(known, &tag)) {
        return Some(HttpResponse::NotModified().insert_header((ETAG, tag)).finish());
    }
    let (form, delivery) = (fetched.form.gives, fetched.delivery.as_ref());
    let shown = Shown { data: Fields(fields, field), form, version, expires_at, delivery };
    Some(HttpResponse::Ok().insert_header((ETAG, tag)).json(shown))
}

/// All fields, or one.
pub struct Fields<'a>(pub &'a Values, pub Option<&'a str>);

impl Serialize for Fields<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(fields, only) = self;
        serializer.collect_map(
            fields.names().filter(|name| only.is_none_or(|only| only == *name)).map(|name| (name, fields.get(name))),
        )
    }
}
