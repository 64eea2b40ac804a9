//! The page of a deployment. For htmx it answers with a part of the page: `part=run` during a run, otherwise the table
//! of nodes.

use actix_web::HttpResponse;
use askama::Template;
use chrono::{DateTime, Utc};

use super::panel::Panel;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::deployments::{Rule, rules};
use crate::integrations::spec::Host;
use crate::models::deployments::{self, Deployed};
use crate::models::integrations::Integration;
use crate::models::items;
use crate::models::runs::{self, Run, RunState};
use crate::models::trust::Seen;
use crate::models::{self, Conn, CredentialId, DbError, IntegrationId, credentials};
use crate::vault::Vault;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::exports::Exports;
use crate::web::integrations::facts::facts;
use crate::web::integrations::inventory::{self, Listed};
use crate::web::integrations::shown::{self, Going, Past};
use crate::web::page::{self, Shell, When};
use crate::web::params::Params;

const PAGE: i64 = 50;
const HISTORY: i64 = 10;

#[derive(Template)]
#[template(path = "deployments/show.html", blocks = ["live", "run", "results"])]
struct Show {
    shell: Shell,
    id: IntegrationId,
    name: String,
    kind: String,
    host: String,
    active: bool,
    doubt: Option<String>,
    panel: Panel,
    going: Option<Going>,
    /// Why the last finished run failed.
    failed: Option<String>,
    search: String,
    inventory: Listed,
    exports: Exports,
    history: Vec<Past>,
    credential: Option<(CredentialId, String)>,
    /// Label, id and name of the credentials that are written into the cluster.
    further: Vec<(&'static str, CredentialId, String)>,
    role: Option<String>,
    facts: Vec<(&'static str, String)>,
    /// The rules of the ClusterRole: resources, resource names, verbs.
    rules: Vec<(String, String, String)>,
    owner: String,
    tags: Vec<String>,
    edited: (String, When),
}

/// The data of the page.
pub struct Read {
    pub row: Integration,
    pub doubt: Option<String>,
    pub deployment: Option<Deployed>,
    pub credential: Option<(CredentialId, String)>,
    /// Role, id and name of the credentials that are written into the cluster.
    pub further: Vec<(String, CredentialId, String)>,
    pub runs: Vec<Run>,
    pub items: items::Page,
    pub total: i64,
    /// The cluster's address or name.
    pub leads_to: String,
    pub now: DateTime<Utc>,
}

pub fn read(conn: &mut Conn, vault: &Vault, seen: Seen<Integration>, params: &Params) -> Result<Read, DbError> {
    let (doubt, row) = (seen.doubt().map(|doubt| doubt.sentence("integration")), seen.into_shown());
    let main = row.credential_id.map(|id| credentials::find(conn, vault, id)).transpose()?.map(Seen::into_shown);
    let credential = main.as_ref().map(|main| (main.id, main.name.clone()));
    let mut name = |id: CredentialId| Ok::<_, DbError>(credentials::find(conn, vault, id)?.into_shown().name);
    let spec = Spec::find(&row.version);
    let further = row.further.iter().map(|usage| Ok((usage.role.clone(), usage.credential, name(usage.credential)?)));
    let further = further.collect::<Result<Vec<_>, DbError>>()?;
    let (search, from) = (params.get("q"), inventory::start(params));
    Ok(Read {
        deployment: deployments::find(conn, vault, row.id)?.map(Seen::into_shown),
        runs: runs::of(conn, row.id, HISTORY)?,
        items: items::page(conn, row.id, search, from.as_ref(), PAGE)?,
        total: items::count(conn, row.id)?,
        now: models::clock(conn)?,
        leads_to: match (spec.map(|spec| &spec.host), main) {
            (Some(Host::OfCredential), Some(main)) => main.identity,
            _ => row.host.clone(),
        },
        row,
        doubt,
        credential,
        further,
    })
}

/// The page, or the part of it that htmx asks for.
pub fn show(shell: Shell, asked: bool, read: Read, params: &Params) -> Result<HttpResponse, Error> {
    let page = Show::new(shell, read, params);
    if !asked {
        return page::html(&page);
    }
    match (params.get("part"), &page.going) {
        ("run", Some(_)) => page::html(&page.as_run()),
        ("run", None) => {
            let mut response = page::html(&page.as_live())?;
            htmx::retarget(&mut response, "#live", "outerMorph");
            Ok(response)
        }
        _ => page::html(&page.as_results()),
    }
}

/// Label of the field with pasted rules, which are shown as a table instead.
const OWN_RULES: &str = "ClusterRole rules";

/// `apps/daemonsets`, names, `get, list`
fn rule(rule: &Rule) -> (String, String, String) {
    let of_group = |group: &String| {
        let prefix = if group.is_empty() { String::new() } else { format!("{group}/") };
        rule.resources.iter().map(move |resource| format!("{prefix}{resource}")).collect::<Vec<_>>()
    };
    let what = rule.api_groups.iter().flat_map(of_group).chain(rule.paths.iter().cloned());
    let named = if rule.resource_names.is_empty() { "all".to_owned() } else { rule.resource_names.join(", ") };
    (what.collect::<Vec<_>>().join(", "), named, rule.verbs.join(", "))
}

impl Show {
    fn new(shell: Shell, read: Read, params: &Params) -> Self {
        let Read { row, doubt, deployment, credential, further, runs, items, total, leads_to, now } = read;
        let family = inventory::of(&row.family);
        let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
        let going = runs.first().filter(|run| run.unfinished()).map(|run| Going::new(run, family));
        let finished = runs.iter().find(|run| !run.unfinished());
        let path = format!("/integrations/{}", row.id);
        let spec = Spec::find(&row.version);
        let label =
            |role: &str| spec.and_then(|spec| spec.used_as(role)).map_or("Further credential", |used| used.label);
        Self {
            shell,
            id: row.id,
            kind: shown::kind(&row.family, &row.version),
            host: leads_to,
            active: row.active,
            doubt,
            panel: Panel::new(&row, deployment.as_ref(), now),
            going,
            failed: finished.filter(|run| run.state == RunState::Failed).and_then(|run| run.error.clone()),
            search: params.get("q").to_owned(),
            inventory: Listed::new(family, items, total, &path, params, now),
            exports: Exports::new(&row, &path, params),
            history: runs.iter().filter(|run| !run.unfinished()).map(|run| Past::new(run, family, now)).collect(),
            credential,
            further: further.into_iter().map(|(role, id, name)| (label(&role), id, name)).collect(),
            role: Spec::find(&row.version).and_then(|spec| spec.role(&settings)),
            facts: facts(&row, &settings, None).into_iter().filter(|(label, _)| *label != OWN_RULES).collect(),
            rules: rules(&settings).iter().map(rule).collect(),
            owner: row.owner.clone(),
            tags: row.tags.clone(),
            edited: (row.edited_by.clone(), page::when(row.edited_at, now)),
            name: row.name,
        }
    }
}
