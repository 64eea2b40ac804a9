//! The password once more, inside of a form: for forms whose fields would be lost on the way over the page that asks
//! for it (`account::confirm`). Which routes need a fresh password, and how each asks, stands in
//! `tests/console/step_up.rs`.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::posted::Posted;
use super::session;
use super::{login, page};
use crate::accounts::Refused;
use crate::accounts::visitor::Visitor;
use crate::services::Services;

/// The field that the form gets.
pub const FIELD: &str = "password";
/// The same in a form that has a password of its own.
pub const OTHER_FIELD: &str = "your_password";

/// The form must ask for the password. `templates/shared/password.html` shows it.
#[derive(Clone, Debug)]
pub struct Ask {
    pub field: &'static str,
    pub error: Option<String>,
    /// Seconds until a password is looked at again, after too many wrong ones.
    seconds: Option<i64>,
}

impl Ask {
    /// The form that asks: 422, or 429 with the time to wait.
    pub fn answer(&self, form: &impl Template) -> Result<HttpResponse, Error> {
        let status = match self.seconds {
            Some(_) => StatusCode::TOO_MANY_REQUESTS,
            None => StatusCode::UNPROCESSABLE_ENTITY,
        };
        login::with_wait(page::html_with(status, form)?, self.seconds)
    }
}

/// Whether the visitor may go on: by a password given lately, else by the one that came with the form.
pub async fn confirm(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    posted: &Posted,
) -> Result<Result<(), Ask>, Error> {
    confirm_by(FIELD, services, request, visitor, posted).await
}

/// The same by another field of the form.
pub async fn confirm_by(
    field: &'static str,
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    posted: &Posted,
) -> Result<Result<(), Ask>, Error> {
    if visitor.confirmed_lately() {
        return Ok(Ok(()));
    }
    let ask = |error: Option<String>, seconds| Ok(Err(Ask { field, error, seconds }));
    let password = posted.get(field);
    if password.is_empty() {
        return ask(posted.0.contains(field).then(|| "Enter your password.".to_owned()), None);
    }
    match services.gate.password(&visitor.name, password, session::client_ip(request, services)).await {
        Ok(user) if user.id == visitor.user_id => Ok(Ok(())),
        Ok(_) | Err(Refused::Wrong) => ask(Some("That is not your password.".to_owned()), None),
        Err(Refused::Throttled(seconds)) => ask(Some(Refused::Throttled(seconds).to_string()), Some(seconds)),
        Err(refused) => Err(refused.into()),
    }
}
