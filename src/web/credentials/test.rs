//! The Test button: the values on the screen before they are saved, or a saved credential. Nothing is stored of the
//! first; of the second the outcome is. A stored secret goes only where its own sealed values say, never to an address
//! that came with the request: a form that changes an identity must bring the secret that belongs to it.

use std::time::Instant;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::draft::{self, Draft};
use super::edit::Edited;
use super::form::{self, Entered, FormPage};
use super::view::FindingView;
use super::{new, show};
use crate::app::App;
use crate::credentials::{self, Kind};
use crate::form::{Errors, Values};
use crate::models::trust::Doubt;
use crate::models::{self, DbError, altered};
use crate::providers;
use crate::providers::aws::roles::Wanted;
use crate::providers::probe::Finding;
use crate::testing;
use crate::web::error::Error;
use crate::web::page::Shell;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

/// The form for a new credential.
pub async fn unsaved(
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let kind = new::kind(&posted)?;
    form::only(kind, &posted)?;
    let page = |errors: &Errors| {
        let shell = Shell::new(&request, &visitor, "credentials");
        FormPage::new(shell, kind, new::setting(kind), Some(&posted.0), None, errors)
    };
    let entered = match form::check(kind, &posted.0, None).and_then(|entered| whole(&app, kind, entered)) {
        Ok(entered) => entered,
        Err(errors) => return page(&errors).untested(&request),
    };
    let found = asked(&app, &visitor, kind, &entered.values, &[]).await?;
    page(&Errors::default()).tested(&request, FindingView::new(found))
}

/// A saved credential: by its own page as it is, by its edit form with the values on the screen.
pub async fn saved(
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let id = super::id(&path)?;
    if posted.0.contains("row_version") {
        return edited(&app, &request, &visitor, id, &posted).await;
    }
    posted.only([])?;
    let vault = app.vault.clone();
    let row = app.db.run(move |conn| models::credentials::find(conn, &vault, id)).await?;
    let row = match row.judged() {
        Ok(row) => row,
        Err((_, Doubt::LaterRelease)) => return Err(DbError::LaterRelease.into()),
        Err(_) => {
            let (vault, actor) = (app.vault.clone(), visitor.actor());
            app.db.transaction(move |conn| altered::quarantine(conn, &vault, &actor, id)).await?;
            return Err(DbError::Integrity.into());
        }
    };
    let kind = credentials::find(&row.kind).ok_or_else(unknown_kind)?;
    let found = if providers::has_test(kind) {
        app.tests.take(visitor.user_id, Instant::now())?;
        let values = opened(&app, &visitor, id, row.row_version).await?;
        let roles = roles(&app, id).await?;
        let found = testing::probe(&app, kind, &values, &roles).await;
        testing::record(&app, visitor.actor(), id, row.secret_version, &found).await?;
        found
    } else {
        asked(&app, &visitor, kind, &Values::default(), &[]).await?
    };
    let shell = Shell::new(&request, &visitor, "credentials");
    show::load(&app, shell, id).await?.tested(&request, FindingView::new(found))
}

async fn edited(
    app: &App,
    request: &HttpRequest,
    visitor: &As<Operator>,
    id: Uuid,
    posted: &Posted,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(app, id).await?;
    let kind = edited.kind;
    form::only(kind, posted)?;
    let row_version = form::version(posted)?;
    if edited.row.row_version != row_version {
        return Err(DbError::Stale.into());
    }
    let stored = edited.stored();
    let page = |errors: &Errors| {
        let shell = Shell::new(request, visitor, "credentials");
        FormPage::new(shell, kind, edited.setting(row_version), Some(&posted.0), Some(&stored), errors)
    };
    let mut checked = form::check(kind, &posted.0, Some(&stored));
    // What was typed whole needs nothing of what is stored.
    if checked.as_ref().is_ok_and(|entered| draft::keeps_a_secret(kind, &entered.values)) {
        let values = opened(app, visitor, id, row_version).await?;
        checked = form::check(kind, &posted.0, Some(&values));
    }
    let entered = match checked.and_then(|entered| whole(app, kind, entered)) {
        Ok(entered) => entered,
        Err(errors) => return page(&errors).untested(request),
    };
    // A key that is about to replace another is tried with the roles that wait for it.
    let found = asked(app, visitor, kind, &entered.values, &roles(app, id).await?).await?;
    page(&Errors::default()).tested(request, FindingView::new(found))
}

/// The checks that saving makes of all values together.
fn whole(app: &App, kind: &'static Kind, entered: Entered) -> Result<Entered, Errors> {
    draft::may_be_sent(&app.egress, kind, &entered.values)?;
    Draft::new(kind, entered.name.clone(), entered.note.clone(), &entered.values)?;
    Ok(entered)
}

async fn asked(
    app: &App,
    visitor: &As<Operator>,
    kind: &'static Kind,
    values: &Values,
    roles: &[Wanted],
) -> Result<Finding, Error> {
    app.tests.take(visitor.user_id, Instant::now())?;
    Ok(testing::probe(app, kind, values, roles).await)
}

/// Those that the integrations of a saved credential name.
async fn roles(app: &App, id: Uuid) -> Result<Vec<Wanted>, Error> {
    let vault = app.vault.clone();
    Ok(app.db.run(move |conn| testing::roles(conn, &vault, id)).await?)
}

async fn opened(app: &App, visitor: &As<Operator>, id: Uuid, row_version: i64) -> Result<Values, Error> {
    let opened = super::open(app, visitor.actor(), (id, row_version), "test").await?;
    Ok(opened.map_err(DbError::from)?.values)
}

fn unknown_kind() -> Error {
    Error::Conflict("This version of Strongroom does not know the type of this credential.".to_owned())
}
