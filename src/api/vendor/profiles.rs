//! Alert channels as the vendor's alert profiles: listed, tested and deleted. They are set up in the console, since the
//! vendor's model puts a webhook's address, which is a secret, among what is shown.

use actix_web::HttpResponse;
use actix_web::web::Path;
use serde_json::{Value, json};

use super::answer::{Bad, done};
use super::caller::{Caller, Writer};
use super::json::{Object, Sent};
use super::registries::settings;
use crate::integrations::Family;
use crate::models::IntegrationId;
use crate::models::integrations::Integration;
use crate::names;
use crate::usecases::integrations::{self, listed::List};

const LIST: List = List {
    family: Family::AlertProfile,
    versions: &[
        "email",
        "slack",
        "jira",
        "pagerduty",
        "servicenow",
        "security_hub",
        "google_pubsub",
        "splunk",
        "webhook_channel",
    ],
};

/// The vendor's member for a channel, and what of it is said.
fn channel(row: &Integration, credential: &str) -> (&'static str, Value) {
    let values = settings(row);
    let (enabled, text) = (row.active, |name: &str| values.get(name).to_owned());
    match row.version.as_str() {
        "email" => (
            "email",
            json!({"enabled": enabled, "credentialId": credential, "smtpAddress": text("host"),
                "port": text("port").parse::<u16>().unwrap_or_default(), "from": text("from"),
                "ssl": text("tls") != "none"}),
        ),
        "slack" => ("slack", json!({"enabled": enabled, "credentialId": credential})),
        "jira" => (
            "jira",
            json!({"enabled": enabled, "credentialId": credential, "baseUrl": text("url"),
                "projectKey": {"data": text("project")}, "issueType": text("issue_type")}),
        ),
        "pagerduty" => ("pagerduty", json!({"enabled": enabled, "credentialId": credential})),
        "servicenow" => (
            "serviceNow",
            json!({"enabled": enabled, "credentialID": credential, "assignmentGroup": text("assignment_group")}),
        ),
        "security_hub" => {
            ("securityHub", json!({"enabled": enabled, "credentialId": credential, "region": text("region")}))
        }
        "google_pubsub" => {
            ("gcpPubsub", json!({"enabled": enabled, "credentialId": credential, "topic": text("topic")}))
        }
        "splunk" => ("splunk", json!({"enabled": enabled, "credentialId": credential, "url": text("url")})),
        // The address is the credential.
        _ => ("webhook", json!({"enabled": enabled, "credentialId": credential, "url": "", "caCert": "", "json": ""})),
    }
}

fn written(row: &Integration, credential: &str) -> Value {
    let mut out = json!({
        "_id": row.name,
        "name": row.name,
        "owner": row.created_by,
        "modified": row.edited_at,
        "lastError": "",
    });
    let (member, said) = channel(row, credential);
    out[member] = said;
    out
}

pub async fn index(caller: Caller) -> Result<HttpResponse, Bad> {
    let rows = LIST.named(&caller.services).await?;
    Ok(HttpResponse::Ok().json(rows.iter().map(|(row, name)| written(row, name)).collect::<Vec<_>>()))
}

pub async fn names(caller: Caller) -> Result<HttpResponse, Bad> {
    let rows = LIST.named(&caller.services).await?;
    Ok(HttpResponse::Ok().json(rows.iter().map(|(row, _)| row.name.as_str()).collect::<Vec<_>>()))
}

async fn named(caller: &Caller, name: &str) -> Result<(IntegrationId, i64), Bad> {
    let rows = LIST.named(&caller.services).await?;
    let found = rows.iter().find(|(row, _)| names::key(&row.name) == names::key(name));
    let found = found.map(|(row, _)| (row.id, row.row_version));
    found.ok_or(Bad::NotFound("There is no alert profile with this name."))
}

/// Sends a test through a saved channel.
pub async fn test(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let sent = Object::of(&body, "The body")?;
    let name = match sent.text("_id")? {
        None => sent.text("name")?,
        id => id,
    };
    let (id, _) = named(&caller, name.unwrap_or_default()).await?;
    integrations::send_test(&caller.services, &caller.principal, id).await?;
    Ok(done())
}

/// Whoever deletes a channel silences it: a token needs the scope that stands for the password.
pub async fn destroy(Writer(caller): Writer, path: Path<(String, String)>) -> Result<HttpResponse, Bad> {
    let (id, seen) = named(&caller, &path.1).await?;
    integrations::delete(&caller.services, &caller.principal, id, Some(seen)).await?;
    Ok(done())
}
