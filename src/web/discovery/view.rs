//! A registry, the functions of a region or a cluster as the table shows it.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::deployment;
use crate::form::Values;
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::models::discovery::Line;
use crate::models::{CredentialId, IntegrationId};
use crate::web::page::{When, when};
use crate::web::params::Params;

/// A line of the table.
pub struct ThingView {
    /// The name of the item.
    pub name: String,
    pub title: String,
    pub service: String,
    /// Blank where the title says the same.
    pub address: String,
    /// `210987654321`, and its name.
    pub account: String,
    pub alias: String,
    pub region: String,
    /// `14 repositories`
    pub details: String,
    /// In the vendor's word; blank where it has none.
    pub state: String,
    pub made: Option<When>,
    /// The last scan could not read it.
    pub kept: bool,
    pub integration: (IntegrationId, String),
    /// A scan could cover it.
    pub coverable: bool,
    /// The integration that does.
    pub cover: Option<(IntegrationId, String)>,
    /// Its settings leave some of it out.
    pub in_part: bool,
    /// `and 1 more`, where several cover it; else empty.
    pub others: String,
    /// The form that would cover it, filled in; where somebody may add it.
    pub add: Option<String>,
    /// The address of the filled-in form for a deployment; `None` if the user may not add one.
    pub deploy: Option<String>,
}

impl ThingView {
    pub fn new(line: Line, may_edit: bool, now: DateTime<Utc>) -> Self {
        let facts = facts(&line);
        let may_add = may_edit && line.cover_id.is_none() && !facts.add.is_empty();
        let details = facts.details();
        let target = if may_edit { deployment::fields(&facts, &line) } else { None };
        Self {
            add: may_add.then(|| form(&facts.add, &line.settings, line.credential_id)),
            deploy: target.map(|own| form(&own, &line.settings, line.credential_id)),
            details,
            name: line.name,
            account: line.place,
            made: facts.made.map(|at| when(at, now)),
            kept: line.kept,
            integration: (line.integration_id, line.integration_name),
            coverable: !facts.scope.is_empty(),
            cover: line.cover_id.zip(line.cover_name),
            in_part: line.whole == Some(false),
            others: Some(line.covers - 1)
                .filter(|more| *more > 0)
                .map(|more| format!("and {more} more"))
                .unwrap_or_default(),
            address: if facts.address == facts.title { String::new() } else { facts.address },
            title: facts.title,
            service: facts.service,
            alias: facts.account,
            region: facts.region,
            state: facts.state,
        }
    }
}

/// Those of the default where a later release wrote others.
pub fn facts(line: &Line) -> Facts {
    Facts::deserialize(&line.facts).unwrap_or_default()
}

/// `registry`, as files and tests name the sort.
pub fn sort(facts: &Facts) -> &'static str {
    match facts.sort {
        Sort::Registry => "registry",
        Sort::Functions => "functions",
        Sort::Cluster => "cluster",
        Sort::Key => "",
    }
}

/// What an integration has in common with one that covers what it found: how it signs in.
const SHARED: [&str; 3] = ["sts", "external_id", "session_minutes"];

/// The address of an integration's form with the same credential and role, and these fields filled in.
fn form(own: &[(String, String)], settings: &str, credential: Option<CredentialId>) -> String {
    let settings = Values::from_json(settings.as_bytes()).unwrap_or_default();
    let credential = credential.map(|id| id.to_string()).unwrap_or_default();
    let shared = SHARED.iter().map(|name| (*name, settings.get(name)));
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields: Vec<(&str, &str)> = shared.chain(own).chain([("credential", credential.as_str())]).collect();
    Params::default().link("/integrations/new", &fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_signs_in_as_the_scan_did() {
        let add = [("version", "ecr"), ("registry", "r.example"), ("role", "arn:aws:iam::1:role/r")];
        let add = add.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let settings = r#"{"account":"1","external_id":"e x","functions":"on","role":"r","sts":"on"}"#;
        let id = CredentialId(uuid::Uuid::from_u128(7));
        let expected = "/integrations/new?credential=00000000-0000-0000-0000-000000000007&external_id=e+x&\
                        registry=r.example&role=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&sts=on&version=ecr";
        assert_eq!(form(&add, settings, Some(id)), expected);
    }
}
