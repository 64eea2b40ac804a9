//! *Snooze* of an old key or of all keys of its owner, and *Stop snoozing*. The forms stand on the page of the account's
//! alert and on *Cloud keys*.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::models::AlertId;
use crate::services::Services;
use crate::usecases::alerts::Snooze;
use crate::usecases::cloud_keys::{self, Silenced};
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::{page, params};

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["days", "what"])?;
    let what = Silenced::find(posted.get("what")).ok_or(Error::Malformed)?;
    let snooze = Snooze::find(posted.get("days")).filter(|snooze| *snooze != Snooze::Not).ok_or(Error::Malformed)?;
    let key = params::id(&request)?;
    let alert = cloud_keys::snooze(&services, &visitor.principal(), (key, what), snooze).await?;
    Ok(page::see_other(&back(alert), "keys-snoozed"))
}

pub async fn stop(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["page"])?;
    let alert = cloud_keys::stop(&services, &visitor.principal(), params::id(&request)?).await?;
    let to = if posted.get("page") == "keys" { back(None) } else { back(alert) };
    Ok(page::see_other(&to, "snooze-stopped"))
}

/// The alert of the account, or the old keys of all accounts.
fn back(alert: Option<AlertId>) -> String {
    alert.map_or_else(|| "/cloud-keys?show=old".to_owned(), |alert| format!("/alerts/{alert}"))
}
