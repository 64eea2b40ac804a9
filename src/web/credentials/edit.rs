//! Editing a credential. The form is shown from what may be shown; only a POST that changes values opens what is
//! stored, to compare. Two people at once: the second sees both versions and loses nothing.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::draft::{Draft, Shown, may_be_sent};
use super::form::{self, Entered, FormPage, Setting};
use crate::app::App;
use crate::credentials::{self, Kind};
use crate::form::{Control, Errors, Values, shown_again};
use crate::integrations::Family;
use crate::models::credentials::{Credential, NewCredential, Secret};
use crate::models::trust::Doubt;
use crate::models::{self, DbError, altered};
use crate::opening::Closed;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell, When, when};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

/// More than anybody has of one credential: none must hide behind the others.
const ALL_USAGES: i64 = 100_000;

pub async fn edit(
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&app, super::id(&path)?).await?;
    if edited.carries_alerts(&app).await? {
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
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&app, super::id(&path)?).await?;
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
        && edited.carries_alerts(&app).await?
        && let Err(ask) = step_up::confirm_by(step_up::OTHER_FIELD, &app, &request, &visitor, &posted).await?
    {
        return filled(&Errors::default()).asking(&request, &ask);
    }
    match edited.save(&app, &visitor, row_version, &posted.0).await? {
        Saved::Yes => Ok(super::leave(&request, &format!("/credentials/{}", edited.row.id), "saved")),
        Saved::Wrong(errors) => again(StatusCode::UNPROCESSABLE_ENTITY, &errors),
        Saved::Stale => conflict(&app, &request, &visitor, edited.row.id, &posted.0).await,
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
    pub async fn load(app: &App, id: Uuid) -> Result<Self, Error> {
        let vault = app.vault.clone();
        let seen = app.db.run(move |conn| models::credentials::find(conn, &vault, id)).await?;
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
    async fn carries_alerts(&self, app: &App) -> Result<bool, Error> {
        let (id, vault) = (self.row.id, app.vault.clone());
        let used = app.db.run(move |conn| models::usages::of(conn, &vault, id, ALL_USAGES)).await?;
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

    async fn save(&self, app: &App, visitor: &As<Operator>, row_version: i64, posted: &Values) -> Result<Saved, Error> {
        if self.row.row_version != row_version {
            return Ok(Saved::Stale);
        }
        let stored = self.stored();
        let mut entered = match form::check(self.kind, posted, Some(&stored)) {
            Ok(entered) => entered,
            Err(errors) => return Ok(Saved::Wrong(errors)),
        };
        if entered.values == stored && self.doubt.is_none() {
            return self.write(app, visitor, row_version, entered, None).await;
        }
        let secret = if self.doubt.is_some() {
            Secret::Replaced
        } else {
            let values = match super::open(app, visitor.actor(), (self.row.id, row_version), "edit").await? {
                Ok(opened) => opened.values,
                Err(Closed::Stale) => return Ok(Saved::Stale),
                Err(Closed::Quarantined) => return Ok(Saved::Integrity),
                Err(closed @ Closed::LaterRelease) => return Err(DbError::from(closed).into()),
            };
            entered = match form::check(self.kind, posted, Some(&values)) {
                Ok(entered) => entered,
                Err(errors) => return Ok(Saved::Wrong(errors)),
            };
            Draft::compared_with(self.kind, &values, &entered.values)
        };
        if let Err(errors) = may_be_sent(&app.egress, self.kind, &entered.values) {
            return Ok(Saved::Wrong(errors));
        }
        match Draft::new(self.kind, entered.name.clone(), entered.note.clone(), &entered.values) {
            Ok(draft) => self.write(app, visitor, row_version, entered, Some((draft, secret))).await,
            Err(errors) => Ok(Saved::Wrong(errors)),
        }
    }

    /// Writes it; without a draft only name and description.
    async fn write(
        &self,
        app: &App,
        visitor: &As<Operator>,
        row_version: i64,
        entered: Entered,
        draft: Option<(Draft, Secret)>,
    ) -> Result<Saved, Error> {
        let (vault, actor, row) = (app.vault.clone(), visitor.actor(), self.row.clone());
        let saved = app
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
                let (vault, actor, id) = (app.vault.clone(), visitor.actor(), self.row.id);
                app.db.transaction(move |conn| altered::quarantine(conn, &vault, &actor, id)).await?;
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

/// A line of both versions.
struct Pair {
    label: &'static str,
    theirs: String,
    yours: String,
}

#[derive(Template)]
#[template(path = "credentials/conflict.html", blocks = ["page"])]
struct Conflict {
    shell: Shell,
    row: Credential,
    edited: When,
    pairs: Vec<Pair>,
    /// Name and value of what goes on into the form: nothing secret.
    carried: Vec<(String, String)>,
    secret_entered: bool,
}

async fn conflict(
    app: &App,
    request: &HttpRequest,
    visitor: &As<Operator>,
    id: Uuid,
    posted: &Values,
) -> Result<HttpResponse, Error> {
    let vault = app.vault.clone();
    let load = move |conn: &mut models::Conn| {
        Ok::<_, DbError>((models::credentials::find(conn, &vault, id)?.into_shown(), models::clock(conn)?))
    };
    let (row, now) = app.db.run(load).await?;
    let kind = credentials::find(&row.kind).ok_or(Error::NotFound)?;
    let secrets = || kind.fields.iter().filter(|field| field.control.is_secret());
    let carried = posted.names().filter(|name| !matches!(*name, "row_version" | "redraw" | "kind"));
    let carried = carried.filter(|name| !secrets().any(|field| field.name == *name));
    let carried = carried.filter(|name| shown_again(kind.fields, posted, posted.get(name), false));
    let page = Conflict {
        shell: Shell::new(request, visitor, "credentials"),
        edited: when(row.edited_at, now),
        pairs: pairs(kind, &row, posted),
        carried: carried.map(|name| (name.to_owned(), posted.get(name).to_owned())).collect(),
        secret_entered: secrets().any(|field| !posted.get(field.name).is_empty()),
        row,
    };
    if htmx::asked(request) {
        return page::html_with(StatusCode::CONFLICT, &page.as_page());
    }
    page::html_with(StatusCode::CONFLICT, &page)
}

fn pairs(kind: &Kind, row: &Credential, posted: &Values) -> Vec<Pair> {
    let shown = Shown::read(&row.facts).stored();
    let label = |control: Control, value: &str| match control {
        Control::Choice(options) => {
            options.iter().find(|(option, _)| *option == value).map_or("", |(_, label)| label).to_owned()
        }
        _ => value.trim().to_owned(),
    };
    let mut pairs = vec![
        Pair { label: "Name", theirs: row.name.clone(), yours: posted.get("name").trim().to_owned() },
        Pair {
            label: "Description",
            theirs: row.note.clone(),
            yours: posted.get("description").replace("\r\n", "\n").trim().to_owned(),
        },
    ];
    for pair in &mut pairs {
        if !shown_again(kind.fields, posted, &pair.yours, false) {
            pair.yours = "Looks like a secret, not shown".to_owned();
        }
    }
    for field in kind.fields {
        let (theirs, yours) = (shown.get(field.name), posted.get(field.name));
        let pair = if field.control.is_secret() {
            let say = |there: bool, text: &str| if there { text.to_owned() } else { String::new() };
            let kept = say(!theirs.is_empty(), "As stored");
            Pair {
                label: field.label,
                yours: if yours.is_empty() { kept.clone() } else { "Entered anew, not shown".to_owned() },
                theirs: kept,
            }
        } else {
            Pair { label: field.label, theirs: label(field.control, theirs), yours: label(field.control, yours) }
        };
        if !(pair.theirs.is_empty() && pair.yours.is_empty()) {
            pairs.push(pair);
        }
    }
    pairs
}
