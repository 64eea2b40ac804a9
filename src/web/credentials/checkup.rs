//! The Test button: the values on the screen before they are saved, or a saved credential.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::edit;
use super::form::{self, FormPage};
use super::view::FindingView;
use super::{new, show};
use crate::form::Errors;
use crate::models::CredentialId;
use crate::providers::probe::Finding;
use crate::services::Services;
use crate::usecases::credentials::{self, Edited};
use crate::usecases::{Refusal, labels};
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
    let kind = credentials::kind(posted.get("kind"))?;
    form::only(kind, &posted, &[])?;
    let found = credentials::test_new(&services, &visitor.principal(), kind, &posted.0).await;
    let shown = (Shell::new(&request, &visitor, "credentials"), labels::owners(&services).await?);
    answer(&request, found, |errors| new::form_of(kind, shown, &posted, errors))
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
    let found = credentials::test(&services, &visitor.principal(), id).await?;
    let shell = Shell::new(&request, &visitor, "credentials");
    show::load(&services, shell, id).await?.tested(&request, FindingView::new(found))
}

async fn edited(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Operator>,
    id: CredentialId,
    posted: &Posted,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(services, id).await?;
    form::only(edited.kind, posted, &[])?;
    let seen = form::version(posted)?;
    let found = credentials::test_edited(services, &visitor.principal(), (&edited, seen), &posted.0).await;
    let shell = Shell::new(request, visitor, "credentials");
    answer(request, found, |errors| edit::form_of(&edited, seen, shell, &posted.0, errors))
}

/// The form with what the test found, or with what is wrong before anything can be tested.
fn answer(
    request: &HttpRequest,
    found: Result<Finding, Refusal>,
    form: impl FnOnce(&Errors) -> FormPage,
) -> Result<HttpResponse, Error> {
    match found {
        Ok(found) => form(&Errors::default()).tested(request, FindingView::new(found)),
        Err(Refusal::Invalid(errors)) => form(&errors).untested(request),
        Err(refusal) => Err(refusal.into()),
    }
}
