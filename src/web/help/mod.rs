//! The help inside the product: an index with a search, and one page for each type of credentials, each provider of
//! integrations and what holds for all. The pages are data (`topic`), made from what the types and providers declare, so
//! that a new one has its page; nothing is read from the database or the network.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::htmx;
use super::page::{self, Shell};
use super::params::Params;
use super::session::{As, Auditor};

mod clouds;
mod concepts;
mod containers;
mod fields;
mod kinds;
pub mod library;
mod machines;
pub mod paths;
mod rights;
mod running;
mod specs;
mod topic;

use library::Found;
use topic::{Block, Topic};

/// Longest search, in characters.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "help/index.html", blocks = ["found"])]
struct Index {
    shell: Shell,
    search: String,
    /// Pages by the heading that they stand under; empty while somebody searches.
    groups: Vec<(&'static str, Vec<&'static Topic>)>,
    found: Vec<Found>,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "help/show.html")]
struct Show {
    shell: Shell,
    topic: &'static Topic,
    version: &'static str,
}

pub async fn index(request: HttpRequest, visitor: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let search: String = params.get("q").trim().chars().take(LONGEST).collect();
    let (groups, found) =
        if search.is_empty() { (grouped(), Vec::new()) } else { (Vec::new(), library::search(&search)) };
    let shell = Shell::new(&request, &visitor, "help");
    let page = Index { shell, search, groups, found, version: page::VERSION };
    if htmx::asked(&request) { page::html(&page.as_found()) } else { page::html(&page) }
}

/// The pages in their order, by heading.
fn grouped() -> Vec<(&'static str, Vec<&'static Topic>)> {
    let mut groups: Vec<(&'static str, Vec<&'static Topic>)> = Vec::new();
    for topic in library::all() {
        match groups.last_mut().filter(|(group, _)| *group == topic.group) {
            Some((_, topics)) => topics.push(topic),
            None => groups.push((topic.group, vec![topic])),
        }
    }
    groups
}

pub async fn concept(request: HttpRequest, visitor: As<Auditor>, name: Path<String>) -> Result<HttpResponse, Error> {
    show(&request, visitor, &format!("/help/{name}"))
}

pub async fn credential(request: HttpRequest, visitor: As<Auditor>, slug: Path<String>) -> Result<HttpResponse, Error> {
    show(&request, visitor, &paths::of_kind(&slug))
}

pub async fn integration(
    request: HttpRequest,
    visitor: As<Auditor>,
    slug: Path<String>,
) -> Result<HttpResponse, Error> {
    show(&request, visitor, &paths::of_spec(&slug))
}

fn show(request: &HttpRequest, visitor: As<Auditor>, href: &str) -> Result<HttpResponse, Error> {
    let topic = library::find(href).ok_or(Error::NotFound)?;
    page::html(&Show { shell: Shell::new(request, &visitor, "help"), topic, version: page::VERSION })
}
