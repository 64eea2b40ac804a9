//! Editing a credential. The form is shown from what may be shown; only a POST that changes values opens what is
//! stored, to compare. Two people at once: the second sees both versions and loses nothing.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::conflict;
use super::form::{self, Entered, FormPage, Setting};
use crate::credentials::{self, Kind};
use crate::draft::{Draft, Shown, may_be_sent};
use crate::form::{Errors, Values};
use crate::integrations::Family;
use crate::models::credentials::{Credential, NewCredential, Secret};
use crate::models::trust::Doubt;
use crate::models::{self, DbError, altered};
use crate::opening::Closed;
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

/// More than anybody has of one credential: none must hide behind the others.
const ALL_USAGES: i64 = 100_000;

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&services, super::id(&path)?).await?;
    if edited.carries_alerts(&services).await? {
        // Asked before the form is filled in, so that nothing typed is lost.
        visitor.require_fresh(&request, &edited.page())?;
    }
    let stored = edited.stored();
    let chosen = form::chosen(edited.kind, &params, Some(&stored));
    let mut filled = chosen.clone().unwrap_or_else(|| stored.clone());
    filled.set("name", &*edited.row.name);
    filled.set("description", &*edited.row.note);
    let shell = Shell::new(&request, &visitor, "credentials");
    let setting = edited.setting(edited.row.row_version);
    let page = FormPage::new(shell, edited.kind, setting, Some(&filled), Some(&stored), &Errors::default());
    page.answer(&request, StatusCode::OK, chosen.is_some())
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&services, super::id(&path)?).await?;
    form::only(edited.kind, &posted)?;
    let row_version = form::version(&posted)?;
    let filled = |errors: &Errors| {
        let shell = Shell::new(&request, &visitor, "credentials");
        let setting = edited.setting(row_version);
        FormPage::new(shell, edited.kind, setting, Some(&posted.0), Some(&edited.stored()), errors)
    };
    let again = |status, errors: &Errors| filled(errors).answer(&request, status, false);
    if posted.0.contains("redraw") {
        return again(StatusCode::OK, &Errors::default());
    }
    if edited.changes_values(&posted.0)
        && edited.carries_alerts(&services).await?
        && let Err(ask) = step_up::confirm_by(step_up::OTHER_FIELD, &services, &request, &visitor, &posted).await?
    {
        return filled(&Errors::default()).asking(&request, &ask);
    }
    match edited.save(&services, &visitor, row_version, &posted.0).await? {
        Saved::Yes => Ok(super::leave(&request, &format!("/credentials/{}", edited.row.id), "saved")),
        Saved::Wrong(errors) => again(StatusCode::UNPROCESSABLE_ENTITY, &errors),
        Saved::Stale => conflict::show(&services, &request, &visitor, edited.row.id, &posted.0).await,
        Saved::Integrity => opening_failed(&request, Shell::new(&request, &visitor, "credentials"), &edited),
    }
}

/// A credential that may be edited, as it was read.
pub struct Edited {
    pub row: Credential,
    pub kind: &'static Kind,
    shown: Shown,
    /// Why the row is not used.
    doubt: Option<Doubt>,
}

enum Saved {
    Yes,
    Wrong(Errors),
    Stale,
    Integrity,
}

impl Edited {
    pub async fn load(services: &Services, id: Uuid) -> Result<Self, Error> {
        let vault = services.vault.clone();
        let seen = services.db.run(move |conn| models::credentials::find(conn, &vault, id)).await?;
        let (doubt, row) = (seen.doubt(), seen.into_shown());
        if row.shipped {
            return Err(Error::Conflict(SHIPPED.to_owned()));
        }
        let kind = credentials::find(&row.kind).ok_or_else(|| {
            Error::Conflict("This version of Strongroom does not know the type of this credential.".to_owned())
        })?;
        Ok(Self { kind, shown: Shown::read(&row.facts), row, doubt })
    }

    /// What is saved, as far as the form may build on it: nothing secret once the row did not open.
    pub fn stored(&self) -> Values {
        let mut shown = self.shown.clone();
        if self.doubt.is_some() {
            shown.secrets.clear();
        }
        shown.stored()
    }

    fn page(&self) -> String {
        format!("/credentials/{}/edit", self.row.id)
    }

    /// Whether a channel sends alerts with it: another token or webhook address would lead them elsewhere.
    async fn carries_alerts(&self, services: &Services) -> Result<bool, Error> {
        let (id, vault) = (self.row.id, services.vault.clone());
        let used = services.db.run(move |conn| models::usages::of(conn, &vault, id, ALL_USAGES)).await?;
        Ok(used.iter().any(|row| row.family == Family::AlertProfile.slug()))
    }

    /// Whether more than name and description is posted than what is stored.
    fn changes_values(&self, posted: &Values) -> bool {
        let stored = self.stored();
        form::check(self.kind, posted, Some(&stored)).is_ok_and(|entered| entered.values != stored)
    }

    pub fn setting(&self, row_version: i64) -> Setting {
        let id = self.row.id;
        let quarantined = "This credential cannot be opened any more. Enter its secret anew to make it usable again.";
        Setting {
            title: format!("Edit {}", self.row.name),
            lead: format!("{}: {}", self.kind.label, self.kind.summary),
            back: (format!("/credentials/{id}"), self.row.name.clone()),
            action: format!("/credentials/{id}/edit"),
            test: format!("/credentials/{id}/test"),
            url: format!("/credentials/{id}/edit"),
            row_version: Some(row_version),
            notice: self.doubt.map(|_| quarantined),
        }
    }

    async fn save(
        &self,
        services: &Services,
        visitor: &As<Operator>,
        row_version: i64,
        posted: &Values,
    ) -> Result<Saved, Error> {
        if self.row.row_version != row_version {
            return Ok(Saved::Stale);
        }
        let stored = self.stored();
        let mut entered = match form::check(self.kind, posted, Some(&stored)) {
            Ok(entered) => entered,
            Err(errors) => return Ok(Saved::Wrong(errors)),
        };
        if entered.values == stored && self.doubt.is_none() {
            return self.write(services, visitor, row_version, entered, None).await;
        }
        let secret = if self.doubt.is_some() {
            Secret::Replaced
        } else {
            let values = match super::open(services, visitor.actor(), (self.row.id, row_version), "edit").await? {
                Ok(opened) => opened.values,
                Err(Closed::Stale) => return Ok(Saved::Stale),
                Err(Closed::Quarantined) => return Ok(Saved::Integrity),
                Err(closed @ (Closed::LaterRelease | Closed::Held)) => return Err(DbError::from(closed).into()),
            };
            entered = match form::check(self.kind, posted, Some(&values)) {
                Ok(entered) => entered,
                Err(errors) => return Ok(Saved::Wrong(errors)),
            };
            Draft::compared_with(self.kind, &values, &entered.values)
        };
        if let Err(errors) = may_be_sent(&services.egress, self.kind, &entered.values) {
            return Ok(Saved::Wrong(errors));
        }
        match Draft::new(self.kind, entered.name.clone(), entered.note.clone(), &entered.values) {
            Ok(draft) => self.write(services, visitor, row_version, entered, Some((draft, secret))).await,
            Err(errors) => Ok(Saved::Wrong(errors)),
        }
    }

    /// Writes it; without a draft only name and description.
    async fn write(
        &self,
        services: &Services,
        visitor: &As<Operator>,
        row_version: i64,
        entered: Entered,
        draft: Option<(Draft, Secret)>,
    ) -> Result<Saved, Error> {
        let (vault, actor, row) = (services.vault.clone(), visitor.actor(), self.row.clone());
        let saved = services
            .db
            .transaction(move |conn| {
                let kept = NewCredential {
                    kind: &row.kind,
                    name: &entered.name,
                    note: &entered.note,
                    identity: &row.identity,
                    facts: &row.facts,
                    ages: row.ages,
                    expires_at: row.expires_at,
                    plaintext: &[],
                };
                let (new, secret) = match &draft {
                    Some((draft, secret)) => (draft.row(), *secret),
                    None => (kept, Secret::Kept),
                };
                models::credentials::update(conn, &vault, &actor, (row.id, row_version), &new, secret)
            })
            .await;
        match saved {
            Ok(()) => Ok(Saved::Yes),
            Err(DbError::Stale) => Ok(Saved::Stale),
            Err(DbError::Integrity) => {
                let (vault, actor, id) = (services.vault.clone(), visitor.actor(), self.row.id);
                services.db.transaction(move |conn| altered::quarantine(conn, &vault, &actor, id)).await?;
                Ok(Saved::Integrity)
            }
            Err(error) => Ok(Saved::Wrong(form::refused(error)?)),
        }
    }
}

/// Why the shipped credential stays as it is.
pub const SHIPPED: &str = "IAM Role comes with Strongroom and stands for the role of the machine that it runs on. It \
                           holds no secret, and can be neither edited nor deleted.";

#[derive(Template)]
#[template(path = "credentials/integrity.html", blocks = ["page"])]
struct Integrity<'a> {
    shell: Shell,
    row: &'a Credential,
    /// Whether a new secret heals it: not when the row itself was altered.
    mendable: bool,
}

fn opening_failed(request: &HttpRequest, shell: Shell, edited: &Edited) -> Result<HttpResponse, Error> {
    let mendable = !matches!(edited.doubt, Some(Doubt::Tampered | Doubt::NotAsked));
    let page = Integrity { shell, row: &edited.row, mendable };
    if htmx::asked(request) {
        return page::html_with(StatusCode::CONFLICT, &page.as_page());
    }
    page::html_with(StatusCode::CONFLICT, &page)
}
