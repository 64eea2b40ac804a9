//! What cloud scans found, which credentials scan what, and scans of functions: one bare list, which is replaced as a whole.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Bad, done};
use super::caller::{Caller, Writer};
use super::json::{Object, Sent};
use super::registries::{credential_of, settings};
use super::scans::stop_all;
use crate::form::Values;
use crate::integrations::Family;
use crate::integrations::cloud::resource::Facts;
use crate::models::credential_choices::{self, Named};
use crate::models::discovery::{self, Line, MOST_LOOKED_AT, Query, Sort};
use crate::models::integrations::Integration;
use crate::models::{Conn, CredentialId, DbError};
use crate::usecases::integrations;
use crate::usecases::integrations::listed::{self, List, Wanted};

const FUNCTIONS: List =
    List { family: Family::ServerlessScan, versions: &["lambda", "azure_functions", "google_functions"] };
const CLOUDS: List =
    List { family: Family::CloudScan, versions: &["aws_account", "azure_tenant", "google_cloud", "oracle_cloud"] };

/// The vendor's provider of a kind of integration.
fn provider(version: &str) -> &'static str {
    match version {
        "lambda" | "aws_account" => "aws",
        "azure_functions" | "azure_tenant" => "azure",
        "oracle_cloud" => "oci",
        _ => "gcp",
    }
}

fn function_scan(row: &Integration, credential: &str) -> Value {
    let values = settings(row);
    json!({
        "id": row.id,
        "name": row.name,
        "provider": provider(&row.version),
        "credentialID": credential,
        "credential": {},
        "region": values.get("region_names"),
        "enabled": row.active,
        "scanAllVersions": values.get("versions") == "all",
        "roleArn": if values.get("sts") == "on" { values.get("role") } else { "" },
    })
}

fn read(entry: &Value) -> Result<Wanted, Bad> {
    let sent = Object::of(entry, "An entry")?;
    let version = match sent.text("provider")?.unwrap_or("aws") {
        "aws" => "lambda",
        "azure" => "azure_functions",
        "gcp" => "google_functions",
        _ => return Err(Bad::said("provider must be aws, azure or gcp.")),
    };
    let mut given = Values::default();
    if version == "lambda" {
        if let Some(region) = sent.text("region")? {
            given.set("region_names", region);
            if !region.is_empty() {
                given.set("regions", "chosen");
            }
        }
        if let Some(all) = sent.flag("scanAllVersions")? {
            given.set("versions", if all { "all" } else { "latest" });
        }
        if let Some(arn) = sent.text("roleArn")? {
            given.set("sts", if arn.is_empty() { "" } else { "on" });
            given.set("role", arn);
        }
    }
    let id = sent.text("id")?.and_then(|id| id.parse().ok());
    Ok(Wanted { id, version, credential: credential_of(sent)?, given })
}

pub async fn functions(caller: Caller) -> Result<HttpResponse, Bad> {
    let rows = FUNCTIONS.named(&caller.services).await?;
    Ok(HttpResponse::Ok().json(rows.iter().map(|(row, name)| function_scan(row, name)).collect::<Vec<_>>()))
}

pub async fn replace_functions(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let Value::Array(entries) = &body else { return Err(Bad::said("The body must be a list.")) };
    listed::check_length(entries.len())?;
    let wanted = entries.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    listed::replace(&caller.services, &caller.principal, FUNCTIONS, wanted, &caller.confirmation()).await?;
    Ok(done())
}

pub async fn add_functions(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let wanted = read(&body)?;
    listed::append(&caller.services, &caller.principal, FUNCTIONS, wanted, &caller.confirmation()).await?;
    Ok(done())
}

/// What each credential scans: one rule a credential.
async fn scanned(caller: &Caller) -> Result<Vec<Value>, Bad> {
    let mut rules: BTreeMap<String, (&'static str, bool, bool)> = BTreeMap::new();
    for (list, is_functions) in [(CLOUDS, false), (FUNCTIONS, true)] {
        for (row, credential) in
            list.named(&caller.services).await?.iter().filter(|(_, credential)| !credential.is_empty())
        {
            let rule = rules.entry(credential.clone()).or_insert((provider(&row.version), false, false));
            let scans = if is_functions { &mut rule.2 } else { &mut rule.1 };
            *scans |= row.active;
        }
    }
    let rule = |(credential, (provider, discovers, functions)): (String, (&str, bool, bool))| {
        json!({
            "credentialId": credential,
            "credential": {"_id": credential, "type": provider},
            "discoveryEnabled": discovers,
            "serverlessScanSpec": {"enabled": functions},
        })
    };
    Ok(rules.into_iter().map(rule).collect())
}

pub async fn rules(caller: Caller) -> Result<HttpResponse, Bad> {
    Ok(HttpResponse::Ok().json(scanned(&caller).await?))
}

/// The same as the vendor's releases of before write it.
pub async fn platforms(caller: Caller) -> Result<HttpResponse, Bad> {
    Ok(HttpResponse::Ok().json(json!({"_id": "cloudPlatforms", "rules": scanned(&caller).await?})))
}

/// What scans found, with the names of the credentials that they signed in with.
async fn found(caller: &Caller) -> Result<Vec<(Line, Facts, String)>, DbError> {
    let query = Query { sort: Sort::All, not_covered: false, search: String::new(), from: None, size: MOST_LOOKED_AT };
    let read = move |conn: &mut Conn| {
        let lines = discovery::page(conn, &query)?.lines;
        let ids: Vec<CredentialId> = lines.iter().filter_map(|line| line.credential_id).collect();
        Ok::<_, DbError>((lines, credential_choices::named(conn, &ids)?))
    };
    let (lines, names) = caller.services.db.run(read).await?;
    let known = |line: Line| {
        let name = line.credential_id.and_then(|id| names.get(&id)).map(|named: &Named| named.name.clone());
        let facts = Facts::deserialize(&line.facts).unwrap_or_default();
        (line, facts, name.unwrap_or_default())
    };
    Ok(lines.into_iter().map(known).collect())
}

/// How much there is of each service in each region of an account, and how much of it is scanned.
pub async fn discovered(caller: Caller) -> Result<HttpResponse, Bad> {
    let mut sums: BTreeMap<[String; 4], (String, i64, i64)> = BTreeMap::new();
    for (line, facts, credential) in found(&caller).await? {
        let covered = i64::from(line.cover_id.is_some());
        let key = [line.place, facts.region, facts.service, credential];
        let sum = sums.entry(key).or_insert((facts.account, 0, 0));
        (sum.1, sum.2) = (sum.1 + 1, sum.2 + covered);
    }
    let written = sums.into_iter().map(|([account, region, service, credential], (name, total, defended))| {
        json!({
            "accountID": account,
            "accountName": name,
            "region": region,
            "serviceType": service,
            "credentialId": credential,
            "total": total,
            "defended": defended,
        })
    });
    Ok(HttpResponse::Ok().json(written.collect::<Vec<_>>()))
}

pub async fn entities(caller: Caller) -> Result<HttpResponse, Bad> {
    let written = found(&caller).await?.into_iter().map(|(line, facts, credential)| {
        json!({
            "accountID": line.place,
            "credentialId": credential,
            "region": facts.region,
            "serviceType": facts.service,
            "name": facts.title,
            "endpoint": facts.address,
            "version": facts.version,
            "defended": line.cover_id.is_some(),
        })
    });
    Ok(HttpResponse::Ok().json(written.collect::<Vec<_>>()))
}

pub async fn scan(Writer(caller): Writer) -> Result<HttpResponse, Bad> {
    for (row, _) in CLOUDS.named(&caller.services).await?.iter().filter(|(row, _)| row.active) {
        integrations::scan(&caller.services, &caller.principal, row.id).await?;
    }
    Ok(done())
}

pub async fn stop(Writer(caller): Writer) -> Result<HttpResponse, Bad> {
    stop_all(&caller, Family::CloudScan).await
}
