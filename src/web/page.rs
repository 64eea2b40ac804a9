//! What all pages share: the shell around them, notices that survive a redirect, and how a template becomes an answer.

use std::borrow::Cow;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, LOCATION};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Datelike, SecondsFormat, Utc};

use super::alerts::told;
use super::error::Error;
use super::escapes;
use super::forwarded;
use super::numbers::bounded;
use crate::accounts::Role;
use crate::accounts::visitor::Visitor;
use crate::models::alert_list::MOST_COUNTED;
use crate::models::cloud_keys::Count;
use crate::models::totals::Totals;
use crate::services::Services;

/// What the layout needs of every page.
#[derive(Clone, Debug)]
pub struct Shell {
    pub user: String,
    pub role: &'static str,
    pub is_administrator: bool,
    pub may_edit: bool,
    pub section: &'static str,
    pub theme: String,
    pub shortcuts: bool,
    /// One more than can be counted stands for more than that: see `alerts`.
    pub open_alerts: i64,
    /// What the sidebar counts. A page that has counted itself puts its number here, so that the two agree.
    pub totals: Totals,
    pub notice: Option<Said>,
    /// What is wrong with the store, in sentences.
    pub troubles: Vec<String>,
    /// Seconds without a visit after which the session ends, and those that it lasts at the most from now on.
    pub session_idle: i64,
    pub session_left: i64,
    /// What holds for every page.
    pub banner: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    pub tone: &'static str,
    pub text: &'static str,
}

/// A notice as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub tone: &'static str,
    pub text: Cow<'static, str>,
}

/// What a redirect may say, by a word in a cookie: the sentence itself never travels.
const NOTICES: &[(&str, Notice)] = &[
    ("saved", Notice { tone: "good", text: "Saved." }),
    ("rotated", Notice { tone: "good", text: "Rotated. Every usage takes the new secret with its next call." }),
    ("moved-back", Notice { tone: "good", text: "Undone. The usages work with this credential again." }),
    ("deleted", Notice { tone: "good", text: "Deleted." }),
    ("queued", Notice { tone: "good", text: "It has been queued." }),
    ("test-queued", Notice { tone: "good", text: "A test alert is on its way to everyone who has confirmed." }),
    ("invited", Notice { tone: "good", text: "Confirmation sent. Nothing else is sent until it's answered." }),
    ("recipient-removed", Notice { tone: "good", text: "Removed. Nothing more is sent there." }),
    ("busy", Notice { tone: "info", text: "A run is under way already." }),
    ("secret-kept", Notice { tone: "good", text: "Saved. Preview and apply it to change the cluster." }),
    ("removing", Notice { tone: "good", text: "The removal has been queued." }),
    ("checking", Notice { tone: "good", text: "The check has been queued." }),
    ("stopping", Notice { tone: "info", text: "The scan stops as soon as it can." }),
    ("activated", Notice { tone: "good", text: "Switched on." }),
    ("deactivated", Notice { tone: "good", text: "Switched off. It still counts as a usage." }),
    ("webhook-off", Notice { tone: "good", text: "The webhook is off. Calls to its address are refused." }),
    ("client-added", Notice { tone: "good", text: "Added. Give it a login and a rule." }),
    ("client-login-added", Notice { tone: "good", text: "The login works from now on." }),
    ("client-rule-refreshed", Notice { tone: "good", text: "Refreshed. Running programs get the current value." }),
    ("client-login-ended", Notice { tone: "good", text: "The login and its session tokens have ended." }),
    ("client-enabled", Notice { tone: "good", text: "Enabled. It can fetch again." }),
    (
        "client-disabled",
        Notice { tone: "good", text: "Disabled. It fetches nothing; its rules still count as usages." },
    ),
    ("token-ended", Notice { tone: "good", text: "The API token is revoked." }),
    ("ended", Notice { tone: "good", text: "The session has ended." }),
    ("password", Notice { tone: "good", text: "The password has been changed; other sessions have ended." }),
    ("two-step-on", Notice { tone: "good", text: "Two-step verification is on." }),
    ("two-step-off", Notice { tone: "good", text: "Two-step verification is off." }),
    ("welcome", Notice { tone: "good", text: "Welcome. Add the first credential to get going." }),
    ("confirmed", Notice { tone: "info", text: "Thanks. If you were saving something, save it again." }),
    ("sessions-ended", Notice { tone: "good", text: "The sessions have ended." }),
    ("user-password", Notice { tone: "good", text: "The password has been set; the user's sessions have ended." }),
    ("user-invited", Notice { tone: "good", text: "The invitation is on its way." }),
    ("invitation-withdrawn", Notice { tone: "good", text: "The invitation is withdrawn. Its link no longer works." }),
    ("role", Notice { tone: "good", text: "The role has been changed; the user must log in again." }),
    ("disabled", Notice { tone: "good", text: "Disabled. Their sessions have ended." }),
    ("enabled", Notice { tone: "good", text: "Enabled. They may log in again." }),
    ("acknowledged", Notice { tone: "good", text: "You're now the owner." }),
    ("snoozed", Notice { tone: "good", text: "Snoozed. The alert stays open." }),
    ("keys-snoozed", Notice { tone: "good", text: "Snoozed. The alert no longer counts what is snoozed." }),
    ("snooze-stopped", Notice { tone: "good", text: "No longer snoozed." }),
    ("reminded", Notice { tone: "good", text: "No longer snoozed. Reminders are sent again." }),
    ("retried", Notice { tone: "good", text: "Retrying the message." }),
    ("nothing-to-retry", Notice { tone: "info", text: "Nothing to send: the alerts are closed." }),
    ("given-up", Notice { tone: "info", text: "Message discarded." }),
    ("view-saved", Notice { tone: "good", text: "View saved." }),
    ("view-renamed", Notice { tone: "good", text: "View renamed." }),
    ("view-removed", Notice { tone: "good", text: "View deleted." }),
    ("sample-loaded", Notice { tone: "good", text: "Sample data loaded. Its alerts follow within half a minute." }),
    ("sample-removed", Notice { tone: "good", text: "Sample data removed." }),
    ("limit", Notice { tone: "good", text: "Saved. Alerts follow within half a minute." }),
    ("two-step-reset", Notice { tone: "good", text: "The authenticator has been taken off the account." }),
];
/// Of this release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
const NOTICE_COOKIE: &str = "notice";

impl Shell {
    pub fn new(request: &HttpRequest, visitor: &Visitor, section: &'static str) -> Self {
        let word = request.cookie(NOTICE_COOKIE).map(|cookie| cookie.value().to_owned());
        let limits = request.app_data::<Data<Services>>().map(|services| services.session_limits());
        Self {
            user: visitor.name.clone(),
            role: visitor.role.label(),
            is_administrator: visitor.may(Role::Administrator),
            may_edit: visitor.may(Role::Operator),
            section,
            theme: visitor.theme.clone(),
            shortcuts: visitor.shortcuts,
            open_alerts: request.app_data::<Data<Services>>().map_or(0, |services| services.alerts.open()),
            totals: request.app_data::<Data<Services>>().map(|services| services.totals()).unwrap_or_default(),
            troubles: request.app_data::<Data<Services>>().map(|services| services.troubles()).unwrap_or_default(),
            notice: word.and_then(|word| notice(&word)),
            session_idle: limits.map_or(0, |limits| i64::from(limits.idle_minutes) * 60),
            session_left: limits.map_or(0, |limits| visitor.seconds_left(limits.hours)),
            banner: in_clear(request),
        }
    }
}

impl Shell {
    /// Open alerts, as every page counts them: `32`, `1,000+`.
    pub fn alerts(&self) -> String {
        let number = self.open_alerts.min(MOST_COUNTED);
        bounded(Count { number, more: self.open_alerts > number })
    }
}

/// A warning for pages on which people type secrets, when those cross a network in clear.
pub fn in_clear(request: &HttpRequest) -> Option<&'static str> {
    forwarded::in_clear(request).then_some(
        "Unencrypted (http): anyone on the network can read the passwords and secrets you type. An administrator switches \
         https on with STRONGROOM_TLS_CERT and STRONGROOM_TLS_KEY, or with a proxy.",
    )
}

fn notice(word: &str) -> Option<Said> {
    let known = NOTICES.iter().find(|(known, _)| *known == word);
    let said = known.map(|(_, Notice { tone, text })| Said { tone, text: Cow::Borrowed(text) });
    said.or_else(|| told::sentence(word).map(|(tone, text)| Said { tone, text: Cow::Owned(text) }))
}

/// Bytes set aside for a page.
const ROOM: usize = 64 * 1024;

/// A page, 200.
pub fn html(template: &impl Template) -> Result<HttpResponse, Error> {
    html_with(StatusCode::OK, template)
}

pub fn html_with(status: StatusCode, template: &impl Template) -> Result<HttpResponse, Error> {
    // A full table has some 50 KiB: growing to that size would copy it again and again.
    let mut body = String::with_capacity(ROOM);
    template.render_into(&mut body)?;
    let body = without_indentation(body);
    Ok(HttpResponse::build(status).content_type(ContentType::html()).body(body))
}

/// A table page has some 2 KiB of spaces that only the template needs. Where spaces count, they stay.
fn without_indentation(body: String) -> String {
    if ["<pre", "<textarea"].iter().any(|exact| body.contains(exact)) {
        return body;
    }
    let mut lines = String::with_capacity(body.len());
    for line in body.split_inclusive('\n') {
        lines.push_str(line.trim_start_matches([' ', '\n']));
    }
    lines
}

/// 303 to another page of the console, with a word for the notice there.
pub fn see_other(to: &str, word: &str) -> HttpResponse {
    let mut response = HttpResponse::SeeOther();
    response.insert_header((LOCATION, to.to_owned()));
    if !word.is_empty() {
        response.cookie(notice_cookie(word));
    }
    response.finish()
}

fn notice_cookie(word: &str) -> Cookie<'static> {
    Cookie::build(NOTICE_COOKIE, word.to_owned()).path("/").http_only(true).same_site(SameSite::Lax).finish()
}

/// Takes the notice away once a page has shown it.
pub fn forget_notice(request: &HttpRequest) -> Option<Cookie<'static>> {
    request.cookie(NOTICE_COOKIE)?;
    let mut cookie = notice_cookie("");
    cookie.make_removal();
    Some(cookie)
}

/// A path of this console that a login may lead to; anything else becomes the dashboard.
pub fn local_path(next: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-/?=&%.~+".contains(c);
    let local = next.starts_with('/') && !next.starts_with("//") && next.chars().all(plain);
    let decoded = escapes::decoded(next);
    if local && !decoded.starts_with("//") && !decoded.contains(['\\', '\t', '\n', '\r']) { next } else { "/" }
}

/// A moment for people and for machines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct When {
    pub iso: String,
    pub text: String,
}

/// RFC 3339 in UTC, to the second. Faster than a format string, and tables show many.
pub fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// `22 November 2026`.
pub fn date(at: DateTime<Utc>) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    format!("{} {} {}", at.day(), MONTHS[at.month0() as usize % 12], at.year())
}

/// How long ago, in words; the exact time is in `iso`.
pub fn when(at: DateTime<Utc>, now: DateTime<Utc>) -> When {
    let ago = now.signed_duration_since(at);
    let counted = |count: i64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    let text = match ago.num_seconds() {
        ..0 => date(at),
        0..60 => "just now".to_owned(),
        60..3_600 => counted(ago.num_minutes(), "minute"),
        3_600..86_400 => counted(ago.num_hours(), "hour"),
        86_400..5_184_000 => counted(ago.num_days(), "day"),
        _ => date(at),
    };
    When { iso: iso(at), text }
}

/// The same where there is little room: `2 min`, `3 h`, `212 d`.
pub fn brief(at: DateTime<Utc>, now: DateTime<Utc>) -> When {
    let ago = now.signed_duration_since(at);
    let text = match ago.num_seconds() {
        ..60 => "now".to_owned(),
        60..3_600 => format!("{} min", ago.num_minutes()),
        3_600..86_400 => format!("{} h", ago.num_hours()),
        _ => format!("{} d", ago.num_days()),
    };
    When { iso: iso(at), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_out_without_indentation_unless_spaces_count() {
        let out = |page: &str| without_indentation(page.to_owned());
        assert_eq!(out("<p>\n   one\n\n   <b>two</b>\n</p>"), "<p>\none\n<b>two</b>\n</p>");
        for exact in ["<pre>\n  a</pre>\n  b", "<textarea>\n  a</textarea>"] {
            assert_eq!(out(exact), exact);
        }
    }

    #[test]
    fn a_login_leads_to_this_console_only() {
        for good in ["/", "/credentials?kind=aws&sort=age", "/credentials/0193-4f?x=%2F"] {
            assert_eq!(local_path(good), good);
        }
        for bad in [
            "//evil",
            "/\\evil",
            "https:evil",
            "https://evil",
            "%2f%2fevil",
            "/%2fevil",
            "/%09/evil",
            "javascript:alert(1)",
            "",
            "/%5cevil",
        ] {
            assert_eq!(local_path(bad), "/", "{bad}");
        }
    }

    #[test]
    fn times_read_like_speech() {
        let now = DateTime::<Utc>::from_timestamp(1_800_000_000, 0).unwrap();
        let text = |seconds| when(now - chrono::Duration::seconds(seconds), now).text;
        assert_eq!(text(5), "just now");
        assert_eq!(text(60), "1 minute ago");
        assert_eq!(text(7_200), "2 hours ago");
        assert_eq!(text(86_400 * 45), "45 days ago");
        assert_eq!(text(86_400 * 365), "15 January 2026");
    }
}
