//! *Import* on the page of a secret store: choose entries by their names, see what they are, add the chosen ones. No
//! answer has a value, and the console keeps none between the steps.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::inventory::{self, Listed};
use crate::integrations::{Family, Spec};
use crate::models::{self, DbError, IntegrationId, integrations, items};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::credentials::import::{Offer, Outcome, Preview};
use crate::usecases::stores::import::{self, ENTRIES, MOST, mark};
use crate::web::credentials::import as credentials;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};
use crate::web::step_up;

/// Entries on a page to choose from: no more than one import takes.
const PAGE: i64 = MOST as i64;

#[derive(Template)]
#[template(path = "integrations/import.html")]
struct Choose {
    shell: Shell,
    /// The integration's own.
    page: String,
    name: String,
    problem: Option<String>,
    search: String,
    inventory: Listed,
}

#[derive(Template)]
#[template(path = "integrations/import_look.html")]
struct Look {
    shell: Shell,
    /// Where to choose again.
    page: String,
    name: String,
    entries: Vec<String>,
    preview: Preview,
}

impl Choose {
    /// `None` for an integration that is no store.
    async fn load(
        services: &Services,
        shell: Shell,
        id: IntegrationId,
        params: &Params,
        problem: Option<String>,
    ) -> Result<Option<Self>, Error> {
        let (vault, search, from) = (services.vault.clone(), params.get("q").to_owned(), inventory::start(params));
        let wanted = search.clone();
        let found = services.db.run(move |conn| {
            let row = integrations::find(conn, &vault, id)?.into_shown();
            if Spec::find(&row.version).and_then(Spec::store).is_none() {
                return Ok::<_, DbError>(None);
            }
            let page = items::page(conn, id, &wanted, from.as_ref(), PAGE)?;
            Ok(Some((row.name, page, items::count(conn, id)?, models::clock(conn)?)))
        });
        let Some((name, page, total, now)) = found.await? else { return Ok(None) };
        let family = inventory::of(Family::SecretStore.slug());
        let inventory = Listed::new(family, page, total, &address(id), params, now);
        Ok(Some(Self { shell, page: format!("/integrations/{id}"), name, problem, search, inventory }))
    }
}

fn address(id: IntegrationId) -> String {
    format!("/integrations/{id}/import")
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<IntegrationId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    visitor.require_fresh(&request, &address(*id))?;
    let shell = Shell::new(&request, &visitor, "integrations");
    match Choose::load(&services, shell, *id, &params, None).await? {
        Some(page) => page::html(&page),
        None => Ok(elsewhere(*id)),
    }
}

/// There is nothing to import from what is no store.
fn elsewhere(id: IntegrationId) -> HttpResponse {
    page::see_other(&format!("/integrations/{id}"), "")
}

/// The entries that a form names, each once.
fn chosen(posted: &Posted) -> Vec<String> {
    let mut entries: Vec<(usize, String)> = posted
        .0
        .names()
        .filter_map(|name| Some((name.strip_prefix("entry.")?.parse().ok()?, posted.get(name).to_owned())))
        .collect();
    entries.sort();
    let mut found: Vec<String> = Vec::new();
    for (_, entry) in entries {
        if !found.contains(&entry) {
            found.push(entry);
        }
    }
    found
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let known = ["entry.", "pick.", "name.", "was."];
    if !posted.0.names().all(|name| name == "add" || known.iter().any(|known| name.starts_with(known))) {
        posted.only([])?;
    }
    let (shell, principal) = (Shell::new(&request, &visitor, "integrations"), visitor.principal());
    let entries = chosen(&posted);
    let done = match posted.get("add") {
        "" => import::look(&services, &principal, *id, &entries).await.map(Step::Look),
        _ => {
            let name = |number: usize| {
                let picked = !posted.get(&format!("pick.{number}")).is_empty();
                picked.then(|| posted.get(&format!("name.{number}")).to_owned())
            };
            let was = |number: usize| posted.get(&format!("was.{number}")).to_owned();
            import::add(&services, &principal, (*id, &entries), name, was).await.map(Step::Added)
        }
    };
    match done {
        Ok(Step::Look(preview)) => {
            let vault = services.vault.clone();
            let id = *id;
            let row = services.db.run(move |conn| integrations::find(conn, &vault, id)).await?.into_shown();
            page::html(&Look { shell, page: address(id), name: row.name, entries, preview })
        }
        Ok(Step::Added(outcomes)) => credentials::done(shell, outcomes, &address(*id)),
        Err(Refusal::Invalid(errors)) => {
            let problem = errors.of(ENTRIES).map(str::to_owned);
            match Choose::load(&services, shell, *id, &Params::default(), problem).await? {
                Some(page) => page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page),
                None => Ok(elsewhere(*id)),
            }
        }
        Err(refusal) => Err(step_up::on_its_page(&request, &address(*id))(refusal)),
    }
}

enum Step {
    Look(Preview),
    Added(Vec<Outcome>),
}

impl Offer {
    /// What is sent back with the choice.
    fn seen(&self) -> String {
        mark(self.kind.slug, &self.place)
    }
}
