//! *Search or jump*: credentials and integrations by any of their words, saved views, the pages of the console, and what
//! can be added. A page by itself; with script the palette (static/js/palette.js) shows its results over any page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::help::library;
use super::htmx;
use super::integrations::shown;
use super::page::{self, Shell};
use super::params::Params;
use super::session::{As, Auditor};
use super::views;
use crate::credentials::{self, KINDS};
use crate::integrations::Family;
use crate::models::credential_query::{self, Sort};
use crate::models::views::View;
use crate::models::{self, DbError, UserId, client_list, credential_list};
use crate::models::{integration_list, integration_query};
use crate::services::Services;

/// Results of each sort.
const EACH: usize = 6;
/// Longest search, in characters.
const LONGEST: usize = 200;

/// (name, address, icon, for administrators alone)
const PAGES: &[(&str, &str, &str, bool)] = &[
    ("Dashboard", "/", "dashboard", false),
    ("Credentials", "/credentials", "key", false),
    ("Integrations", "/integrations", "plug", false),
    ("Cloud keys", "/cloud-keys", "cloud", false),
    ("Discovery", "/discovery", "globe", false),
    ("Clusters", "/clusters", "ship", false),
    ("Clients", "/clients", "terminal", false),
    ("Alerts", "/alerts", "bell", false),
    ("Alert settings", "/alerts/settings", "bell", true),
    ("Audit", "/audit", "list", false),
    ("Users", "/users", "users", true),
    ("Account", "/account", "user", false),
    ("Help", "/help", "help", false),
];

/// One line of the results.
struct Hit {
    /// Slug of a mark; empty: the icon is shown.
    mark: &'static str,
    icon: &'static str,
    name: String,
    detail: String,
    href: String,
}

struct Group {
    title: &'static str,
    hits: Vec<Hit>,
}

#[derive(Template)]
#[template(path = "search/show.html", blocks = ["found"])]
struct Show {
    shell: Shell,
    search: String,
    groups: Vec<Group>,
}

pub async fn show(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let search: String = params.get("q").trim().chars().take(LONGEST).collect();
    let shell = Shell::new(&request, &visitor, "search");
    let mut groups = match search.is_empty() {
        true => Vec::new(),
        false => found(&services, visitor.user_id, search.clone()).await?,
    };
    groups.push(Group { title: "Pages", hits: pages(&shell, &search) });
    groups.push(Group { title: "Help", hits: if search.is_empty() { Vec::new() } else { help(&search) } });
    groups.push(Group { title: "Add", hits: if shell.may_edit { additions(&search) } else { Vec::new() } });
    groups.retain(|group| !group.hits.is_empty());
    let page = Show { shell, search, groups };
    match htmx::asked(&request) {
        true => page::html(&page.as_found()),
        false => page::html(&page),
    }
}

async fn found(services: &Services, user: UserId, search: String) -> Result<Vec<Group>, Error> {
    let limits = services.limits();
    let by_match = credential_query::Query { search: search.clone(), sort: Sort::Match, limits, ..Default::default() };
    let by_name = integration_query::Query { search: search.clone(), ..Default::default() };
    let search_clients = search.clone();
    let read = move |conn: &mut _| {
        let credentials = credential_list::page(conn, &by_match)?.rows;
        let integrations = integration_list::sorted(conn, &by_name, EACH as i64)?;
        let clients = client_list::search(conn, &search_clients, EACH as i64)?;
        Ok::<_, DbError>((credentials, integrations, clients, models::views::of(conn, user, None)?))
    };
    let (credentials, integrations, clients, views) = services.db.run(read).await?;
    let fitting = views.into_iter().filter(|view| matches(&view.name, &search));
    let credential = |row: credential_query::Row| Hit {
        mark: credentials::find(&row.kind).map_or("", |kind| kind.slug),
        icon: "key",
        name: row.name,
        detail: row.identity,
        href: format!("/credentials/{}", row.id),
    };
    let integration = |line: integration_list::Line| Hit {
        mark: crate::integrations::Spec::find(&line.version).map_or("", |spec| spec.slug),
        icon: "plug",
        name: line.name,
        detail: shown::kind(&line.family, &line.version),
        href: format!("/integrations/{}", line.id),
    };
    Ok(vec![
        Group { title: "Credentials", hits: credentials.into_iter().take(EACH).map(credential).collect() },
        Group { title: "Integrations", hits: integrations.into_iter().take(EACH).map(integration).collect() },
        Group { title: "Clients", hits: clients.into_iter().map(client).collect() },
        Group { title: "Saved views", hits: fitting.take(EACH).map(saved).collect() },
    ])
}

fn client(found: client_list::Hit) -> Hit {
    let detail = if found.active { found.description } else { "Disabled".to_owned() };
    Hit { mark: "", icon: "terminal", name: found.name, detail, href: format!("/clients/{}", found.id) }
}

fn saved(view: View) -> Hit {
    Hit {
        mark: "",
        icon: "filter",
        detail: views::label(view.list).to_owned(),
        href: views::href(&view),
        name: view.name,
    }
}

/// Whether each word of a search is somewhere in the text.
fn matches(text: &str, search: &str) -> bool {
    let text = text.to_lowercase();
    search.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

fn pages(shell: &Shell, search: &str) -> Vec<Hit> {
    let open = PAGES.iter().filter(|(_, _, _, administrators)| shell.is_administrator || !administrators);
    let fitting = open.filter(|(name, ..)| matches(name, search));
    let hit = |(name, href, icon, _): &(&'static str, &str, &'static str, bool)| Hit {
        mark: "",
        icon,
        name: (*name).to_owned(),
        detail: String::new(),
        href: (*href).to_owned(),
    };
    fitting.map(hit).collect()
}

/// Pages of the help that have all words.
fn help(search: &str) -> Vec<Hit> {
    let hit = |found: library::Found| Hit {
        mark: found.topic.mark,
        icon: "help",
        name: format!("Help: {}", found.topic.title),
        detail: found.topic.group.to_owned(),
        href: found.topic.href.clone(),
    };
    library::search(search).into_iter().take(EACH).map(hit).collect()
}

fn additions(search: &str) -> Vec<Hit> {
    let hit = |mark, noun: &str, label: &str, href| Hit {
        mark,
        icon: "plus",
        name: format!("Add {noun}: {label}"),
        detail: String::new(),
        href,
    };
    if search.is_empty() {
        let general = [
            ("Add credential", "/credentials/new"),
            ("Add integration", "/integrations/new"),
            ("Add client", "/clients/new"),
        ];
        let hit = |(name, href): (&str, &str)| Hit {
            mark: "",
            icon: "plus",
            name: name.to_owned(),
            detail: String::new(),
            href: href.to_owned(),
        };
        return general.into_iter().map(hit).collect();
    }
    let kinds = KINDS
        .iter()
        .map(|kind| hit(kind.slug, "credential", kind.label, format!("/credentials/new?kind={}", kind.slug)));
    let specs = Family::ALL.iter().flat_map(|family| family.providers());
    let specs =
        specs.map(|spec| hit(spec.slug, "integration", spec.label, format!("/integrations/new?version={}", spec.slug)));
    kinds.chain(specs).filter(|hit| matches(&hit.name, search)).take(EACH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_search_has_to_be_somewhere() {
        assert!(matches("Add integration: Amazon ECR", "ecr add"));
        assert!(!matches("Add integration: Amazon ECR", "ecr azure"));
        assert!(matches("Dashboard", ""));
    }
}
