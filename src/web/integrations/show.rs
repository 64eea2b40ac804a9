//! The page of an integration: what it is, how its scan goes or went, what it found, what changed, and its history. The
//! address answers htmx with a part of itself: `part=run` while a scan runs, else the inventory's table.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::exports::Exports;
use super::facts::facts;
use super::gaps::Gaps;
use super::hook::Webhook;
use super::inventory::{self, Changed, Listed};
use super::shown::{self, Going, Past};
use super::{channel, deployment, form, sync};
use crate::form::Values;
use crate::integrations::{Family, Spec};
use crate::models::integrations::{self, Integration};
use crate::models::items::{self, Change, Start};
use crate::models::runs::{self, Run, RunState};
use crate::models::stores::{self, Using};
use crate::models::trust::Seen;
use crate::models::{self, Conn, CredentialId, DbError, IntegrationId, credentials};
use crate::providers::egress::Egress;
use crate::services::Services;
use crate::vault::Vault;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell, When};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

const PAGE: i64 = 50;
const HISTORY: i64 = 10;
const CHANGES: i64 = 25;

#[derive(Template)]
#[template(path = "integrations/show.html", blocks = ["live", "run", "results"])]
struct Show {
    shell: Shell,
    id: IntegrationId,
    name: String,
    kind: String,
    host: String,
    active: bool,
    /// Why the row is not used, and what to do.
    doubt: Option<String>,
    warning: Option<&'static str>,
    going: Option<Going>,
    /// Why the last finished run failed.
    failed: Option<String>,
    gaps: Gaps,
    search: String,
    inventory: Listed,
    exports: Exports,
    changed: Option<Changed>,
    history: Vec<Past>,
    credential: Option<(CredentialId, String)>,
    /// The role between the credential and the registry.
    role: Option<String>,
    facts: Vec<(&'static str, String)>,
    owner: String,
    tags: Vec<String>,
    schedule: String,
    next_run: Option<When>,
    edited: (String, When),
    webhook: Option<Webhook>,
    /// Of a store: what passes on its entries.
    using: Option<Vec<Using>>,
}

/// Everything that the page is made of, read at once.
struct Read {
    row: Integration,
    doubt: Option<String>,
    credential: Option<(CredentialId, String)>,
    runs: Vec<Run>,
    items: items::Page,
    total: i64,
    changes: Option<(Run, Vec<Change>)>,
    gaps: Gaps,
    webhook: Option<Webhook>,
    using: Option<Vec<Using>>,
    now: DateTime<Utc>,
}

/// What the page is of: each family has its own.
enum Found {
    Scan(Box<Read>),
    Channel(Box<channel::Read>),
    Deployment(Box<deployment::show::Read>),
    Sync(Box<deployment::show::Read>),
}

fn read(
    conn: &mut Conn,
    vault: &Vault,
    seen: Seen<Integration>,
    search: &str,
    from: Option<&Start>,
) -> Result<Read, DbError> {
    let (doubt, row) = (seen.doubt().map(|doubt| doubt.sentence("integration")), seen.into_shown());
    let id = row.id;
    let credential = match row.credential_id {
        Some(id) => Some((id, credentials::find(conn, vault, id)?.into_shown().name)),
        None => None,
    };
    let runs = runs::of(conn, id, HISTORY)?;
    let last_read = runs.iter().find(|run| run.has_read()).cloned();
    let gaps = Gaps::read(conn, &row, last_read.as_ref())?;
    let changes = match last_read {
        Some(run) => {
            let changes = items::changes(conn, run.id, CHANGES)?;
            Some((run, changes))
        }
        None => None,
    };
    let (items, total) = (items::page(conn, id, search, from, PAGE)?, items::count(conn, id)?);
    let now = models::clock(conn)?;
    let webhook = Webhook::read(conn, vault, &row, now)?;
    let using = match row.family == Family::SecretStore.slug() {
        true => Some(stores::using(conn, id)?),
        false => None,
    };
    Ok(Read { row, doubt, credential, runs, items, total, changes, gaps, webhook, using, now })
}

/// What the page of the integration shows, by its family.
fn find(
    conn: &mut Conn,
    vault: &Vault,
    id: IntegrationId,
    (search, from, params): (&str, Option<&Start>, &Params),
) -> Result<Found, DbError> {
    let row = integrations::find(conn, vault, id)?;
    match Family::find(&row.shown().family) {
        Some(Family::AlertProfile) => channel::read(conn, vault, row).map(|read| Found::Channel(Box::new(read))),
        Some(Family::DaemonSet) => {
            deployment::show::read(conn, vault, row, params).map(|read| Found::Deployment(Box::new(read)))
        }
        Some(Family::SecretSync) => {
            deployment::show::read(conn, vault, row, params).map(|read| Found::Sync(Box::new(read)))
        }
        _ => read(conn, vault, row, search, from).map(|read| Found::Scan(Box::new(read))),
    }
}

pub async fn show(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    id: Path<IntegrationId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (id, search, from) = (*id, params.get("q").to_owned(), inventory::start(&params));
    let (wanted, vault, kept) = (search.clone(), services.vault.clone(), params.clone());
    let found = services.db.run(move |conn| find(conn, &vault, id, (&wanted, from.as_ref(), &kept)));
    let read = match found.await? {
        Found::Scan(read) => *read,
        Found::Channel(read) => {
            return channel::show(Shell::new(&request, &visitor, "integrations"), &services.egress, *read);
        }
        Found::Deployment(read) => {
            let shell = Shell::new(&request, &visitor, "integrations");
            return deployment::show::show(shell, htmx::asked(&request), *read, &params);
        }
        Found::Sync(read) => {
            let shell = Shell::new(&request, &visitor, "integrations");
            return sync::show::show(shell, htmx::asked(&request), *read, &params);
        }
    };
    let page = Show::new(Shell::new(&request, &visitor, "integrations"), &services.egress, read, search, &params);
    if !htmx::asked(&request) {
        return page::html(&page);
    }
    match (params.get("part"), &page.going) {
        ("run", Some(_)) => page::html(&page.as_run()),
        ("run", None) => {
            // The scan has ended: everything that it may have changed is drawn anew.
            let mut response = page::html(&page.as_live())?;
            htmx::retarget(&mut response, "#live", "outerMorph");
            Ok(response)
        }
        _ => page::html(&page.as_results()),
    }
}

impl Show {
    fn new(shell: Shell, egress: &Egress, read: Read, search: String, params: &Params) -> Self {
        let Read { row, doubt, credential, runs, items, total, changes, gaps, webhook, using, now } = read;
        let family = inventory::of(&row.family);
        let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
        let address = form::address(&row.version, &settings);
        let going = runs.first().filter(|run| run.unfinished()).map(|run| Going::new(run, family));
        let finished = runs.iter().find(|run| !run.unfinished());
        let path = format!("/integrations/{}", row.id);
        Self {
            shell,
            id: row.id,
            kind: shown::kind(&row.family, &row.version),
            host: row.host.clone(),
            active: row.active,
            doubt,
            warning: address.as_ref().filter(|_| row.credential_id.is_some()).and_then(Egress::warning),
            going,
            failed: finished.filter(|run| run.state == RunState::Failed).and_then(|run| run.error.clone()),
            gaps,
            search,
            inventory: Listed::new(family, items, total, &path, params, now),
            exports: Exports::new(&row, &path, params),
            changed: changes.map(|(run, changes)| Changed::new(family, &run, changes, now)),
            history: runs.iter().filter(|run| !run.unfinished()).map(|run| Past::new(run, family, now)).collect(),
            credential,
            role: Spec::find(&row.version).and_then(|spec| spec.role(&settings)),
            facts: facts(&row, &settings, address.as_ref().and_then(|url| egress.way_out(url))),
            owner: row.owner.clone(),
            tags: row.tags.clone(),
            schedule: shown::schedule(row.every_hours),
            next_run: row.next_run_at.filter(|_| row.active).map(|at| shown::until(at, now)),
            edited: (row.edited_by.clone(), page::when(row.edited_at, now)),
            name: row.name,
            webhook,
            using,
        }
    }
}
