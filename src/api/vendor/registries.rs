//! Registry scans in the vendor's model: one list of specifications, which is replaced as a whole. What it has no member for
//! (names, schedules, roles, owners, tags) stays as it is stored. A registry type that the vendor has no word for is not
//! listed, and is left alone.

use actix_web::HttpResponse;
use serde_json::{Value, json};

use super::answer::{Bad, done};
use super::caller::Caller;
use super::json::{Object, Sent};
use crate::form::Values;
use crate::integrations::{Family, Spec};
use crate::models::integrations::Integration;
use crate::usecases::integrations::listed::{self, List, Wanted};

/// The vendor's `version`, and the provider; of several words for one the first is written.
const TYPES: &[(&str, &str)] = &[
    ("2", "docker_v2"),
    ("2", "docker_hub"),
    ("dockerhub", "docker_hub"),
    ("aws", "ecr"),
    ("aws", "ecr_public"),
    ("azure", "acr"),
    ("gcr", "google_artifacts"),
    ("harbor", "harbor"),
    ("coreos", "quay"),
    ("quay", "quay"),
    ("jfrog", "jfrog"),
    ("sonatype", "nexus"),
    ("redhat", "openshift"),
    ("bluemix", "ibm"),
    ("ibm", "ibm"),
    ("gitlab", "gitlab"),
    ("alibaba", "alibaba"),
    ("ghcr", "ghcr"),
];

pub const LIST: List = List {
    family: Family::RegistryScan,
    versions: &[
        "docker_v2",
        "docker_hub",
        "ecr",
        "ecr_public",
        "acr",
        "google_artifacts",
        "harbor",
        "quay",
        "jfrog",
        "nexus",
        "openshift",
        "ibm",
        "gitlab",
        "alibaba",
        "ghcr",
    ],
};

/// Addresses by which people call Docker Hub, where the type does not say it.
const DOCKER_HUB: [&str; 5] = ["", "docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com"];
const ECR_PUBLIC: &str = "public.ecr.aws";
/// Tags of a repository that are kept unless the settings say otherwise.
const CAP: i64 = 5;
/// Members that are text here and there.
const TEXTS: [(&str, &str); 4] =
    [("registry", "registry"), ("tag", "tag"), ("versionPattern", "version_pattern"), ("caCert", "ca_certificate")];
const LISTS: [(&str, &str); 2] = [("excludedRepositories", "exclude_repositories"), ("excludedTags", "exclude_tags")];

pub fn settings(row: &Integration) -> Values {
    Values::from_json(row.settings.as_bytes()).unwrap_or_default()
}

fn patterns(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The host of a registry, without its scheme.
pub fn registry(row: &Integration) -> String {
    let settings = settings(row);
    match row.version.as_str() {
        "ecr_public" => ECR_PUBLIC.to_owned(),
        _ => settings.get("registry").to_owned(),
    }
}

fn written(row: &Integration, credential: &str) -> Value {
    let values = settings(row);
    let kind = TYPES.iter().find(|(_, slug)| *slug == row.version).map_or("", |(word, _)| word);
    json!({
        "id": row.id,
        "name": row.name,
        "version": kind,
        "registry": registry(row),
        "repository": values.get("repository"),
        "tag": values.get("tag"),
        "namespace": "",
        "credentialID": credential,
        "credential": {},
        "roleArn": if values.get("sts") == "on" { values.get("role") } else { "" },
        "cap": values.get("cap").parse::<i64>().unwrap_or(CAP),
        "excludedRepositories": patterns(values.get("exclude_repositories")),
        "excludedTags": patterns(values.get("exclude_tags")),
        "versionPattern": values.get("version_pattern"),
        "caCert": values.get("ca_certificate"),
        "os": "linux",
        "scanners": 2,
        "collections": ["All"],
        "harborDeploymentSecurity": false,
        "jfrogRepoTypes": [],
    })
}

fn read(entry: &Value) -> Result<Wanted, Bad> {
    let sent = Object::of(entry, "A specification")?;
    let version = provider(sent)?;
    let fields = Spec::find(version).map_or(&[][..], |spec| spec.fields);
    let has = |name: &str| fields.iter().any(|field| field.name == name);
    let mut given = Values::default();
    for (member, field) in TEXTS.iter().filter(|(_, field)| has(field)) {
        if let Some(text) = sent.text(member)? {
            given.set(*field, text);
        }
    }
    for (member, field) in LISTS.iter().filter(|(_, field)| has(field)) {
        if let Some(texts) = sent.texts(member)? {
            given.set(*field, texts.join(", "));
        }
    }
    if let Some(repository) = sent.text("repository")? {
        let namespace = sent.text("namespace")?.unwrap_or_default();
        given.set("repository", within(namespace, repository));
    }
    if let Some(cap) = sent.number("cap")? {
        given.set("cap", cap.to_string());
    }
    if let Some(arn) = sent.text("roleArn")?.filter(|_| has("sts")) {
        given.set("sts", if arn.is_empty() { "" } else { "on" });
        given.set("role", arn);
    }
    let credential = credential_of(sent)?;
    let id = sent.text("id")?.and_then(|id| id.parse().ok());
    Ok(Wanted { id, version, credential, given })
}

/// Two spellings are about.
pub fn credential_of(sent: Object<'_>) -> Result<Option<String>, Bad> {
    let name = match sent.text("credentialID")? {
        None => sent.text("credentialId")?,
        named => named,
    };
    Ok(name.map(str::to_owned))
}

fn within(namespace: &str, repository: &str) -> String {
    match (namespace, repository) {
        ("", repository) => repository.to_owned(),
        (namespace, "") => format!("{namespace}/*"),
        (namespace, repository) => format!("{namespace}/{repository}"),
    }
}

fn provider(sent: Object<'_>) -> Result<&'static str, Bad> {
    let (kind, registry) = (sent.text("version")?.unwrap_or_default(), sent.text("registry")?.unwrap_or_default());
    let host = registry.trim_start_matches("https://").trim_end_matches('/');
    match kind {
        "2" if DOCKER_HUB.contains(&host) => Ok("docker_hub"),
        "aws" if host.split('/').next() == Some(ECR_PUBLIC) => Ok("ecr_public"),
        _ => TYPES.iter().find(|(word, _)| *word == kind).map(|(_, slug)| *slug).ok_or_else(|| {
            let mut words: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
            words.dedup();
            Bad::said(format!("version must be one of {}.", words.join(", ")))
        }),
    }
}

pub async fn index(caller: Caller) -> Result<HttpResponse, Bad> {
    let rows = LIST.named(&caller.services).await?;
    let written: Vec<Value> = rows.iter().map(|(row, credential)| written(row, credential)).collect();
    Ok(HttpResponse::Ok().json(json!({"specifications": written})))
}

pub async fn replace(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let sent = Object::of(&body, "The body")?;
    // Without the member, somebody meant something else than to delete all.
    let entries = sent.list("specifications")?.ok_or_else(|| Bad::said("specifications must be a list."))?;
    listed::check_length(entries.len())?;
    let wanted = entries.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    listed::replace(&caller.services, &caller.principal, LIST, wanted, &caller.confirmation()).await?;
    Ok(done())
}

pub async fn create(Sent { caller, body }: Sent) -> Result<HttpResponse, Bad> {
    let wanted = read(&body)?;
    listed::append(&caller.services, &caller.principal, LIST, wanted, &caller.confirmation()).await?;
    Ok(done())
}
