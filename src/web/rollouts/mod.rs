//! Upgrades of many deployments to one image: the form for the selected rows of *Clusters*, and the page that shows the
//! progress.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::form::Errors;
use crate::integrations::Family;
use crate::models::integration_list::Line;
use crate::models::rollouts::{MOST_AT_ONCE, Rollout, RolloutState, Step, StepState};
use crate::models::{IntegrationId, RolloutId};
use crate::services::Services;
use crate::usecases::integrations::bulk;
use crate::usecases::rollouts::{self, Entered};
use crate::usecases::{Refusal, Unconfirmed};
use crate::web::bulk::{Table, some, ticked};
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::numbers::counted;
use crate::web::page::{self, Shell, When};
use crate::web::posted::Posted;
use crate::web::session::{As, Auditor, Operator};
use crate::web::step_up::{self, Ask};
use crate::{models, web};

const TABLE: Table = Table { noun: "deployment", path: "/clusters", label: "Clusters" };
/// The fields other than the ids of the rows.
const FIELDS: [&str; 2] = ["image", "at_once"];

#[derive(Template)]
#[template(path = "rollouts/new.html")]
struct New {
    shell: Shell,
    rows: Vec<Line>,
    image: String,
    at_once: String,
    most: i32,
    image_error: Option<String>,
    at_once_error: Option<String>,
    password: Option<Ask>,
}

impl New {
    async fn draw(services: &Services, shell: Shell, posted: &Posted) -> Result<Self, Error> {
        let rows = bulk::chosen(services, some(&TABLE, ids(posted)?)?).await?;
        let rows = rows.into_iter().filter(|row| row.family == Family::DaemonSet.slug()).collect();
        let at_once = Some(posted.get("at_once")).filter(|text| !text.is_empty()).unwrap_or("1");
        Ok(Self {
            shell,
            rows,
            image: posted.get("image").to_owned(),
            at_once: at_once.to_owned(),
            most: MOST_AT_ONCE,
            image_error: None,
            at_once_error: None,
            password: None,
        })
    }

    fn counted(&self) -> String {
        counted(self.rows.len() as i64, TABLE.noun)
    }

    fn refused(self, errors: &Errors) -> Result<HttpResponse, Error> {
        let [image_error, at_once_error] = FIELDS.map(|field| errors.of(field).map(str::to_owned));
        page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &Self { image_error, at_once_error, ..self })
    }

    fn unconfirmed(self, why: Unconfirmed) -> Result<HttpResponse, Error> {
        let ask = Ask::new(step_up::FIELD, why);
        ask.answer(&Self { password: Some(ask.clone()), ..self })
    }
}

fn ids(posted: &Posted) -> Result<Vec<IntegrationId>, Error> {
    ticked(posted, &FIELDS)
}

/// The form to upgrade the selected rows. Changes nothing.
pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    page::html(&New::draw(&services, Shell::new(&request, &visitor, "clusters"), &posted).await?)
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let ids = some(&TABLE, ids(&posted)?)?;
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    let entered = Entered { image: posted.get("image"), at_once: posted.get("at_once"), confirmation };
    let refusal = match rollouts::begin(&services, &visitor.principal(), ids, entered).await {
        Ok(id) => return Ok(page::see_other(&format!("/rollouts/{id}"), "")),
        Err(refusal) => refusal,
    };
    let form = New::draw(&services, Shell::new(&request, &visitor, "clusters"), &posted).await?;
    match refusal {
        Refusal::Invalid(errors) => form.refused(&errors),
        Refusal::Unconfirmed(why) => form.unconfirmed(why),
        refusal => Err(refusal.into()),
    }
}

#[derive(Template)]
#[template(path = "rollouts/show.html", blocks = ["live"])]
struct Show {
    shell: Shell,
    rollout: Rollout,
    state: web::integrations::deployment::standing::Standing,
    running: bool,
    steps: Vec<Shown>,
    done: usize,
    begun: When,
}

/// A step, as the page shows it.
struct Shown {
    integration: IntegrationId,
    name: String,
    host: String,
    tone: &'static str,
    word: &'static str,
    detail: String,
}

impl Shown {
    fn new(step: Step, running: bool) -> Self {
        let (tone, word) = match step.state {
            StepState::Waiting if running => ("off", "Waiting"),
            StepState::Waiting => ("off", "Not upgraded"),
            StepState::Deploying => ("info", "Rolling out"),
            StepState::Done => ("good", "Upgraded"),
            StepState::Failed => ("bad", "Failed"),
        };
        let Step { integration_id, name, host, detail, .. } = step;
        Self { integration: integration_id, name, host, tone, word, detail }
    }
}

pub async fn show(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    id: Path<RolloutId>,
) -> Result<HttpResponse, Error> {
    let (rollout, steps) = rollouts::find(&services, *id).await?;
    let now = services.db.run(models::clock).await?;
    let running = rollout.state == RolloutState::Running;
    let page = Show {
        shell: Shell::new(&request, &visitor, "clusters"),
        state: state(rollout.state),
        running,
        done: steps.iter().filter(|step| step.state == StepState::Done).count(),
        steps: steps.into_iter().map(|step| Shown::new(step, running)).collect(),
        begun: page::when(rollout.begun_at, now),
        rollout,
    };
    if htmx::asked(&request) { page::html(&page.as_live()) } else { page::html(&page) }
}

/// Tone and word.
pub fn state(state: RolloutState) -> (&'static str, &'static str) {
    match state {
        RolloutState::Running => ("info", "Under way"),
        RolloutState::Finished => ("good", "Finished"),
        RolloutState::Failed => ("bad", "Stopped after a failure"),
        RolloutState::Stopped => ("off", "Stopped"),
    }
}

pub async fn stop(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<RolloutId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    rollouts::stop(&services, &visitor.principal(), *id).await?;
    Ok(page::see_other(&format!("/rollouts/{id}"), ""))
}
