//! The Test button: the values on the screen before they are saved, or a saved credential. Nothing is stored of the
//! first; of the second the outcome is. A stored secret goes only where its own sealed values say, never to an address
//! that came with the request: a form that changes an identity must bring the secret that belongs to it.

use std::time::Instant;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::edit::Edited;
use super::form::{self, Entered, FormPage};
use super::view::FindingView;
use super::{new, show};
use crate::checkup;
use crate::credentials::{self, Kind};
use crate::draft::{self, Draft};
use crate::form::{Errors, Values};
use crate::models::trust::Doubt;
use crate::models::{self, DbError, altered};
use crate::providers;
use crate::providers::aws::roles::Wanted;
use crate::providers::probe::Finding;
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page::Shell;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

/// The form for a new credential.
pub async fn unsaved(
    services: Data<Services>,
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
    let entered = match form::check(kind, &posted.0, None).and_then(|entered| whole(&services, kind, entered)) {
        Ok(entered) => entered,
        Err(errors) => return page(&errors).untested(&request),
    };
    let found = asked(&services, &visitor, kind, &entered.values, &[]).await?;
    page(&Errors::default()).tested(&request, FindingView::new(found))
}

/// A saved credential: by its own page as it is, by its edit form with the values on the screen.
pub async fn saved(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let id = super::id(&path)?;
    if posted.0.contains("row_version") {
        return edited(&services, &request, &visitor, id, &posted).await;
    }
    posted.only([])?;
    let vault = services.vault.clone();
    let row = services.db.run(move |conn| models::credentials::find(conn, &vault, id)).await?;
    let row = match row.judged() {
        Ok(row) => row,
        Err((_, Doubt::LaterRelease)) => return Err(DbError::LaterRelease.into()),
        Err(_) => {
            let (vault, actor) = (services.vault.clone(), visitor.actor());
            services.db.transaction(move |conn| altered::quarantine(conn, &vault, &actor, id)).await?;
            return Err(DbError::Integrity.into());
        }
    };
    let kind = credentials::find(&row.kind).ok_or_else(unknown_kind)?;
    let found = if providers::has_test(kind) {
        services.checkups.take(visitor.user_id, Instant::now())?;
        let values = opened(&services, &visitor, id, row.row_version).await?;
        let roles = roles(&services, id).await?;
        let found = checkup::probe(&services, kind, &values, &roles).await;
        checkup::record(&services, visitor.actor(), id, row.secret_version, &found).await?;
        found
    } else {
        asked(&services, &visitor, kind, &Values::default(), &[]).await?
    };
    let shell = Shell::new(&request, &visitor, "credentials");
    show::load(&services, shell, id).await?.tested(&request, FindingView::new(found))
}

async fn edited(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Operator>,
    id: Uuid,
    posted: &Posted,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(services, id).await?;
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
        let values = opened(services, visitor, id, row_version).await?;
        checked = form::check(kind, &posted.0, Some(&values));
    }
    let entered = match checked.and_then(|entered| whole(services, kind, entered)) {
        Ok(entered) => entered,
        Err(errors) => return page(&errors).untested(request),
    };
    // A key that is about to replace another is tried with the roles that wait for it.
    let found = asked(services, visitor, kind, &entered.values, &roles(services, id).await?).await?;
    page(&Errors::default()).tested(request, FindingView::new(found))
}

/// The checks that saving makes of all values together.
fn whole(services: &Services, kind: &'static Kind, entered: Entered) -> Result<Entered, Errors> {
    draft::may_be_sent(&services.egress, kind, &entered.values)?;
    Draft::new(kind, entered.name.clone(), entered.note.clone(), &entered.values)?;
    Ok(entered)
}

async fn asked(
    services: &Services,
    visitor: &As<Operator>,
    kind: &'static Kind,
    values: &Values,
    roles: &[Wanted],
) -> Result<Finding, Error> {
    services.checkups.take(visitor.user_id, Instant::now())?;
    Ok(checkup::probe(services, kind, values, roles).await)
}

/// Those that the integrations of a saved credential name.
async fn roles(services: &Services, id: Uuid) -> Result<Vec<Wanted>, Error> {
    let vault = services.vault.clone();
    Ok(services.db.run(move |conn| checkup::roles(conn, &vault, id)).await?)
}

async fn opened(services: &Services, visitor: &As<Operator>, id: Uuid, row_version: i64) -> Result<Values, Error> {
    let opened = super::open(services, visitor.actor(), (id, row_version), "test").await?;
    Ok(opened.map_err(DbError::from)?.values)
}

fn unknown_kind() -> Error {
    Error::Conflict("This version of Strongroom does not know the type of this credential.".to_owned())
}
