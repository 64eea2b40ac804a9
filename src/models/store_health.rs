//! What can be told of the store without walking through it: the few rows on which everything else rests. Looked at
//! every few seconds by one job, so that nobody can change them by SQL without an alert.

use chrono::{DateTime, TimeDelta, Utc};

use super::altered::{self, Part};
use super::logins::{self, Setup};
use super::{Conn, DbError, alert_settings, channels, deployment, integrations, keks};
use crate::vault::Vault;

/// A store that was not verified for so long is alerted about.
pub const LATE: TimeDelta = TimeDelta::days(2);

/// When the whole store was last verified, and whether that is too long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    pub at: Option<DateTime<Utc>>,
    /// Since the last verification, or since the deployment was made.
    pub age: TimeDelta,
}

impl Verified {
    pub fn is_late(&self) -> bool {
        self.age > LATE
    }
}

pub fn verified(conn: &mut Conn, vault: &Vault) -> Result<Verified, DbError> {
    let now = super::clock(conn)?;
    let at = deployment::verified_at(conn, vault)?;
    let made = deployment::seen(conn, vault)?.and_then(|row| row.judged().ok()).map(|row| row.created_at);
    let since = at.or(made).unwrap_or(DateTime::UNIX_EPOCH);
    Ok(Verified { at, age: now - since })
}

/// Raises an alert about each part that is not as Strongroom wrote it, and closes those that have been mended.
/// `overdue`: a verification that is late has had its time to begin, so that a console which was away for days alerts
/// nobody. Call inside a transaction.
pub fn look(conn: &mut Conn, vault: &Vault, overdue: bool) -> Result<Verified, DbError> {
    let tampering = |doubt: Option<super::trust::Doubt>| doubt.is_some_and(super::trust::Doubt::is_tampering);
    let row = deployment::seen(conn, vault)?;
    let gone = row.as_ref().is_none_or(|row| tampering(row.doubt()));
    say(conn, Part::Deployment, gone, "The record of this deployment was tampered with.")?;
    let keys = keks::look(conn, vault)?;
    let key = keys.iter().any(|kek| tampering(kek.doubt())) || !keys.iter().any(|kek| kek.shown().state == "active");
    say(conn, Part::Keys, key, "The record of a master key was tampered with, so nothing is sealed under it.")?;
    let settings = alert_settings::load(conn, vault)?;
    let words = "The alert settings were tampered with. Every type counts as old after the default, until they are saved again.";
    say(conn, Part::Settings, tampering(settings.doubt), words)?;
    let users = logins::setup(conn)? == Setup::UsersGone;
    say(
        conn,
        Part::Users,
        users,
        "All users were taken out of the database. Nobody can log in or set the console up.",
    )?;
    for (id, doubt) in channels::paused(conn, vault)?.doubted {
        if doubt.is_tampering() {
            let channel = integrations::find(conn, vault, id)?;
            altered::alert_pauses(conn, channel.shown())?;
        }
    }
    let verified = verified(conn, vault)?;
    let words = format!("The whole store was last verified {} days ago.", verified.age.num_days());
    if overdue || !verified.is_late() {
        say(conn, Part::Verification, verified.is_late(), &words)?;
    }
    Ok(verified)
}

fn say(conn: &mut Conn, part: Part, wrong: bool, words: &str) -> Result<(), DbError> {
    if wrong {
        altered::alert_store(conn, part, words)
    } else {
        altered::settle_store(conn, part, "it is as it should be again")
    }
}
