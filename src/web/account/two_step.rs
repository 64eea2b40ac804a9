//! Two-step verification: the picture for the authenticator, the first code that turns it on, recovery codes, off.
//! Showing the picture writes nothing: the offered secret follows from the visitor's session and the vault's key, so it
//! is the same until it is confirmed, also after the password was asked for again, and is stored only then.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::super::error::Error;
use super::super::page::{self, Shell};
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use crate::accounts::totp;
use crate::accounts::visitor::Visitor;
use crate::models::DbError;
use crate::models::users::{self, Change, User};
use crate::services::Services;

const PAGE: &str = "/account/two-step";

#[derive(Template)]
#[template(path = "account/two_step.html")]
struct Show {
    shell: Shell,
    required: bool,
    state: State,
}

enum State {
    On { codes_left: usize },
    Offered { picture: Picture, readable: String, problem: Option<&'static str> },
}

#[derive(Template)]
#[template(path = "account/codes.html")]
struct Codes {
    shell: Shell,
    first: bool,
    codes: Vec<String>,
}

pub async fn show(services: Data<Services>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    let (id, vault) = (visitor.user_id, services.vault.clone());
    let user = services.db.run(move |conn| users::find(conn, &vault, id)).await?.trust()?;
    let codes_left = user.recovery_codes.len();
    if user.totp_confirmed {
        let shell = Shell::new(&request, &visitor, "account");
        return page::html(&Show { shell, required: user.totp_required, state: State::On { codes_left } });
    }
    visitor.require_fresh(&request, PAGE)?;
    offer(&services, &request, &visitor, &user, StatusCode::OK, None)
}

fn offer(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    user: &User,
    status: StatusCode,
    problem: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let secret = offered(services, visitor, user);
    let address = totp::address(&secret, &user.name).ok_or(Error::Internal)?;
    let picture = Picture::new(&address).ok_or(Error::Internal)?;
    let shell = Shell::new(request, visitor, "account");
    let state = State::Offered { picture, readable: totp::readable(&secret), problem };
    page::html_with(status, &Show { shell, required: user.totp_required, state })
}

/// One a session: its id stays when the password is confirmed, where its token does not. Nobody finds it out without
/// the key ring, and no other session is offered the same.
fn offered(services: &Services, visitor: &Visitor, user: &User) -> Vec<u8> {
    let parts: [&[u8]; 3] = [user.id.as_bytes(), &user.totp_version.to_be_bytes(), visitor.session_id.as_bytes()];
    let mut secret = services.vault.mac("totp/offer", &parts);
    secret.truncate(totp::SECRET_BYTES);
    secret
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["code"])?;
    // A wrong code shows the secret again and a right one binds the account to whoever knows it.
    visitor.require_fresh(&request, PAGE)?;
    let (id, vault) = (visitor.user_id, services.vault.clone());
    let found = services.db.run(move |conn| Ok::<_, DbError>((users::find(conn, &vault, id)?, users::seconds(conn)?)));
    let (user, seconds) = found.await?;
    let user = user.trust()?;
    if user.totp_confirmed {
        return Ok(page::see_other(PAGE, ""));
    }
    let secret = offered(&services, &visitor, &user);
    let Some(step) = totp::step(&secret, posted.get("code"), u64::try_from(seconds).unwrap_or_default()) else {
        let problem = Some("That is not the code that the app shows now. Check its clock, and enter the next one.");
        return offer(&services, &request, &visitor, &user, StatusCode::UNPROCESSABLE_ENTITY, problem);
    };
    let (codes, macs) = new_codes(&services, id);
    let (vault, actor, keep) = (services.vault.clone(), visitor.actor(), visitor.token_hash.clone());
    let change = Change::TotpAdded { secret, step, recovery_codes: macs };
    services
        .db
        .transaction(move |conn| users::change(conn, &vault, &actor, id, &change, Some(&keep)))
        .await
        .map_err(|error: DbError| Error::from(error))?;
    services.sessions.forget();
    page::html(&Codes { shell: Shell::new(&request, &visitor, "account"), first: true, codes })
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    visitor.require_fresh(&request, PAGE)?;
    let (id, keep, vault, actor) =
        (visitor.user_id, visitor.token_hash.clone(), services.vault.clone(), visitor.actor());
    services
        .db
        .transaction(move |conn| users::change(conn, &vault, &actor, id, &Change::TotpRemoved, Some(&keep)))
        .await
        .map_err(|error: DbError| Error::from(error))?;
    services.sessions.forget();
    Ok(page::see_other("/account", "two-step-off"))
}

pub async fn renew_codes(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    visitor.require_fresh(&request, PAGE)?;
    if !visitor.two_step {
        return Ok(page::see_other(PAGE, ""));
    }
    let (codes, macs) = new_codes(&services, visitor.user_id);
    let (id, vault, actor, change) =
        (visitor.user_id, services.vault.clone(), visitor.actor(), Change::RecoveryCodes(macs));
    services
        .db
        .transaction(move |conn| users::change(conn, &vault, &actor, id, &change, None))
        .await
        .map_err(|error: DbError| Error::from(error))?;
    page::html(&Codes { shell: Shell::new(&request, &visitor, "account"), first: false, codes })
}

fn new_codes(services: &Services, user: Uuid) -> (Vec<String>, Vec<Vec<u8>>) {
    let codes = totp::recovery_codes();
    let macs = codes.iter().map(|code| totp::recovery_mac(&services.vault, user, code)).collect();
    (codes, macs)
}

/// A QR code as one SVG path: a unit square a module.
struct Picture {
    /// Modules a side, with the quiet zone of four on each (ISO/IEC 18004, 6.3.8).
    side: usize,
    path: String,
}

impl Picture {
    fn new(text: &str) -> Option<Self> {
        const QUIET: usize = 4;
        let code = qrcode::QrCode::new(text).ok()?;
        let width = code.width();
        let colours = code.to_colors();
        let mut path = String::new();
        for (y, row) in colours.chunks(width).enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, colour)| **colour == qrcode::Color::Dark) {
                path.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
            }
        }
        Some(Self { side: width + 2 * QUIET, path })
    }
}
