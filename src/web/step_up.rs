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
use crate::services::Services;
use crate::usecases::{Confirmation, Refusal, Unconfirmed};

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
    pub fn new(field: &'static str, Unconfirmed { error, seconds }: Unconfirmed) -> Self {
        Self { field, error, seconds }
    }

    /// The form that asks: 422, or 429 with the time to wait.
    pub fn answer(&self, form: &impl Template) -> Result<HttpResponse, Error> {
        let status = match self.seconds {
            Some(_) => StatusCode::TOO_MANY_REQUESTS,
            None => StatusCode::UNPROCESSABLE_ENTITY,
        };
        login::with_wait(page::html_with(status, form)?, self.seconds)
    }
}

/// The password of the form's field, for a use case.
pub fn typed<'a>(field: &str, services: &Services, request: &HttpRequest, posted: &'a Posted) -> Confirmation<'a> {
    let password = posted.0.contains(field).then(|| posted.get(field));
    Confirmation { password, address: session::client_ip(request, services) }
}

/// A refusal as an error: a visitor who must give the password first gives it on the page that asks for it, and comes
/// back to `next`.
pub fn on_its_page(request: &HttpRequest, next: &str) -> impl FnOnce(Refusal) -> Error {
    move |refusal| match refusal {
        Refusal::Unconfirmed(_) => session::confirm_needed(request, next),
        refusal => refusal.into(),
    }
}
