//! *Import*: a file of another tool, what it holds, and what became of the chosen ones. Between the two steps the file
//! stays in the browser: no answer repeats it, and the console keeps nothing.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::credentials::import::{self, Offer, Outcome, Preview, State};
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

#[derive(Template)]
#[template(path = "credentials/import.html", blocks = ["found"])]
struct Form {
    shell: Shell,
    problem: Option<String>,
    preview: Option<Preview>,
    /// The text is in the form beside what was found, which it is not without script.
    kept: bool,
}

#[derive(Template)]
#[template(path = "credentials/import_done.html")]
struct Done {
    shell: Shell,
    added: usize,
    outcomes: Vec<Outcome>,
    /// Where to choose again.
    again: String,
}

pub async fn new(request: HttpRequest, visitor: As<Operator>) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "credentials");
    page::html(&Form { shell, problem: None, preview: None, kept: false })
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let known = |name: &str| matches!(name, "text" | "add") || name.starts_with("pick.") || name.starts_with("name.");
    if !posted.0.names().all(known) {
        posted.only([])?;
    }
    let (shell, principal) = (Shell::new(&request, &visitor, "credentials"), visitor.principal());
    let result = match posted.get("add") {
        "" => import::preview(&services, &principal, posted.get("text")).await.map(Step::Look),
        // Without script nothing was chosen: all that the file holds, under the proposed names.
        "all" => import::preview(&services, &principal, posted.get("text")).await.map(Step::All),
        _ => import::add(&services, &principal, posted.get("text"), |number| chosen(&posted, number))
            .await
            .map(Step::Added),
    };
    match result {
        Ok(Step::Look(preview)) => look(&request, Form { shell, problem: None, preview: Some(preview), kept: false }),
        Ok(Step::All(preview)) => {
            let name = |number: usize| {
                let offer = preview.offers.get(number)?;
                (offer.state == State::New).then(|| offer.name.clone())
            };
            done(shell, import::add(&services, &principal, posted.get("text"), name).await?, AGAIN)
        }
        Ok(Step::Added(outcomes)) => done(shell, outcomes, AGAIN),
        Err(Refusal::Invalid(errors)) => {
            let problem = errors.of("text").map(str::to_owned);
            look(&request, Form { shell, problem, preview: None, kept: false })
        }
        Err(refusal) => Err(refusal.into()),
    }
}

enum Step {
    Look(Preview),
    All(Preview),
    Added(Vec<Outcome>),
}

/// The name under which a candidate is to be added.
fn chosen(posted: &Posted, number: usize) -> Option<String> {
    let name = posted.get(&format!("name.{number}"));
    (!posted.get(&format!("pick.{number}")).is_empty()).then(|| name.to_owned())
}

fn look(request: &HttpRequest, form: Form) -> Result<HttpResponse, Error> {
    let status = if form.problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    match htmx::asked(request) {
        true => page::html_with(status, &Form { kept: true, ..form }.as_found()),
        false => page::html_with(status, &form),
    }
}

const AGAIN: &str = "/credentials/import";

/// What became of an import that is chosen for on the page `again`.
pub fn done(shell: Shell, outcomes: Vec<Outcome>, again: &str) -> Result<HttpResponse, Error> {
    let added = outcomes.iter().filter(|outcome| outcome.done.is_ok()).count();
    page::html(&Done { shell, added, outcomes, again: again.to_owned() })
}

impl Offer {
    pub fn is_new(&self) -> bool {
        self.state == State::New
    }

    /// Tone and words of its state.
    pub fn words(&self) -> (&'static str, String) {
        match &self.state {
            State::New => ("good", "New".to_owned()),
            State::Stored(name) => ("info", format!("Stored already: {name}")),
            State::Refused(why) => ("bad", why.clone()),
        }
    }
}
