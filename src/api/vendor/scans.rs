//! Scans of registries: begun, stopped, and how far they are. A registry is scanned as a whole, whichever of its images was
//! named.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::answer::{Bad, done};
use super::caller::{Caller, Writer};
use super::json::{Object, Sent};
use super::registries::{LIST, registry};
use crate::integrations::Family;
use crate::models::family_rows;
use crate::models::integrations::Integration;
use crate::models::runs::{Run, RunState};
use crate::models::{Conn, DbError, IntegrationId};
use crate::usecases::{Refusal, integrations};

/// The host alone, however an address is written.
fn host(address: &str) -> &str {
    let rest = address.trim().split("://").last().unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}

/// The registry that a program names; `None` for all of them.
fn named(sent: &Value) -> Result<Option<String>, Bad> {
    if sent.is_null() {
        return Ok(None);
    }
    let tag = Object::of(sent, "The body")?.object("tag")?;
    let registry = tag.map_or(Ok(None), |tag| tag.text("registry"))?;
    Ok(registry.filter(|registry| !registry.is_empty()).map(|registry| host(registry).to_lowercase()))
}

fn is_named(row: &Integration, wanted: &str) -> bool {
    host(&registry(row)).to_lowercase() == wanted
        || (row.version == "docker_hub" && ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(&wanted))
}

/// Begins a scan of each registry that is named, or of all that are switched on.
async fn begin(caller: &Caller, wanted: Vec<Option<String>>) -> Result<HttpResponse, Bad> {
    let rows = LIST.named(&caller.services).await?;
    let all = wanted.is_empty() || wanted.iter().any(Option::is_none);
    for host in wanted.iter().flatten() {
        if !rows.iter().any(|(row, _)| is_named(row, host)) {
            return Err(Bad::said(format!("No registry {host} is set up.")));
        }
    }
    let is_meant = |row: &Integration| all || wanted.iter().flatten().any(|host| is_named(row, host));
    for (row, _) in rows.iter().filter(|(row, _)| row.active && is_meant(row)) {
        integrations::scan(&caller.services, &caller.principal, row.id).await?;
    }
    Ok(done())
}

pub async fn create(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    begin(&caller, vec![named(&body)?]).await
}

/// Several at once.
pub async fn select(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let Value::Array(list) = &body else { return Err(Bad::said("The body must be a list.")) };
    if list.is_empty() {
        return Ok(done());
    }
    begin(&caller, list.iter().map(named).collect::<Result<_, _>>()?).await
}

pub async fn stop(Writer(caller): Writer) -> Result<HttpResponse, Bad> {
    stop_all(&caller, Family::RegistryScan).await
}

pub async fn stop_all(caller: &Caller, family: Family) -> Result<HttpResponse, Bad> {
    let ids = caller.services.db.run(move |conn| family_rows::under_way(conn, family.slug())).await?;
    for id in ids {
        match integrations::stop(&caller.services, &caller.principal, id).await {
            // One that was deleted meanwhile is not under way.
            Ok(_) | Err(Refusal::Db(DbError::NotFound)) => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    Ok(done())
}

pub async fn progress(caller: Caller) -> Result<HttpResponse, Bad> {
    let asked = caller.asked("registry");
    let mut rows = LIST.named(&caller.services).await?;
    if !asked.is_empty() {
        let wanted = host(&asked).to_lowercase();
        rows.retain(|(row, _)| is_named(row, &wanted));
    }
    let ids: Vec<IntegrationId> = rows.iter().map(|(row, _)| row.id).collect();
    let runs = caller.services.db.run(move |conn: &mut Conn| family_rows::last_runs(conn, &ids)).await?;
    let run = |row: &Integration| runs.iter().find(|run| run.integration_id == Some(row.id));
    let written: Vec<Value> = rows.iter().filter_map(|(row, _)| Some(state(row, run(row)?))).collect();
    Ok(HttpResponse::Ok().json(written))
}

fn state(row: &Integration, run: &Run) -> Value {
    let ongoing = matches!(run.state, RunState::Queued | RunState::Running);
    let part = json!({
        "id": row.id,
        "hostname": "",
        "type": "registry",
        "title": row.name,
        "scanTime": run.ended_at.or(run.started_at).unwrap_or(run.queued_at),
        "scanned": run.found,
        "total": run.found,
        "error": run.error.as_deref().unwrap_or_default(),
    });
    json!({
        "registry": registry(row),
        "isScanOngoing": ongoing,
        "specScanStartTime": run.started_at.unwrap_or(run.queued_at),
        "discovery": part,
        "imageScan": part,
    })
}
