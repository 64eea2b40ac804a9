//! One's own API tokens: listed on the account's page, added, shown once, and revoked after a question, since a program may
//! depend on one.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::super::error::Error;
use super::super::integrations::shown;
use super::super::page::{self, Shell, When, when};
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::step_up::{self, Ask};
use crate::accounts::visitor::Visitor;
use crate::form::{self, Errors, FieldView, Values};
use crate::models::api_tokens::{self, ApiToken, Scope};
use crate::models::trust::Seen;
use crate::models::{self, ApiTokenId, DbError};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::api::{self, Made};

/// Days ahead that count as *expiring*.
const SOON: i64 = 14;

/// A token as the account's page lists it.
pub struct Line {
    pub id: ApiTokenId,
    pub name: String,
    pub scope: &'static str,
    pub redirects: bool,
    pub made: When,
    pub ends: When,
    pub is_over: bool,
    pub ends_soon: bool,
    /// When and from where.
    pub used: Option<(When, String)>,
    /// The row is not what Strongroom saved.
    pub is_refused: bool,
}

impl Line {
    pub fn new(seen: &Seen<ApiToken>, now: DateTime<Utc>) -> Self {
        let (row, is_refused) = (seen.shown(), seen.doubt().is_some());
        let (is_over, left) = (row.is_over(now), row.expires_at - now);
        Self {
            id: row.id,
            name: row.name.clone(),
            scope: row.scope.label(),
            redirects: row.scope == Scope::Destinations,
            made: when(row.made_at, now),
            ends: if is_over { when(row.expires_at, now) } else { shown::until(row.expires_at, now) },
            is_over,
            ends_soon: !is_over && left.num_days() < SOON,
            used: (row.last_used_at > DateTime::UNIX_EPOCH)
                .then(|| (when(row.last_used_at, now), row.last_address.clone())),
            is_refused,
        }
    }
}

#[derive(Template)]
#[template(path = "account/token_new.html")]
struct New {
    shell: Shell,
    fields: Vec<FieldView>,
    password: Option<Ask>,
}

impl New {
    fn draw(request: &HttpRequest, visitor: &Visitor, posted: Option<&Values>, errors: &Errors) -> Self {
        let fields = form::view(&api::fields(visitor.role), posted, None, errors, &|_| Vec::new());
        Self { shell: Shell::new(request, visitor, "account"), fields, password: None }
    }
}

pub async fn new(request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    page::html(&New::draw(&request, &visitor, None, &Errors::default()))
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["name", "scope", "expires", step_up::FIELD])?;
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    match api::create(&services, &visitor.principal(), &posted.0, &confirmation).await {
        Ok(made) => once(&services, &request, &visitor, made).await,
        Err(Refusal::Invalid(errors)) => {
            let page = New::draw(&request, &visitor, Some(&posted.0), &errors);
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(Refusal::Unconfirmed(why)) => {
            let ask = Ask::new(step_up::FIELD, why);
            let page = New::draw(&request, &visitor, Some(&posted.0), &Errors::default());
            ask.answer(&New { password: Some(ask.clone()), ..page })
        }
        Err(refusal) => Err(refusal.into()),
    }
}

#[derive(Template)]
#[template(path = "account/token.html")]
struct Once {
    shell: Shell,
    made: Made,
    ends: When,
    /// The console's address.
    console: String,
    user: String,
}

impl Once {
    /// The user's name between quotes of the shell.
    fn quoted(&self) -> String {
        self.user.replace('\'', r"'\''")
    }

    fn curl(&self) -> String {
        let (Self { made, console, .. }, user) = (self, self.quoted());
        format!("curl -u '{user}:{}' \\\n  {console}/api/v1/credentials", made.token.as_str())
    }

    fn python(&self) -> String {
        let (Self { made, console, .. }, user) = (self, self.quoted());
        let token = made.token.as_str();
        format!("export PC_URL={console}\nexport PC_IDENTITY='{user}'\nexport PC_SECRET={token}")
    }
}

async fn once(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    made: Made,
) -> Result<HttpResponse, Error> {
    let now = services.db.run(models::clock).await?;
    page::html(&Once {
        shell: Shell::new(request, visitor, "account"),
        ends: shown::until(made.expires_at, now),
        console: services.public_url.as_str().trim_end_matches('/').to_owned(),
        user: visitor.name.clone(),
        made,
    })
}

#[derive(Template)]
#[template(path = "account/token_end.html")]
struct Question {
    shell: Shell,
    id: ApiTokenId,
    name: String,
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    id: Path<ApiTokenId>,
) -> Result<HttpResponse, Error> {
    let (vault, user) = (services.vault.clone(), visitor.user_id);
    let tokens = services.db.run(move |conn| api_tokens::of(conn, &vault, user)).await?;
    let token = tokens.iter().map(Seen::shown).find(|token| token.id == *id).ok_or(DbError::NotFound)?;
    page::html(&Question { shell: Shell::new(&request, &visitor, "account"), id: token.id, name: token.name.clone() })
}

pub async fn end(
    services: Data<Services>,
    visitor: As<Auditor>,
    id: Path<ApiTokenId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    api::end(&services, &visitor.principal(), *id).await?;
    Ok(page::see_other("/account", "token-ended"))
}
