//! What a visitor is told when something does not work: which status, which sentence, which way on. Handlers return
//! [`Error`]; anything that only a person at the form can mend is no error but the form again, with 422.
//!
//! | error          | status | says                                     |
//! |----------------|--------|------------------------------------------|
//! | `LoginNeeded`  | 302    | the login page, or 401 alone to htmx     |
//! | `ConfirmNeeded`| 303    | the password page, or 401 to htmx        |
//! | `EnrolNeeded`  | 302    | two-step verification must be set up     |
//! | `PasswordNeeded` | 302  | the password must be one's own           |
//! | `Malformed`    | 400    | the request cannot be read               |
//! | `Incomplete`   | 400    | the form did not arrive whole            |
//! | `Unread`       | 400    | what of the address cannot be read       |
//! | `Forbidden`    | 403    | the role does not allow it               |
//! | `CrossSite`    | 403    | the request came from elsewhere          |
//! | `NotFound`     | 404    | no such page                             |
//! | `TooSlow`      | 408    | the request did not arrive in time       |
//! | `Conflict`     | 409    | what stands in the way                   |
//! | `TooLarge`     | 413    | the request is too large                 |
//! | `WrongHost`    | 421    | the console has another address          |
//! | `Unacceptable` | 422    | what is wrong with the request           |
//! | `Throttled`    | 429    | when to come back                        |
//! | `Internal`     | 500    | that it is logged                        |
//! | `Unavailable`  | 503    | to come back in a moment                 |
//! | `OutcomeUnknown` | 503  | how to see whether it was saved          |
//! | `Trail`        | 503    | what about the audit trail is in the way |

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};

use super::htmx;
use crate::accounts::Refused;
use crate::accounts::limiter::TooOften;
use crate::models::DbError;
use crate::usecases::Refusal;

#[derive(Debug)]
pub enum Error {
    LoginNeeded {
        /// The page to come back to.
        next: String,
        htmx: bool,
        /// A form was posted, and nothing of it was saved.
        posted: bool,
    },
    /// The password must be given once more; `next` is the page to come back to.
    ConfirmNeeded {
        next: String,
        htmx: bool,
    },
    EnrolNeeded,
    PasswordNeeded,
    Malformed,
    /// The form breaks off before its end.
    Incomplete,
    /// A filter in the address, with what is wrong with it.
    Unread(String),
    Forbidden,
    /// A write that another site may have caused; both are shown.
    CrossSite {
        title: &'static str,
        text: String,
    },
    NotFound,
    TooSlow,
    Conflict(String),
    TooLarge,
    /// With what came, what was expected and the way out.
    WrongHost(String),
    Unacceptable(String),
    Throttled {
        text: String,
        seconds: i64,
    },
    Internal,
    Unavailable,
    /// The database fell silent while it saved.
    OutcomeUnknown,
    ReadOnly,
    Trail(Trail),
}

/// What about the audit trail is in the way.
#[derive(Clone, Copy, Debug)]
pub enum Trail {
    /// It is being read for the first time.
    Reading,
    /// It was broken before the console started, or cannot be followed; or tables were replaced.
    Held,
    /// It was cut a moment ago.
    Cut,
}

impl Trail {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Reading => (
                "The console is starting",
                "The audit trail is being read, so that this console knows what belongs in the database. Try again in a \
                 few seconds.",
            ),
            Self::Held => (
                "Nothing is changed while the database is not to be relied on",
                "Its audit trail was altered before this console started, or cannot be read, or its tables were replaced. \
                 No secret is used and nothing was changed. The dashboard says which it is, and what to do: put the \
                 backup \
                 or the tables back, or accept a break of the trail with the command “strongroom audit accept”.",
            ),
            Self::Cut => (
                "The audit trail was altered a moment ago",
                "Someone altered it or rolled it back in the database, so nothing was changed. The Alerts page says \
                what \
                 was found in a few seconds; then you can try again.",
            ),
        }
    }
}

/// Why nobody may demote or disable them.
pub const LAST_ADMINISTRATOR: &str =
    "This is the last administrator who can log in. Make someone else an administrator first.";

/// What the guard turns into a page or, for htmx, a notice.
#[derive(Clone, Debug)]
pub struct Problem {
    pub title: &'static str,
    pub text: String,
}

impl Error {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::LoginNeeded { htmx: true, .. } | Self::ConfirmNeeded { htmx: true, .. } => StatusCode::UNAUTHORIZED,
            Self::ConfirmNeeded { .. } => StatusCode::SEE_OTHER,
            Self::LoginNeeded { .. } | Self::EnrolNeeded | Self::PasswordNeeded => StatusCode::FOUND,
            Self::Malformed | Self::Incomplete | Self::Unread(_) => StatusCode::BAD_REQUEST,
            Self::Forbidden | Self::CrossSite { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongHost(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Unacceptable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::OutcomeUnknown | Self::ReadOnly | Self::Trail(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    pub(super) fn problem(&self) -> Problem {
        let (title, text): (&'static str, &str) = match self {
            Self::LoginNeeded { .. } => ("Log in first", "Your session has ended."),
            Self::ConfirmNeeded { .. } => ("Confirm it's you", "Enter your password again."),
            Self::EnrolNeeded => ("Set up two-step verification", "Your administrator requires it."),
            Self::PasswordNeeded => ("Choose your own password", "An administrator knows the one you have."),
            Self::Malformed => ("The request cannot be read", "Go back, reload the page and try again."),
            Self::Incomplete => (
                "The form did not arrive whole",
                "It breaks off before its end, so nothing was saved. Send it again. If it stays so, a proxy in between cuts \
                 it off.",
            ),
            Self::Unread(text) => ("The filter cannot be read", text),
            Self::Forbidden => {
                ("Your role does not allow this", "Ask an administrator to do it, or to give you another role.")
            }
            Self::CrossSite { title, text } => (title, text),
            Self::NotFound => {
                ("There is no such page", "The address may be old, or the thing it named has been deleted.")
            }
            Self::TooSlow => ("The request took too long", "It did not arrive within 15 seconds. Try again."),
            Self::Conflict(text) => ("That is not possible now", text),
            Self::TooLarge => (
                "That is too large",
                "A form may hold 256 KiB, and one with files 2 MiB. Nothing was saved. Send less.",
            ),
            Self::WrongHost(text) => ("This console has another address", text),
            Self::Unacceptable(text) => ("That didn't work", text),
            Self::Throttled { text, .. } => ("Too many attempts", text),
            Self::Internal => ("Something went wrong", "It has been logged. Nothing was changed. Try again."),
            Self::Unavailable => ("The database does not answer", "Nothing was changed. Try again in a few seconds."),
            Self::OutcomeUnknown => (
                "We don't know if this was saved",
                "The database stopped answering while it saved. Before you try again, open the page of what you changed \
                 or the audit trail: they show whether it was saved.",
            ),
            Self::ReadOnly => {
                ("Nothing can be saved at the moment", "The database is read-only. Nothing was changed; reading works.")
            }
            Self::Trail(trail) => trail.words(),
        };
        Problem { title, text: text.to_owned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.problem().title)
    }
}

impl std::error::Error for Error {}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        match self {
            // The page stays as it is: static/js/session.js logs in over it.
            Self::LoginNeeded { htmx: true, .. } => return response.finish(),
            Self::LoginNeeded { next, posted, .. } => {
                let to = if next == "/" { "/login".to_owned() } else { with_next("/login", next) };
                let mark = if to.contains('?') { "&ended=yes" } else { "?ended=yes" };
                return response.insert_header((LOCATION, if *posted { to + mark } else { to })).finish();
            }
            Self::ConfirmNeeded { next, htmx: true } => {
                let mut response = response.finish();
                htmx::redirect(&mut response, &with_next("/account/confirm", next));
                return response;
            }
            Self::ConfirmNeeded { next, .. } => {
                return response.insert_header((LOCATION, with_next("/account/confirm", next))).finish();
            }
            Self::PasswordNeeded => return response.insert_header((LOCATION, "/account/password")).finish(),
            Self::EnrolNeeded => return response.insert_header((LOCATION, "/account/two-step")).finish(),
            Self::Throttled { seconds, .. } => {
                response.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            Self::Unavailable | Self::ReadOnly | Self::Trail(Trail::Reading | Trail::Cut) => {
                response.insert_header((RETRY_AFTER, "2"));
            }
            _ => {}
        }
        let mut response = response.finish();
        response.extensions_mut().insert(self.problem());
        response
    }
}

fn with_next(path: &str, next: &str) -> String {
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    format!("{path}?{query}")
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotFound => Self::NotFound,
            DbError::Unavailable | DbError::TryAgain => Self::Unavailable,
            DbError::OutcomeUnknown => Self::OutcomeUnknown,
            DbError::ReadOnly => Self::ReadOnly,
            DbError::TrailHeld => Self::Trail(Trail::Held),
            DbError::TrailCut => Self::Trail(Trail::Cut),
            DbError::MissingKek(_) => {
                tracing::error!(%error, "a value cannot be sealed");
                Self::Unavailable
            }
            DbError::Stale => Self::Conflict("Someone else changed it. Reload the page.".to_owned()),
            DbError::Duplicate(_) => Self::Conflict("That name is taken. Choose another.".to_owned()),
            DbError::Reference(_) => Self::Conflict("It is in use, or what it refers to has been deleted.".to_owned()),
            DbError::Integrity => Self::Conflict(
                "Integrity error: what is stored here is not what Strongroom saved. It cannot be used; enter it again. The \
                 audit trail says when it was noticed."
                    .to_owned(),
            ),
            DbError::Unreadable => {
                tracing::error!("a row of the database holds a value that Strongroom never writes");
                Self::Conflict(
                    "A record that belongs here cannot be read: someone changed it in the database, outside Strongroom. An \
                     administrator of the server finds it with the command “strongroom verify”."
                        .to_owned(),
                )
            }
            DbError::LaterRelease => Self::Conflict(
                "A later release of Strongroom saved this, and this console cannot read it. Upgrade this console.".to_owned(),
            ),
            DbError::Check(name) if name == "users_last_administrator" => Self::Conflict(LAST_ADMINISTRATOR.to_owned()),
            DbError::Check(_) => Self::Unacceptable("The database refuses these values.".to_owned()),
            DbError::Other => {
                tracing::error!("the database refused a statement");
                Self::Internal
            }
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Throttled(seconds) => Self::Throttled { text: refused.to_string(), seconds },
            Refused::Db(error) => error.into(),
            Refused::Busy(_) => Self::Unavailable,
            Refused::Wrong => Self::Forbidden,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Forbidden => Self::Forbidden,
            // Handlers that know their page send there; a form that is invalid is shown again.
            Refusal::Unconfirmed(_) | Refusal::Destination(_) => {
                Self::ConfirmNeeded { next: "/".to_owned(), htmx: false }
            }
            Refusal::Invalid(_) => Self::Unacceptable("Go back and check what you entered.".to_owned()),
            Refusal::Unacceptable(text) => Self::Unacceptable(text.to_owned()),
            Refusal::LoggedOut => Self::LoginNeeded { next: "/".to_owned(), htmx: false, posted: false },
            Refusal::Conflict(text) => Self::Conflict(text.to_owned()),
            Refusal::Overtaken => DbError::Stale.into(),
            Refusal::InUse => Self::Conflict("It is in use.".to_owned()),
            Refusal::NotConnected(why) => Self::Conflict(why),
            Refusal::TooOften(too_often) => too_often.into(),
            Refusal::LastAdministrator => Self::Conflict(LAST_ADMINISTRATOR.to_owned()),
            Refusal::Busy(_) => Self::Unavailable,
            Refusal::Db(error) => error.into(),
        }
    }
}

impl From<TooOften> for Error {
    fn from(TooOften { text, seconds }: TooOften) -> Self {
        Self::Throttled { text, seconds }
    }
}

impl From<askama::Error> for Error {
    fn from(_: askama::Error) -> Self {
        tracing::error!("a template could not be rendered");
        Self::Internal
    }
}

/// Everything that the URL tree does not name.
pub async fn not_found() -> Result<HttpResponse, Error> {
    Err(Error::NotFound)
}
