//! What can be told of the store without walking through it: the few rows on which everything else rests. Looked at
//! every few seconds by one job, so that nobody can change them by SQL without an alert.

use chrono::{DateTime, TimeDelta, Utc};

use super::altered::{self, Part};
use super::integrations::Integration;
use super::logins::{self, Setup};
use super::trust::Doubt;
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

/// What a look at the store has found.
#[derive(Clone, Debug)]
pub struct Findings {
    pub verified: Verified,
    /// Each part that is not as Strongroom wrote it, with a sentence.
    wrong: Vec<(Part, &'static str)>,
    /// Channels whose pauses were tampered with.
    channels: Vec<Integration>,
}

impl Findings {
    /// The sentences about all that was tampered with; empty when nothing was.
    pub fn sentences(&self) -> Vec<String> {
        let parts = self.wrong.iter().map(|(_, words)| (*words).to_owned());
        parts.chain(self.channels.iter().map(altered::pauses_sentence)).collect()
    }
}

/// Looks at the few rows on which everything else rests. Writes nothing, so what it finds does not depend on an alert
/// that can be saved.
pub fn examine(conn: &mut Conn, vault: &Vault) -> Result<Findings, DbError> {
    let tampering = |doubt: Option<Doubt>| doubt.is_some_and(Doubt::is_tampering);
    let row = deployment::seen(conn, vault)?;
    let keys = keks::look(conn, vault)?;
    let wrong = [
        (
            Part::Deployment,
            row.as_ref().is_none_or(|row| tampering(row.doubt())),
            "The record of this deployment was tampered with.",
        ),
        (
            Part::Keys,
            keys.iter().any(|kek| tampering(kek.doubt())) || !keys.iter().any(|kek| kek.shown().state == "active"),
            "The record of a master key was tampered with, so nothing is sealed under it.",
        ),
        (
            Part::Settings,
            tampering(alert_settings::load(conn, vault)?.doubt),
            "The alert settings were tampered with. Every type counts as old after the default, until they are saved again.",
        ),
        (
            Part::Users,
            logins::setup(conn)? == Setup::UsersGone,
            "All users were taken out of the database. Nobody can log in or set the console up.",
        ),
    ];
    let wrong = wrong.into_iter().filter(|(_, wrong, _)| *wrong).map(|(part, _, words)| (part, words)).collect();
    let mut channels = Vec::new();
    for (id, doubt) in channels::paused(conn, vault)?.doubted {
        if doubt.is_tampering() {
            channels.push(integrations::find(conn, vault, id)?.into_shown());
        }
    }
    Ok(Findings { verified: verified(conn, vault)?, wrong, channels })
}

/// The parts that [`examine`] looks at.
const EXAMINED: [Part; 4] = [Part::Deployment, Part::Keys, Part::Settings, Part::Users];

/// Raises an alert about each part that is not as Strongroom wrote it, and closes those that have been mended.
/// `overdue`: a verification that is late has had its time to begin, so that a console which was away for days alerts
/// nobody. Call inside a transaction.
pub fn tell(conn: &mut Conn, vault: &Vault, found: &Findings, overdue: bool) -> Result<(), DbError> {
    for part in EXAMINED {
        match found.wrong.iter().find(|(wrong, _)| *wrong == part) {
            Some((_, words)) => altered::alert_store(conn, vault, part, words)?,
            None => altered::settle_store(conn, part, MENDED)?,
        }
    }
    // Followed by another job, which says it once.
    if let Some(words) = vault.trail.broken() {
        altered::alert_store(conn, vault, Part::Trail, &words)?;
    }
    for channel in &found.channels {
        altered::alert_pauses(conn, vault, channel)?;
    }
    let verified = found.verified;
    if !verified.is_late() {
        altered::settle_store(conn, Part::Verification, MENDED)
    } else if overdue {
        let words = format!("The whole store was last verified {} days ago.", verified.age.num_days());
        altered::alert_store(conn, vault, Part::Verification, &words)
    } else {
        Ok(())
    }
}

const MENDED: &str = "it is as it should be again";
