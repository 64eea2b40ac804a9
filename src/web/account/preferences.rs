//! How the console looks and listens to this user, in every browser.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::super::error::Error;
use super::super::page;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use crate::models::users;
use crate::services::Services;

/// Slug and label.
pub const THEMES: [(&str, &str); 3] = [("system", "System"), ("light", "Light"), ("dark", "Dark")];

pub async fn update(services: Data<Services>, visitor: As<Auditor>, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["theme", "shortcuts"])?;
    let Some((theme, _)) = THEMES.into_iter().find(|(theme, _)| *theme == posted.get("theme")) else {
        return Err(Error::Unacceptable("Choose one of the themes.".to_owned()));
    };
    let shortcuts = match posted.get("shortcuts") {
        "on" => true,
        "" => false,
        _ => return Err(Error::Unacceptable("Tick the shortcuts or leave them.".to_owned())),
    };
    let id = visitor.user_id;
    services.db.transaction(move |conn| users::set_preferences(conn, id, theme, shortcuts)).await?;
    services.sessions.forget();
    Ok(page::see_other("/account", "saved"))
}
