//! How the console looks and listens to this user, in every browser.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::super::error::Error;
use super::super::page;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use crate::services::Services;
use crate::usecases::account;

pub async fn update(services: Data<Services>, visitor: As<Auditor>, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["theme", "shortcuts"])?;
    let shortcuts = match posted.get("shortcuts") {
        "on" => true,
        "" => false,
        _ => return Err(Error::Unacceptable("Tick the shortcuts or leave them.".to_owned())),
    };
    account::set_preferences(&services, &visitor.principal(), posted.get("theme"), shortcuts).await?;
    Ok(page::see_other("/account", "saved"))
}
