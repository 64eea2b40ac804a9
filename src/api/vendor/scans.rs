//! Scans of registries: begun, stopped, and how far they are. A registry is scanned as a whole, whichever of its images was
//! named.

use std::collections::{HashMap, HashSet};

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
use crate::usecases::Refusal;
use crate::usecases::integrations::{self, listed};

/// By which hosts Docker Hub is named.
const DOCKER_HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

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

/// By which hosts a registry is named.
fn hosts(row: &Integration) -> Vec<String> {
    let own = host(&registry(row)).to_lowercase();
    let known: &[&str] = if row.version == "docker_hub" { &DOCKER_HUB } else { &[] };
    std::iter::once(own).chain(known.iter().map(|&host| host.to_owned())).collect()
}

/// Begins a scan of each registry that is named, or of all that are switched on.
async fn begin(caller: &Caller, wanted: &[Option<String>]) -> Result<HttpResponse, Bad> {
    let rows = LIST.named(&caller.services).await?;
    let rows: Vec<(&Integration, Vec<String>)> = rows.iter().map(|(row, _)| (&**row, hosts(row))).collect();
    let known: HashSet<&str> = rows.iter().flat_map(|(_, hosts)| hosts).map(String::as_str).collect();
    if let Some(host) = wanted.iter().flatten().find(|host| !known.contains(host.as_str())) {
        return Err(Bad::said(format!("No registry {host} is set up.")));
    }
    let all = wanted.is_empty() || wanted.iter().any(Option::is_none);
    let meant: HashSet<&str> = wanted.iter().flatten().map(String::as_str).collect();
    let is_meant = |hosts: &[String]| all || hosts.iter().any(|host| meant.contains(host.as_str()));
    for (row, _) in rows.iter().filter(|(row, hosts)| row.active && is_meant(hosts)) {
        integrations::scan(&caller.services, &caller.principal, row.id).await?;
    }
    Ok(done())
}

pub async fn create(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    begin(&caller, &[named(&body)?]).await
}

/// Several at once.
pub async fn select(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let Value::Array(list) = &body else { return Err(Bad::said("The body must be a list.")) };
    listed::check_length(list.len())?;
    if list.is_empty() {
        return Ok(done());
    }
    begin(&caller, &list.iter().map(named).collect::<Result<Vec<_>, _>>()?).await
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
        rows.retain(|(row, _)| hosts(row).contains(&wanted));
    }
    let ids: Vec<IntegrationId> = rows.iter().map(|(row, _)| row.id).collect();
    let runs = caller.services.db.run(move |conn: &mut Conn| family_rows::last_runs(conn, &ids)).await?;
    let runs: HashMap<_, _> = runs.iter().filter_map(|run| Some((run.integration_id?, run))).collect();
    let written: Vec<Value> = rows.iter().filter_map(|(row, _)| Some(state(row, runs.get(&row.id)?))).collect();
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
