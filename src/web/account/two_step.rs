//! Two-step verification: the picture for the authenticator, the first code that turns it on, recovery codes, off.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::Error;
use super::super::page::{self, Shell};
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::step_up;
use crate::accounts::totp;
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::two_step::{self, TwoStep};

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
    Offered { picture: Picture, readable: String, problem: Option<String> },
}

#[derive(Template)]
#[template(path = "account/codes.html")]
struct Codes {
    shell: Shell,
    first: bool,
    codes: Vec<String>,
}

pub async fn show(services: Data<Services>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    page::html(&Show::load(&services, &request, &visitor, None).await?)
}

impl Show {
    async fn load(
        services: &Services,
        request: &HttpRequest,
        visitor: &As<Auditor>,
        problem: Option<String>,
    ) -> Result<Self, Error> {
        let found = two_step::two_step(services, &visitor.principal()).await;
        let (state, required) = found.map_err(step_up::on_its_page(request, PAGE))?;
        let state = match state {
            TwoStep::On { codes_left } => State::On { codes_left },
            TwoStep::Offered { name, secret } => {
                let address = totp::address(&secret, &name).ok_or(Error::Internal)?;
                let picture = Picture::new(&address).ok_or(Error::Internal)?;
                State::Offered { picture, readable: totp::readable(&secret), problem }
            }
        };
        Ok(Self { shell: Shell::new(request, visitor, "account"), required, state })
    }
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["code"])?;
    match two_step::add(&services, &visitor.principal(), posted.get("code")).await {
        Ok(codes) => page::html(&Codes { shell: Shell::new(&request, &visitor, "account"), first: true, codes }),
        Err(Refusal::Overtaken) => Ok(page::see_other(PAGE, "")),
        Err(Refusal::Invalid(errors)) => {
            let problem = errors.of("code").map(str::to_owned);
            let page = Show::load(&services, &request, &visitor, problem).await?;
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(refusal) => Err(step_up::on_its_page(&request, PAGE)(refusal)),
    }
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let removed = two_step::remove(&services, &visitor.principal()).await;
    removed.map_err(step_up::on_its_page(&request, PAGE))?;
    Ok(page::see_other("/account", "two-step-off"))
}

pub async fn renew_codes(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let renewed = two_step::renew_codes(&services, &visitor.principal()).await;
    match renewed.map_err(step_up::on_its_page(&request, PAGE))? {
        Some(codes) => page::html(&Codes { shell: Shell::new(&request, &visitor, "account"), first: false, codes }),
        None => Ok(page::see_other(PAGE, "")),
    }
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
