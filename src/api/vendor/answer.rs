//! What the API answers when something is wrong. The vendor documents 400 for whatever is wrong with a change, and its
//! clients try neither that nor 409 again.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};

use crate::models::DbError;
use crate::usecases::api::Denied;
use crate::usecases::{Question, Refusal};
use crate::web::error::Error;
use crate::web::machines::Shape;

/// A request that is answered with an error.
#[derive(Debug)]
pub enum Bad {
    /// What is wrong with it, as a sentence.
    Said(String),
    NotFound(&'static str),
    TooLarge,
    Denied(Denied),
    Refused(Box<Refusal>),
}

impl Bad {
    pub fn said(sentence: impl Into<String>) -> Self {
        Self::Said(sentence.into())
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request is refused")
    }
}

impl From<Refusal> for Bad {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<DbError> for Bad {
    fn from(error: DbError) -> Self {
        Refusal::from(error).into()
    }
}

impl From<Denied> for Bad {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

const NEEDS_SCOPE: &str = "This needs the password in the console, or an API token with the scope Read, write and new \
                           destinations.";

fn error(status: StatusCode, sentence: &str) -> HttpResponse {
    Shape::Vendor.error(status, sentence)
}

impl ResponseError for Bad {
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Said(sentence) => error(StatusCode::BAD_REQUEST, sentence),
            Self::NotFound(sentence) => error(StatusCode::NOT_FOUND, sentence),
            Self::TooLarge => error(StatusCode::PAYLOAD_TOO_LARGE, "The body may have 1 MiB."),
            Self::Denied(denied) => of_denied(denied),
            Self::Refused(refusal) => of_refusal(refusal),
        }
    }
}

fn of_denied(denied: &Denied) -> HttpResponse {
    let unauthorized = |sentence: &str| error(StatusCode::UNAUTHORIZED, sentence);
    match denied {
        Denied::Wrong => unauthorized("Not logged in, or the user name, password or token is wrong or has ended."),
        Denied::NeedsToken => unauthorized(
            "This account has two-step verification: create an API token on its Account page and send that as the \
             password.",
        ),
        Denied::NeedsTwoStep => unauthorized("Log in to the console first and set up two-step verification."),
        Denied::NeedsPassword => unauthorized("Log in to the console first and choose a password of your own."),
        Denied::Throttled(seconds) => {
            let sentence = format!("Too many failed logins. Try again in {seconds} seconds.");
            Shape::Vendor.error_for_now(StatusCode::TOO_MANY_REQUESTS, &sentence, *seconds)
        }
        Denied::Busy(busy) => Shape::Vendor.error_for_now(StatusCode::SERVICE_UNAVAILABLE, &busy.to_string(), 2),
        Denied::Db(error) => Shape::Vendor.of_error(&Error::from(error.clone())),
    }
}

fn of_refusal(refusal: &Refusal) -> HttpResponse {
    let bad = |sentence: &str| error(StatusCode::BAD_REQUEST, sentence);
    match refusal {
        Refusal::Forbidden => {
            error(StatusCode::FORBIDDEN, "Your role, or the scope of the API token, doesn't allow it.")
        }
        Refusal::LoggedOut => of_denied(&Denied::Wrong),
        Refusal::Unconfirmed(_) => error(StatusCode::FORBIDDEN, NEEDS_SCOPE),
        Refusal::Destination(question) => bad(&of_question(question)),
        Refusal::Invalid(errors) => {
            let sentences: Vec<&str> = errors.iter().map(|(_, sentence)| sentence).collect();
            bad(&sentences.join(" "))
        }
        Refusal::Unacceptable(sentence) | Refusal::Conflict(sentence) => bad(sentence),
        Refusal::NotConnected(sentence) => bad(sentence),
        Refusal::InUse => bad("It is in use."),
        Refusal::Overtaken => error(StatusCode::CONFLICT, "Someone else changed it meanwhile. Read it again."),
        Refusal::LastAdministrator => bad("This is the last administrator who can log in."),
        Refusal::TooOften(too_often) => {
            Shape::Vendor.error_for_now(StatusCode::TOO_MANY_REQUESTS, &too_often.text, too_often.seconds)
        }
        Refusal::Busy(busy) => of_denied(&Denied::Busy(*busy)),
        Refusal::Db(DbError::NotFound) => error(StatusCode::NOT_FOUND, "It isn't there."),
        Refusal::Db(error) => Shape::Vendor.of_error(&Error::from(error.clone())),
    }
}

fn of_question(question: &Question) -> String {
    let Question { credential, host, .. } = question;
    format!("The stored secret of {credential} hasn't been sent to {host} before. {NEEDS_SCOPE}")
}

/// Done, and nothing to say.
pub fn done() -> HttpResponse {
    HttpResponse::Ok().finish()
}
