//! What is to be told, and when: limits of age, warnings ahead, reminders. Everybody reads them, administrators change
//! them. Who is told is in the channels, which are listed below the form.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::accounts::visitor::Visitor;
use crate::alerting;
use crate::credentials::KINDS;
use crate::form::{Errors, Values};
use crate::integrations::Spec;
use crate::models::alert_settings::{self, AlertSettings};
use crate::models::credential_limits::Limits;
use crate::models::credential_limits::MOST_DAYS;
use crate::models::delivery_list::{self, ChannelState};
use crate::models::{self, DbError};
use crate::services::Services;
use crate::usecases::numbers::days;
use crate::web::credentials::view::Badge;
use crate::web::error::Error;
use crate::web::page::{self, Shell, When, when};
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As, Auditor};
use crate::web::step_up::{self, Ask};

/// Scans in a row that may have to fail.
const MOST_SCANS: i32 = 100;

/// The limit of one type.
struct KindField {
    name: String,
    label: &'static str,
    value: String,
    /// What holds when it is blank.
    blank: String,
    error: Option<String>,
}

struct Channel {
    page: String,
    name: String,
    label: &'static str,
    state: Badge,
    away: Option<When>,
    waiting: i64,
    parked: i64,
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
    channels: Vec<Channel>,
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
    let kinds: Vec<String> = KINDS.iter().map(|kind| field(kind.slug)).collect();
    let own = ["row_version", "stale_days", "ahead", "remind", "failed_scans", step_up::FIELD];
    posted.only(own.into_iter().chain(kinds.iter().map(String::as_str)))?;
    let settings = match read(&posted.0)? {
        Ok(settings) => settings,
        Err(errors) => {
            let mut page = draw(&services, &request, &visitor, Some(&posted.0), &errors).await?;
            page.row_version = posted.get("row_version").parse().map_err(|_| Error::Malformed)?;
            return page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let vault = services.vault.clone();
    let before = services.db.run(move |conn| alert_settings::load(conn, &vault)).await?;
    if alerting::is_quieter(&before, &settings, services.stale_days())
        && let Err(ask) = step_up::confirm(&services, &request, &visitor, &posted).await?
    {
        let page = draw(&services, &request, &visitor, Some(&posted.0), &Errors::default()).await?;
        return ask.answer(&Edit { row_version: settings.row_version, password: Some(ask.clone()), ..page });
    }
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    let saved = services.db.transaction(move |conn| alert_settings::save(conn, &vault, &actor, &settings)).await;
    if let Err(DbError::Stale) = saved {
        let mut page = draw(&services, &request, &visitor, Some(&posted.0), &Errors::default()).await?;
        page.overtaken = true;
        return page::html_with(StatusCode::CONFLICT, &page);
    }
    saved?;
    alerting::refresh(&services).await?;
    services.wake.alerts.notify_one();
    Ok(page::see_other("/alerts/settings", "limit"))
}

/// The field of a type's limit.
fn field(kind: &str) -> String {
    format!("days_{kind}")
}

/// What was posted, or what is wrong with it.
fn read(posted: &Values) -> Result<Result<AlertSettings, Errors>, Error> {
    let mut errors = Errors::default();
    let mut number = |name: &str, least: i32, most: i32| match days(posted.get(name), least, most) {
        Ok(days) => days,
        Err(sentence) => {
            errors.add(name, sentence);
            None
        }
    };
    let kinds = KINDS.iter().filter_map(|kind| Some((kind.slug.to_owned(), number(&field(kind.slug), 0, MOST_DAYS)?)));
    let kind_days: BTreeMap<String, i32> = kinds.collect();
    let stale_days = number("stale_days", 1, MOST_DAYS);
    let failed_scans = number("failed_scans", 1, MOST_SCANS);
    if failed_scans.is_none() && errors.of("failed_scans").is_none() {
        errors.add("failed_scans", format!("Enter a whole number from 1 to {MOST_SCANS}."));
    }
    if !errors.is_empty() {
        return Ok(Err(errors));
    }
    let tick = |name: &str| match posted.get(name) {
        "on" => Ok(true),
        "" => Ok(false),
        _ => Err(Error::Malformed),
    };
    Ok(Ok(AlertSettings {
        stale_days,
        kind_days,
        ahead: tick("ahead")?,
        remind: tick("remind")?,
        failed_scans: failed_scans.unwrap_or(AlertSettings::default().failed_scans),
        row_version: posted.get("row_version").parse().map_err(|_| Error::Malformed)?,
        doubt: None,
    }))
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
        value: shown(&field(kind.slug), settings.kind_days.get(kind.slug).copied()),
        blank: match Limits::of(&unset, services.stale_days()).of_kind(kind.slug, true) {
            Some(_) => "as above".to_owned(),
            None => "never".to_owned(),
        },
        error: error(&field(kind.slug)),
        name: field(kind.slug),
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
        channels: channels.into_iter().map(|channel| shown_channel(channel, now)).collect(),
        settings_doubt,
    })
}

fn shown_channel(channel: ChannelState, now: chrono::DateTime<chrono::Utc>) -> Channel {
    Channel {
        page: format!("/integrations/{}", channel.id),
        label: Spec::find(&channel.version).map_or("Unknown channel", |spec| spec.label),
        state: match channel {
            ChannelState { active: false, .. } => ("off", "Switched off"),
            ChannelState { failing_since: Some(_), .. } => ("warn", "Nothing gets through"),
            ChannelState { parked: 1.., .. } => ("bad", "Undelivered messages"),
            _ => ("good", "Enabled"),
        },
        away: channel.failing_since.filter(|_| channel.active).map(|at| when(at, now)),
        name: channel.name,
        waiting: channel.waiting,
        parked: channel.parked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(name: &str, value: &str) -> Values {
        let mut values: Values = [("row_version", "1"), ("failed_scans", "3")].into_iter().collect();
        values.set(name, value);
        values
    }

    #[test]
    fn a_limit_is_a_number_of_days_or_nothing() {
        let read = |name, value| read(&posted(name, value)).unwrap();
        assert_eq!(read("days_basic", "180").unwrap().kind_days["basic"], 180);
        assert_eq!(read("days_basic", " 0 ").unwrap().kind_days["basic"], 0);
        assert!(read("days_basic", "").unwrap().kind_days.is_empty());
        assert_eq!(read("stale_days", "30").unwrap().stale_days, Some(30));
        for (name, bad) in
            [("stale_days", "0"), ("days_aws", "-1"), ("days_aws", "3651"), ("days_aws", "1.5"), ("failed_scans", "")]
        {
            assert!(read(name, bad).is_err(), "{name} {bad}");
        }
    }
}
