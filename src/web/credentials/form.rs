//! The form of a credential, for adding and for editing: the fields that all have, the fields of the type, what was
//! entered wrongly. Secrets go in and never come out.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::view::FindingView;
use crate::credentials::{Guide, KINDS, Kind};
use crate::form::{self, Control, Errors, Field, FieldView, Values};
use crate::integrations::{Family, deployments};
use crate::usecases::credentials::entered;
use crate::usecases::labels;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::detour::{self, BACK};
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::step_up::{self, Ask};

/// Refuses everything that the form of `kind` does not post; `more` are fields of one page alone.
pub fn only(kind: &Kind, posted: &Posted, more: &[&'static str]) -> Result<(), Error> {
    let own = kind.fields.iter().map(|field| field.name).chain(more.iter().copied());
    posted.only(own.chain([
        "kind",
        "name",
        "description",
        "owner",
        "tags",
        "row_version",
        "redraw",
        BACK,
        step_up::OTHER_FIELD,
    ]))
}

/// The row's version that an edit form was made from.
pub fn version(posted: &Posted) -> Result<i64, Error> {
    let unread = || Error::Unacceptable("The form does not say which version it edits. Reload the page.".to_owned());
    posted.get("row_version").parse().map_err(|_| unread())
}

/// Where a form leads and what it starts from.
pub struct Setting {
    pub title: String,
    pub lead: String,
    pub back: (String, String),
    /// The form of an integration that waits for this credential.
    pub waiting: Option<String>,
    /// Where it posts.
    pub action: String,
    /// Where its Test button posts.
    pub test: String,
    /// Its own page, which answers htmx with the inside of `#fields`.
    pub url: String,
    /// Edited as of this version; `None` for a new one.
    pub row_version: Option<i64>,
    pub notice: Option<&'static str>,
    /// Those in use, to suggest.
    pub owners: Vec<String>,
}

#[derive(Template)]
#[template(path = "credentials/form.html", blocks = ["page", "fields", "finding"])]
pub struct FormPage {
    shell: Shell,
    kind: &'static Kind,
    /// (slug, label, chosen) to switch to; empty for a saved credential, whose type stays.
    kinds: Vec<(&'static str, &'static str, bool)>,
    setting: Setting,
    name: FieldView,
    description: String,
    description_error: Option<String>,
    /// Owner and tags.
    labels: Vec<FieldView>,
    fields: Vec<FieldView>,
    /// (anchor, label, sentence)
    problems: Vec<(String, String, String)>,
    /// What is not done while there are problems.
    undone: &'static str,
    finding: Option<FindingView>,
    /// Whether a secret was typed, which no page shows again.
    typed_secret: bool,
    multipart: bool,
    guide: &'static Guide,
    password: Option<Ask>,
}

impl FormPage {
    /// `filled` is what the fields show, `stored` what is saved.
    pub fn new(
        shell: Shell,
        kind: &'static Kind,
        mut setting: Setting,
        filled: Option<&Values>,
        stored: Option<&Values>,
        errors: &Errors,
    ) -> Self {
        let no_picks = |_: &str| Vec::new();
        let fields = form::view(kind.fields, filled, stored, errors, &no_picks);
        let mut name = form::view(&[entered::NAME], filled, None, errors, &no_picks);
        let mut labels = form::view(&[labels::OWNER, labels::TAGS], filled, None, errors, &no_picks);
        form::suggest(&mut labels, "owner", std::mem::take(&mut setting.owners));
        // As the fields of the type: what was pasted into the wrong one is not shown again.
        let again = |field: &str| match filled {
            Some(values) => form::shown_again(kind.fields, values, values.get(field), errors.of(field).is_some()),
            None => true,
        };
        for field in name.iter_mut().chain(&mut labels).filter(|field| !again(field.name)) {
            field.value.clear();
        }
        let problems = errors.iter().map(|(field, message)| problem(kind, field, message)).collect();
        let is_new = setting.row_version.is_none();
        let fitting = setting.waiting.as_deref().map(detour::kinds).unwrap_or_default();
        let fits = |k: &&&Kind| is_new && (fitting.is_empty() || fitting.contains(&k.slug));
        Self {
            shell,
            kinds: KINDS.iter().filter(fits).map(|k| (k.slug, k.label, k.slug == kind.slug)).collect(),
            setting,
            name: name.remove(0),
            description: filled.filter(|_| again("description")).map_or("", |v| v.get("description")).to_owned(),
            description_error: errors.of("description").map(str::to_owned),
            labels,
            fields,
            problems,
            undone: "saved",
            finding: None,
            typed_secret: kind.fields.iter().any(|field| {
                field.control.is_secret() && filled.is_some_and(|filled| !filled.get(field.name).trim().is_empty())
            }),
            multipart: kind.fields.iter().any(|f| matches!(f.control, Control::Document | Control::SecretDocument)),
            guide: &kind.guide,
            password: None,
            kind,
        }
    }

    /// Slug and label of the providers without a kubeconfig that an error on the form names.
    fn ways(&self) -> Vec<(&'static str, &'static str)> {
        let is_named = |label: &str| {
            let way = format!("{} → {label}.", Family::DaemonSet.label());
            self.problems.iter().any(|(.., text)| text.contains(&way))
        };
        let named = deployments::VERSIONS.iter().filter(|spec| is_named(spec.label));
        named.map(|spec| (spec.slug, spec.label)).collect()
    }

    /// The form that asks for the visitor's password before it saves.
    pub fn asking(mut self, request: &HttpRequest, ask: &Ask) -> Result<HttpResponse, Error> {
        self.password = Some(ask.clone());
        if htmx::asked(request) { ask.answer(&self.as_page()) } else { ask.answer(&self) }
    }

    /// The form with its problems, after it should have been saved.
    pub fn refused(&self, request: &HttpRequest) -> Result<HttpResponse, Error> {
        self.answer(request, StatusCode::UNPROCESSABLE_ENTITY, false)
    }

    /// The page, its part for htmx, or the fields alone when htmx asks for those of another choice.
    pub fn answer(&self, request: &HttpRequest, status: StatusCode, fields_only: bool) -> Result<HttpResponse, Error> {
        match htmx::asked(request) {
            true if fields_only => page::html_with(status, &self.as_fields()),
            true => page::html_with(status, &self.as_page()),
            false => page::html_with(status, self),
        }
    }
}

impl FormPage {
    /// The form with what a test of its values found; for htmx that alone, so that what was typed stays.
    pub fn tested(mut self, request: &HttpRequest, finding: FindingView) -> Result<HttpResponse, Error> {
        self.finding = Some(finding);
        if htmx::asked(request) { page::html(&self.as_finding()) } else { page::html(&self) }
    }

    /// The form with its problems, after a test was asked for.
    pub fn untested(mut self, request: &HttpRequest) -> Result<HttpResponse, Error> {
        self.undone = "tested";
        let mut response = self.refused(request)?;
        if htmx::asked(request) {
            htmx::retarget(&mut response, "#page", "innerHTML show:window:top");
        }
        Ok(response)
    }
}

fn problem(kind: &Kind, field: &str, message: &str) -> (String, String, String) {
    let label = match field {
        "" => "The values together",
        "name" => "Name",
        "description" => "Description",
        "owner" => labels::OWNER.label,
        "tags" => labels::TAGS.label,
        name => kind.fields.iter().find(|field| field.name == name).map_or("Value", |field| field.label),
    };
    let anchor = if field.is_empty() { "fields" } else { field };
    (anchor.to_owned(), label.to_owned(), message.to_owned())
}

/// For a new credential: what the address chooses, and beside it a name and whose secret it is, where a page knows
/// those. A kind whose values say where its secret goes takes no such proposal.
pub fn proposed(kind: &Kind, params: &Params) -> Option<Values> {
    let mut values = chosen(kind, params, None)?;
    let whose = kind.fields.iter().filter(|field| field.identity && matches!(field.control, Control::Text));
    for name in whose.map(|field| field.name).chain(["name"]) {
        if !params.get(name).is_empty() {
            values.set(name, params.get(name));
        }
    }
    if (kind.address)(&values).is_some() { chosen(kind, params, None) } else { Some(values) }
}

/// What is saved (or nothing, for a new one), with the choices that the address asks for put over it.
pub fn chosen(kind: &Kind, params: &Params, stored: Option<&Values>) -> Option<Values> {
    let is_choice = |field: &&Field| matches!(field.control, Control::Choice(_) | Control::Checkbox);
    let choices = || kind.fields.iter().filter(is_choice).filter(|field| !params.get(field.name).is_empty());
    choices().next()?;
    let value = |field: &Field| match stored.map_or("", |stored| stored.get(field.name)) {
        "" => field.default.to_owned(),
        value => value.to_owned(),
    };
    let mut values = Values::from_iter(kind.fields.iter().map(|field| (field.name, value(field))));
    for field in choices() {
        values.set(field.name, params.get(field.name));
    }
    Some(values)
}
