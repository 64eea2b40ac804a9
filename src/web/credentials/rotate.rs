//! Rotating: the secret fields alone, beside who will use the new secret, and what came of trying it on them. What was
//! typed stays in the browser: an answer to the script holds the results alone, and no answer holds a secret.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::trials::TrialsView;
use super::view::{Age, Ages, Usage};
use super::{conflict, edit, form};
use crate::credentials::Kind;
use crate::form::{self as fields, Control, Errors, FieldView, Values};
use crate::models::credentials::Credential;
use crate::models::{self, DbError, integration_list, provider_facts};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::credentials::{self, Edited, Goal, Rotated};
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell, When, when};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask, OTHER_FIELD};

/// Usages beside the form; the credential's page has all.
const MOST_BESIDE: i64 = 10;

#[derive(Template)]
#[template(path = "credentials/rotate.html", blocks = ["page", "trials"])]
struct Rotate {
    shell: Shell,
    row: Credential,
    kind: &'static Kind,
    has_test: bool,
    row_version: i64,
    fields: Vec<FieldView>,
    multipart: bool,
    password: Option<Ask>,
    /// The first of them.
    usages: Vec<Usage>,
    /// How many there are.
    all: i64,
    age: Age,
    set: When,
    ages: Ages,
    trials: Option<TrialsView>,
}

impl Rotate {
    /// The form over the version `seen`, with what was typed.
    async fn draw(
        services: &Services,
        shell: Shell,
        (edited, seen): (&Edited, i64),
        typed: Option<&Values>,
        errors: &Errors,
    ) -> Result<Self, Error> {
        let (id, version) = (edited.row.id, edited.row.secret_version);
        let find = move |conn: &mut models::Conn| {
            let told = provider_facts::of(conn, id, version)?;
            let (lines, all) = (integration_list::usages(conn, id, MOST_BESIDE)?, integration_list::count(conn, id)?);
            Ok::<_, DbError>((lines, all, told, models::clock(conn)?))
        };
        let (lines, all, told, now) = services.db.run(find).await?;
        let wanted = edited.rotated_fields()?;
        let limit = services.limits().days(&edited.row.kind, edited.row.ages, edited.row.stale_after_days);
        Ok(Self {
            shell,
            has_test: crate::providers::has_test(edited.kind),
            fields: views(edited, &wanted, typed, errors),
            multipart: wanted.iter().any(|field| field.control == Control::SecretDocument),
            row_version: seen,
            password: None,
            usages: Usage::list(lines, now),
            all,
            age: Age::new(told.aged_from(edited.row.secret_set_at), now, limit),
            set: when(edited.row.secret_set_at, now),
            ages: Ages::new(edited.kind.label, &told, now),
            trials: None,
            kind: edited.kind,
            row: edited.row.clone(),
        })
    }

    fn answer(&self, request: &HttpRequest, status: StatusCode) -> Result<HttpResponse, Error> {
        if htmx::asked(request) { page::html_with(status, &self.as_page()) } else { page::html_with(status, self) }
    }

    /// The page with what was tried; for htmx that alone, so that what was typed stays.
    fn tried(mut self, request: &HttpRequest, trials: TrialsView) -> Result<HttpResponse, Error> {
        self.trials = Some(trials);
        if !htmx::asked(request) {
            return page::html(&self);
        }
        let mut response = page::html(&self.as_trials())?;
        htmx::retarget(&mut response, "#trials", "innerHTML show:top");
        Ok(response)
    }

    fn asking(mut self, request: &HttpRequest, ask: Ask) -> Result<HttpResponse, Error> {
        self.password = Some(ask.clone());
        if htmx::asked(request) { ask.answer(&self.as_page()) } else { ask.answer(&self) }
    }
}

/// The fields, the ones that are not secret blank at first: a new secret brings another value. One secret alone must be
/// entered; of several, those that stay may be left blank.
fn views(edited: &Edited, wanted: &[fields::Field], typed: Option<&Values>, errors: &Errors) -> Vec<FieldView> {
    let blank = Values::default();
    let several = wanted.iter().filter(|field| field.control.is_secret()).count() > 1;
    let stored = edited.stored();
    // Whether a field belongs to the form was decided with the whole credential.
    let alone: Vec<fields::Field> = wanted.iter().map(|field| fields::Field { when: None, ..*field }).collect();
    let stored = Some(&stored).filter(|_| several);
    fields::view(&alone, Some(typed.unwrap_or(&blank)), stored, errors, &|_| Vec::new())
}

/// The field that says what the form was sent for, and the one with the proof of a test.
pub const GOAL: &str = "goal";
pub const ANYWAY: &str = "anyway";

pub fn goal(posted: &Posted) -> Result<Goal<'_>, Error> {
    match (posted.get(GOAL), posted.get(ANYWAY)) {
        ("test", _) => Ok(Goal::Test),
        (_, proof) if !proof.is_empty() => Ok(Goal::SaveAnyway(proof)),
        ("save" | "", _) => Ok(Goal::Save),
        _ => Err(Error::Malformed),
    }
}

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&services, super::id(&path)?).await?;
    let page = format!("/credentials/{}/rotate", edited.row.id);
    if edited.asks_for_password(&services).await? {
        // Asked before the form is filled in, so that nothing typed is lost.
        visitor.require_fresh(&request, &page)?;
    }
    let shell = Shell::new(&request, &visitor, "credentials");
    let at = (&edited, edited.row.row_version);
    Rotate::draw(&services, shell, at, None, &Errors::default()).await?.answer(&request, StatusCode::OK)
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&services, super::id(&path)?).await?;
    form::only(edited.kind, &posted, &[GOAL, ANYWAY])?;
    let at = (&edited, form::version(&posted)?);
    let shell = || Shell::new(&request, &visitor, "credentials");
    let draw = async |errors: &Errors| Rotate::draw(&services, shell(), at, Some(&posted.0), errors).await;
    if posted.0.contains("redraw") {
        return draw(&Errors::default()).await?.answer(&request, StatusCode::OK);
    }
    let (confirmation, principal) = (step_up::typed(OTHER_FIELD, &services, &request, &posted), visitor.principal());
    match credentials::rotate(&services, &principal, at, &posted.0, goal(&posted)?, &confirmation).await {
        Ok(Rotated::Saved) => Ok(super::leave(&request, &format!("/credentials/{}", edited.row.id), "rotated")),
        Ok(Rotated::Tried { trials, proof }) => {
            draw(&Errors::default()).await?.tried(&request, TrialsView::new(Some(edited.kind), *trials, proof))
        }
        Err(Refusal::Invalid(errors)) => draw(&errors).await?.answer(&request, StatusCode::UNPROCESSABLE_ENTITY),
        Err(Refusal::Unconfirmed(why)) => draw(&Errors::default()).await?.asking(&request, Ask::new(OTHER_FIELD, why)),
        Err(Refusal::Overtaken) => {
            let whole = edited.with_new_secret(&posted.0)?;
            conflict::show(&services, &request, &visitor, (edited.row.id, "rotate"), &whole).await
        }
        Err(Refusal::Db(DbError::Integrity)) => edit::opening_failed(&request, shell(), &edited),
        Err(refusal) => Err(refusal.into()),
    }
}
