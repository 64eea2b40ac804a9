//! Mail to users about their own accounts: an invitation, a password reset, and notices of what was changed.

use askama::Template;
use chrono::{DateTime, Utc};
use url::Url;
use uuid::Uuid;

use super::words::{date, name};
use crate::integrations::alerts::email::{Letter, host};
use crate::models::account_letters::{Purpose, RESET_MINUTES};

/// What is written to whom.
pub struct Account<'a> {
    /// Of the delivery.
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub to: &'a str,
    /// The user's name.
    pub user: &'a str,
    /// Who caused it.
    pub by: &'a str,
    pub about: Purpose,
    /// What a notice is about, in words.
    pub detail: &'a str,
    pub console: &'a Url,
    /// Where a password is chosen, and until when.
    pub link: Option<(&'a Url, DateTime<Utc>)>,
}

#[derive(Template)]
#[template(path = "mail/account.html")]
struct Page<'a>(&'a Shown<'a>);

#[derive(Template)]
#[template(path = "mail/account.txt", escape = "none")]
struct Text<'a>(&'a Shown<'a>);

struct Shown<'a> {
    title: String,
    says: String,
    /// The link and the words on it.
    button: Option<(&'a Url, &'static str)>,
    after: String,
    to: &'a str,
    user: String,
    console: &'a Url,
}

pub fn account(letter: &Account<'_>) -> Result<Letter, askama::Error> {
    let host = host(letter.console);
    let (user, by) = (name(letter.user), name(letter.by));
    let (subject, says, word, after) = words(letter, &host, &user, &by);
    let shown = Shown {
        title: subject.clone(),
        says,
        button: letter.link.map(|(link, _)| (link, word)),
        after,
        to: letter.to,
        user,
        console: letter.console,
    };
    Ok(Letter {
        id: letter.id,
        at: letter.at,
        to: letter.to.to_owned(),
        subject,
        text: Text(&shown).render()?,
        html: Page(&shown).render()?,
        host,
        unsubscribe: None,
    })
}

/// Subject, what happened, the words on the link, and what to do otherwise.
fn words(letter: &Account<'_>, host: &str, user: &str, by: &str) -> (String, String, &'static str, String) {
    let until = letter.link.map(|(_, until)| date(until)).unwrap_or_default();
    match letter.about {
        Purpose::Invitation => (
            format!("{by} invited you to Strongroom"),
            format!("You can log in at {host} as {user}. Choose a password to start."),
            "Choose a password",
            format!("The link works once, until {until}. If you don't expect this, ignore it."),
        ),
        Purpose::Reset => (
            "Reset your Strongroom password".to_owned(),
            format!("Someone requested a password reset for {user} at {host}."),
            "Choose a new password",
            format!(
                "The link works once, for {RESET_MINUTES} minutes. If it wasn't you, ignore this: your password stays."
            ),
        ),
        Purpose::PasswordNotice => (
            "Your Strongroom password was reset".to_owned(),
            format!("The password of {user} at {host} was reset by a link sent to this address. All sessions ended."),
            "",
            "If it wasn't you, contact an administrator at once: someone else can read your mail.".to_owned(),
        ),
        Purpose::EmailNotice => (
            "Your Strongroom e-mail address was changed".to_owned(),
            format!("{by} changed the e-mail address of {user} at {host}. Nothing more is sent to this one."),
            "",
            "If it wasn't you, contact an administrator at once.".to_owned(),
        ),
        Purpose::ValueNotice => (
            "A stored secret may leave Strongroom".to_owned(),
            format!("{by} lets a stored secret leave Strongroom at {host}: {}.", letter.detail),
            "",
            "Administrators with an address get it. If it is a surprise, delete the rule or the Secret that it names."
                .to_owned(),
        ),
    }
}
