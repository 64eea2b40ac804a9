//! What is to be told, and when: limits of age, warnings ahead, reminders. Everybody reads them, administrators change
//! them. Who is told is in the channels, which are listed below the form.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::channels::ChannelView;
use crate::accounts::visitor::Visitor;
use crate::credentials::KINDS;
use crate::form::{Errors, Values};
use crate::models::alert_settings::{self, AlertSettings};
use crate::models::credential_limits::Limits;
use crate::models::delivery_list;
use crate::models::{self, DbError};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::alerts::{self, limit_of};
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As, Auditor};
use crate::web::step_up::{self, Ask};

/// The limit of one type.
struct KindField {
    name: String,
    label: &'static str,
    value: String,
    /// What holds when it is blank.
    blank: String,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "alerts/settings.html")]
struct Edit {
    shell: Shell,
    row_version: i64,
    /// The operator's own limit.
    operator: i32,
    stale_days: String,
    stale_error: Option<String>,
    kinds: Vec<KindField>,
    ahead: bool,
    remind: bool,
    failed_scans: String,
    scans_error: Option<String>,
    /// (field, label, sentence)
    problems: Vec<(String, &'static str, String)>,
    /// Somebody else has saved meanwhile.
    overtaken: bool,
    channels: Vec<ChannelView>,
    /// What was saved does not count: the form starts from the defaults.
    settings_doubt: bool,
    /// Asked before alerts become quieter.
    password: Option<Ask>,
}

pub async fn edit(services: Data<Services>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    page::html(&draw(&services, &request, &visitor, None, &Errors::default()).await?)
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let kinds: Vec<String> = KINDS.iter().map(|kind| limit_of(kind.slug)).collect();
    let own = ["row_version", "stale_days", "ahead", "remind", "failed_scans", step_up::FIELD, "redraw"];
    posted.only(own.into_iter().chain(kinds.iter().map(String::as_str)))?;
    let seen = posted.get("row_version").parse().map_err(|_| Error::Malformed)?;
    if posted.0.contains("redraw") {
        let page = draw(&services, &request, &visitor, Some(&posted.0), &Errors::default()).await?;
        return page::html(&Edit { row_version: seen, ..page });
    }
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    match alerts::save_settings(&services, &visitor.principal(), seen, &posted.0, &confirmation).await {
        Ok(()) => Ok(page::see_other("/alerts/settings", "limit")),
        Err(refusal) => again(&services, &request, &visitor, (seen, &posted.0), refusal).await,
    }
}

/// The form as it was filled in, over the version that it showed. Who was overtaken may save over the version that is
/// there now.
async fn again(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    (seen, posted): (i64, &Values),
    refusal: Refusal,
) -> Result<HttpResponse, Error> {
    let page = async |errors: &Errors| draw(services, request, visitor, Some(posted), errors).await;
    match refusal {
        Refusal::Invalid(errors) => {
            let page = page(&errors).await?;
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &Edit { row_version: seen, ..page })
        }
        Refusal::Unconfirmed(why) => {
            let (page, ask) = (page(&Errors::default()).await?, Ask::new(step_up::FIELD, why));
            ask.answer(&Edit { row_version: seen, password: Some(ask.clone()), ..page })
        }
        Refusal::Overtaken => {
            let page = page(&Errors::default()).await?;
            page::html_with(StatusCode::CONFLICT, &Edit { overtaken: true, ..page })
        }
        refusal => Err(refusal.into()),
    }
}

async fn draw(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    posted: Option<&Values>,
    errors: &Errors,
) -> Result<Edit, Error> {
    let vault = services.vault.clone();
    let (settings, channels, now) = services
        .db
        .run(move |conn| {
            let settings = alert_settings::load(conn, &vault)?;
            Ok::<_, DbError>((settings, delivery_list::channels(conn)?, models::clock(conn)?))
        })
        .await?;
    let settings_doubt = settings.doubt.is_some();
    let settings = if settings_doubt {
        AlertSettings { row_version: settings.row_version, ..AlertSettings::default() }
    } else {
        settings
    };
    let shown = |name: &str, stored: Option<i32>| match posted {
        Some(posted) => posted.get(name).to_owned(),
        None => stored.map(|days| days.to_string()).unwrap_or_default(),
    };
    let error = |name: &str| errors.of(name).map(str::to_owned);
    // A type's limit without its own line here.
    let unset = AlertSettings { kind_days: BTreeMap::new(), ..settings.clone() };
    let kinds = KINDS.iter().map(|kind| KindField {
        value: shown(&limit_of(kind.slug), settings.kind_days.get(kind.slug).copied()),
        blank: match Limits::of(&unset, services.stale_days()).of_kind(kind.slug, true) {
            Some(_) => "as above".to_owned(),
            None => "never".to_owned(),
        },
        error: error(&limit_of(kind.slug)),
        name: limit_of(kind.slug),
        label: kind.label,
    });
    let kinds: Vec<KindField> = kinds.collect();
    let mut problems = vec![];
    let fields = [("stale_days".to_owned(), "AWS access keys"), ("failed_scans".to_owned(), "Failed scans in a row")];
    for (name, label) in fields.into_iter().chain(kinds.iter().map(|kind| (kind.name.clone(), kind.label))) {
        problems.extend(error(&name).map(|sentence| (name, label, sentence)));
    }
    Ok(Edit {
        shell: Shell::new(request, visitor, "alerts"),
        row_version: settings.row_version,
        operator: services.stale_days(),
        stale_days: shown("stale_days", settings.stale_days),
        stale_error: error("stale_days"),
        kinds,
        ahead: posted.map_or(settings.ahead, |posted| posted.get("ahead") == "on"),
        remind: posted.map_or(settings.remind, |posted| posted.get("remind") == "on"),
        failed_scans: shown("failed_scans", Some(settings.failed_scans)),
        scans_error: error("failed_scans"),
        problems,
        overtaken: false,
        password: None,
        channels: channels.into_iter().map(|channel| ChannelView::new(channel, now)).collect(),
        settings_doubt,
    })
}
