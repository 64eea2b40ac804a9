//! The part of Vault's API by which its clients read: the mount `secret` (KV version 2) has an entry a rule. What is
//! issued has its end among its keys, as `expires_at`.
//! <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::answer::refused;
use super::own::Fields;
use super::program::{Posted, Program};
use crate::accounts::fetches::Fetched;
use crate::providers::identity::aws;
use crate::usecases::clients::by_identity::Claim;
use crate::usecases::clients::fetch::{self, Refused};
use crate::usecases::clients::identity;
use crate::usecases::clients::login::{self, Known, LoggedIn, Proof};

const MOUNT: &str = "secret/";

/// What every answer has around it.
#[derive(Serialize)]
struct Envelope<D: Serialize> {
    request_id: String,
    lease_id: &'static str,
    renewable: bool,
    lease_duration: i64,
    data: D,
    wrap_info: Option<()>,
    warnings: Option<()>,
    auth: Option<Value>,
    mount_type: &'static str,
}

fn envelope<D: Serialize>(data: D, auth: Option<Value>) -> HttpResponse {
    HttpResponse::Ok().json(Envelope {
        request_id: Uuid::new_v4().to_string(),
        lease_id: "",
        renewable: false,
        lease_duration: 0,
        data,
        wrap_info: None,
        warnings: None,
        auth,
        mount_type: "",
    })
}

/// As Vault writes times.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

#[derive(Serialize)]
struct Entry<'a> {
    data: Keys<'a>,
    metadata: Value,
}

/// The fields, and when they end.
struct Keys<'a>(&'a Fetched);

impl Serialize for Keys<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let issued = &self.0.issued;
        let Some(end) = issued.expires_at else { return Fields(&issued.fields, None).serialize(serializer) };
        let end = time(end);
        let fields = issued.fields.names().map(|name| (name, issued.fields.get(name)));
        serializer.collect_map(fields.chain([("expires_at", end.as_str())]))
    }
}

fn version(fetched: &Fetched) -> Value {
    json!({"created_time": time(fetched.set_at), "custom_metadata": null, "deletion_time": "", "destroyed": false,
        "version": fetched.version})
}

async fn fetched(program: &Program, rule: &str) -> Result<Arc<Fetched>, HttpResponse> {
    let fetched = fetch::fetch(&program.services, program.question(rule)).await;
    fetched.map_err(|why| refused(program.shape, &why))
}

/// An earlier version is nobody's any more.
pub async fn read(program: Program, rule: Path<String>, request: HttpRequest) -> HttpResponse {
    let fetched = match fetched(&program, &rule).await {
        Ok(fetched) => fetched,
        Err(refused) => return refused,
    };
    let mut asked = form_urlencoded::parse(request.query_string().as_bytes());
    let wanted = asked.find(|(name, _)| name == "version").map(|(_, version)| version.into_owned());
    if wanted.is_some_and(|wanted| !matches!(wanted.as_str(), "" | "0") && wanted != fetched.version.to_string()) {
        return refused(program.shape, &Refused::Unknown);
    }
    envelope(Entry { data: Keys(&fetched), metadata: version(&fetched) }, None)
}

pub async fn metadata(program: Program, rule: Path<String>) -> HttpResponse {
    let fetched = match fetched(&program, &rule).await {
        Ok(fetched) => fetched,
        Err(refused) => return refused,
    };
    let mut of = version(&fetched);
    let number = fetched.version.to_string();
    if let Some(of) = of.as_object_mut() {
        of.retain(|name, _| matches!(name.as_str(), "created_time" | "deletion_time" | "destroyed"));
    }
    let at = time(fetched.set_at);
    let data = json!({"cas_required": false, "created_time": at, "current_version": fetched.version,
        "custom_metadata": null, "delete_version_after": "0s", "max_versions": 0, "oldest_version": fetched.version,
        "updated_time": at, "versions": {number: of}});
    envelope(data, None)
}

pub async fn list(program: Program) -> HttpResponse {
    match fetch::rules(&program.services, program.token(), program.address).await {
        Ok(rules) if rules.is_empty() => refused(program.shape, &Refused::Unknown),
        Ok(rules) => {
            let names: Vec<String> = rules.into_iter().map(|(name, _)| name).collect();
            envelope(json!({"keys": names}), None)
        }
        Err(why) => refused(program.shape, &why),
    }
}

/// Vault's logins that Strongroom knows, by whatever mount: `approle`; `kubernetes` and `jwt`; `aws`. The role is the name
/// of the client.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Login {
    AppRole {
        role_id: String,
        secret_id: Zeroizing<String>,
    },
    Token {
        role: String,
        jwt: String,
    },
    Aws {
        role: String,
        #[serde(flatten)]
        proof: aws::Proof,
    },
}

impl From<Login> for Proof {
    fn from(login: Login) -> Self {
        let of = |client, proof| Self::Identity(Claim { client, proof });
        match login {
            Login::AppRole { role_id: id, secret_id: secret } => Self::AppRole { id, secret },
            Login::Token { role, jwt } => of(role, identity::Proof::Token(jwt)),
            Login::Aws { role, proof } => of(role, identity::Proof::Aws(proof)),
        }
    }
}

pub async fn log_in(program: Program, posted: Posted<Login>) -> HttpResponse {
    let by_secret = matches!(posted.0, Login::AppRole { .. });
    match login::log_in(&program.services, posted.0.into(), program.address).await {
        Ok(LoggedIn { token, known }) => envelope(None::<()>, Some(auth(&token, &known))),
        // As Vault answers a login that it does not know.
        Err(Refused::Unauthenticated) if by_secret => {
            program.shape.error(StatusCode::BAD_REQUEST, "invalid role or secret ID")
        }
        Err(why) => refused(program.shape, &why),
    }
}

/// It is not renewable: clients log in again before it ends.
fn auth(token: &str, known: &Known) -> Value {
    json!({"client_token": token, "accessor": known.login, "policies": ["default"], "token_policies": ["default"],
        "metadata": {"client": known.client}, "lease_duration": known.seconds_left(), "renewable": false,
        "entity_id": "", "token_type": "service", "orphan": true, "mfa_requirement": null, "num_uses": 0})
}

async fn known(program: &Program) -> Result<Known, HttpResponse> {
    let known = login::look_up(&program.services, program.token(), program.address).await;
    known.map_err(|why| refused(program.shape, &why))
}

pub async fn look_up(program: Program) -> HttpResponse {
    let known = match known(&program).await {
        Ok(known) => known,
        Err(refused) => return refused,
    };
    let data = json!({"id": program.token(), "accessor": known.login, "display_name": known.client, "entity_id": "",
        "expire_time": known.ends_at.map(time), "explicit_max_ttl": 0, "issue_time": time(known.now),
        "creation_time": known.now.timestamp(), "creation_ttl": known.seconds_left(),
        "meta": {"client": known.client}, "num_uses": 0, "orphan": true, "path": "auth/token", "policies": ["default"],
        "renewable": false, "ttl": known.seconds_left(), "type": "service"});
    envelope(data, None)
}

/// Says how long the token holds; it does not hold for longer.
pub async fn renew(program: Program) -> HttpResponse {
    match known(&program).await {
        Ok(known) => envelope(None::<()>, Some(auth(program.token(), &known))),
        Err(refused) => refused,
    }
}

pub async fn revoke(program: Program) -> HttpResponse {
    match login::revoke(&program.services, program.token(), program.address).await {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(Refused::Unknown) => {
            let detail = "a client's own token is ended on the client's page in Strongroom";
            program.shape.error(StatusCode::FORBIDDEN, detail)
        }
        Err(why) => refused(program.shape, &why),
    }
}

/// What the command line and agents ask before they read, to know the version of the mount.
pub async fn mount(program: Program, path: Path<String>) -> HttpResponse {
    if let Err(refused) = known(&program).await {
        return refused;
    }
    if path.as_str() != "secret" && !path.starts_with(MOUNT) {
        return program.shape.error(
            StatusCode::FORBIDDEN,
            "preflight capability check returned 403, please ensure \
             client's policies grant access to path \"secret/\"",
        );
    }
    let data = json!({"accessor": "kv_strongroom", "config": {"default_lease_ttl": 0, "force_no_cache": false,
        "max_lease_ttl": 0}, "description": "Strongroom", "external_entropy_access": false, "local": false,
        "options": {"version": "2"}, "path": MOUNT, "seal_wrap": false, "type": "kv",
        "uuid": "00000000-0000-0000-0000-000000000000"});
    envelope(data, None)
}

/// For probes: that it answers.
pub async fn health(program: Program) -> HttpResponse {
    let now = program.services.db.run(crate::models::clock).await;
    match now {
        Ok(now) => HttpResponse::Ok().json(json!({"initialized": true, "sealed": false, "standby": false,
            "performance_standby": false, "replication_performance_mode": "disabled", "replication_dr_mode": "disabled",
            "server_time_utc": now.timestamp(), "version": env!("CARGO_PKG_VERSION")})),
        Err(error) => refused(program.shape, &Refused::Db(error)),
    }
}

pub async fn seal_status(_program: Program) -> HttpResponse {
    HttpResponse::Ok().json(json!({"type": "strongroom", "initialized": true, "sealed": false, "t": 1, "n": 1,
        "progress": 0, "nonce": "", "version": env!("CARGO_PKG_VERSION"), "build_date": "", "migration": false,
        "recovery_seal": false, "storage_type": "postgres"}))
}
