//! *Forgot your password?* The answer is the same whether anybody has that name or not.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::accounts::limiter::TooOften;
use crate::services::Services;
use crate::usecases::{Refusal, password_links, user_mail};
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::{login, page, session};

#[derive(Template)]
#[template(path = "password/forgot.html")]
struct Forgot {
    who: String,
    asked: bool,
    problem: Option<String>,
}

pub async fn new(services: Data<Services>) -> Result<HttpResponse, Error> {
    match user_mail::is_offered(&services).await? {
        true => page::html(&Forgot { who: String::new(), asked: false, problem: None }),
        false => Ok(page::see_other("/login", "")),
    }
}

pub async fn create(services: Data<Services>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["who"])?;
    let who = posted.get("who");
    if who.trim().is_empty() {
        let problem = Some("Enter your user name or e-mail address.".to_owned());
        return page::html_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &Forgot { who: String::new(), asked: false, problem },
        );
    }
    match password_links::request(&services, who, session::client_ip(&request, &services)).await {
        Ok(()) => page::html(&Forgot { who: String::new(), asked: true, problem: None }),
        Err(Refusal::TooOften(TooOften { text, seconds })) => {
            let form = Forgot { who: who.to_owned(), asked: false, problem: Some(text) };
            login::with_wait(page::html_with(StatusCode::TOO_MANY_REQUESTS, &form)?, Some(seconds))
        }
        Err(refusal) => Err(refusal.into()),
    }
}
