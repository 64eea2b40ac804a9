//! Saved views above a list: the chips that open them, and the forms that save, rename and remove one. A list's page puts a
//! [`Bar`] above its rows; what an address of a list may hold is asked of the list.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::page::{self, Shell};
use super::params::Params;
use super::posted::Posted;
use super::session::{As, Auditor};
use super::{alerts, credentials, integrations};
use crate::accounts::Role;
use crate::models::ViewId;
use crate::models::views::{List, View};
use crate::services::Services;
use crate::usecases::views::{self, Entered};
use crate::usecases::{Principal, Refusal};

/// Of the address of a list, what a view keeps.
fn names(list: List) -> &'static [&'static str] {
    match list {
        List::Credentials => &["q", "kind", "tag", "owner", "state", "within", "sort", "dir"],
        List::Integrations => &["q", "family", "tag", "owner", "state", "sort", "dir"],
        List::Alerts => &alerts::asked::NAMES,
    }
}

fn path(list: List) -> &'static str {
    match list {
        List::Credentials => credentials::query::PATH,
        List::Integrations => integrations::query::PATH,
        List::Alerts => alerts::asked::PATH,
    }
}

/// As its page is called.
pub fn label(list: List) -> &'static str {
    match list {
        List::Credentials => "Credentials",
        List::Integrations => "Integrations",
        List::Alerts => "Alerts",
    }
}

/// Refuses an address that the list does not have.
fn check(services: &Services, list: List, params: &Params) -> Result<(), Error> {
    match list {
        List::Credentials => credentials::query::read(params, services.limits()).map(drop),
        List::Integrations => integrations::query::read(params).map(drop),
        List::Alerts => alerts::asked::filter(|name| params.get(name)).map(drop),
    }
}

/// What a view of the present address would hold.
fn kept(list: List, params: &Params) -> BTreeMap<String, String> {
    let pair = |name: &&str| Some(((*name).to_owned(), params.get(name).trim().to_owned()));
    names(list).iter().filter_map(pair).filter(|(_, value)| !value.is_empty()).collect()
}

/// The address of a view. Names that the list does not know are left out.
pub fn href(view: &View) -> String {
    let query = view.query();
    let pairs = names(view.list).iter().filter_map(|name| Some((*name, query.get(*name)?.as_str())));
    Params::default().link(path(view.list), &pairs.collect::<Vec<_>>())
}

/// One view above a list.
pub struct Saved {
    pub id: ViewId,
    pub name: String,
    pub href: String,
    pub shared: bool,
    pub is_current: bool,
    pub may_change: bool,
}

/// What stands above the rows of a list.
#[derive(Default)]
pub struct Bar {
    pub list: &'static str,
    pub saved: Vec<Saved>,
    /// What can be saved, as an address has it; empty where nothing is filtered.
    pub filter: String,
    pub may_share: bool,
}

impl Bar {
    pub fn new(list: List, params: &Params, views: Vec<View>, principal: &Principal) -> Self {
        let present = kept(list, params);
        let saved = |view: View| Saved {
            id: view.id,
            href: href(&view),
            shared: view.is_shared(),
            is_current: view.query() == present,
            may_change: views::may_change(principal, &view),
            name: view.name,
        };
        let pairs: Vec<(&str, &str)> = present.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let filter = if pairs.is_empty() { String::new() } else { Params::default().link(path(list), &pairs) };
        let may_share = principal.visitor().may(Role::Operator);
        Self { list: list.word(), saved: views.into_iter().map(saved).collect(), filter, may_share }
    }

    pub fn is_blank(&self) -> bool {
        self.saved.is_empty() && self.filter.is_empty()
    }

    pub fn current(&self) -> Option<&Saved> {
        self.saved.iter().find(|view| view.is_current)
    }
}

/// The form by itself, where something was wrong.
#[derive(Template)]
#[template(path = "views/form.html")]
struct Form {
    shell: Shell,
    title: &'static str,
    action: String,
    /// Hidden: (name, value)
    hidden: Vec<(&'static str, String)>,
    back: String,
    name: String,
    error: String,
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["list", "filter", "name", "shared"])?;
    let list = List::find(posted.get("list")).ok_or(Error::Malformed)?;
    let params = Params::read(posted.get("filter").split_once('?').map_or("", |(_, query)| query));
    check(&services, list, &params)?;
    let (query, name) = (kept(list, &params), posted.get("name"));
    let pairs: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let back = Params::default().link(path(list), &pairs);
    let entered = Entered { list, name, shared: posted.get("shared") == "on", query: query.clone() };
    let refusal = match views::save(&services, &visitor.principal(), entered).await {
        Ok(()) => return Ok(page::see_other(&back, "view-saved")),
        Err(refusal) => refusal,
    };
    let hidden = ["list", "filter", "shared"].map(|name| (name, posted.get(name).to_owned())).to_vec();
    let shell = Shell::new(&request, &visitor, list.word());
    again(
        refusal,
        Form {
            shell,
            title: "Save view",
            action: "/views".to_owned(),
            hidden,
            back,
            name: name.to_owned(),
            error: String::new(),
        },
    )
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    id: Path<ViewId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["name", "next"])?;
    let name = posted.get("name");
    let refusal = match views::rename(&services, &visitor.principal(), *id, name).await {
        Ok(view) => return Ok(page::see_other(&href(&view), "view-renamed")),
        Err(refusal) => refusal,
    };
    let back = page::local_path(posted.get("next")).to_owned();
    let (action, hidden) = (format!("/views/{id}"), vec![("next", back.clone())]);
    let shell = Shell::new(&request, &visitor, "");
    again(
        refusal,
        Form { shell, title: "Rename view", action, hidden, back, name: name.to_owned(), error: String::new() },
    )
}

pub async fn destroy(
    services: Data<Services>,
    visitor: As<Auditor>,
    id: Path<ViewId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let view = views::remove(&services, &visitor.principal(), *id).await?;
    Ok(page::see_other(path(view.list), "view-removed"))
}

/// The form with what is wrong.
fn again(refusal: Refusal, form: Form) -> Result<HttpResponse, Error> {
    match refusal {
        Refusal::Invalid(errors) => {
            let error = errors.of("name").unwrap_or_default().to_owned();
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &Form { error, ..form })
        }
        refusal => Err(refusal.into()),
    }
}
