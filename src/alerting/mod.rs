//! The seam of alerts. By the clock it finds out what is due and gives each notice to whoever wants it; a lane for each
//! channel then takes messages out of the outbox, sends them and records how it went. What raises an alert besides the
//! clock is written where it happens, by `models::alerts`; how a channel speaks is in `integrations::alerts`.

use crate::credentials::{KINDS, Kind};
use crate::form::Values;
use crate::integrations::alerts::{self, Trigger};
use crate::models::alert_list::{self, State};
use crate::models::alert_settings::{self, AlertSettings};
use crate::models::credential_limits::Limits;
use crate::models::digests::{self, Target};
use crate::models::due_alerts::{self, Rules, Turn};
use crate::models::integrations::Integration;
use crate::models::trust::{Doubt, Trusted};
use crate::models::{Conn, DbError, altered, integrations, recipients};
use crate::services::Services;
use crate::vault::Vault;

mod failures;
mod for_account;
pub mod lane;
mod letters;
mod prepare;
pub mod trial;
pub mod words;

/// Lines of one digest; the rest is counted, with a link to the Alerts page.
const MOST_LINES: i64 = 1_000;

/// The setting of a channel that limits it to alerts about credentials and integrations with any of these tags.
pub const ONLY_TAGS: &str = "only_tags";

/// The tags that a channel is limited to; none: it gets alerts about everything.
pub fn only_tags(settings: &Values) -> Vec<String> {
    let tags = settings.get(ONLY_TAGS).split(',').map(str::trim);
    tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// Reads what `services.alerts` holds anew.
pub async fn refresh(services: &Services) -> Result<(), DbError> {
    let vault = services.vault.clone();
    let (settings, open) = services
        .db
        .run(move |conn| {
            Ok::<_, DbError>((alert_settings::load(conn, &vault)?, alert_list::of_state(conn, State::Open)?))
        })
        .await?;
    services.alerts.set(settings, open);
    Ok(())
}

/// Whether people would hear of less, or later, by `after` than by `before`.
pub fn is_quieter(before: &AlertSettings, after: &AlertSettings, operator: i32) -> bool {
    let (loud, quiet) = (Limits::of(before, operator), Limits::of(after, operator));
    let later = |kind: &&Kind| match (loud.of_kind(kind.slug, true), quiet.of_kind(kind.slug, true)) {
        (Some(before), Some(after)) => after > before,
        (before, None) => before.is_some(),
        (None, Some(_)) => false,
    };
    let fewer = (before.ahead && !after.ahead) || (before.remind && !after.remind);
    fewer || after.failed_scans > before.failed_scans || KINDS.iter().copied().any(|kind| later(&kind))
}

/// What holds for a turn.
pub fn rules(settings: &AlertSettings, operator: i32) -> Rules {
    Rules { limits: Limits::of(settings, operator).0, ahead: settings.ahead, remind: settings.remind }
}

/// Finds out what is due by now. `None` when another replica is at it.
pub async fn find_due(services: &Services) -> Result<Option<Turn>, DbError> {
    let (vault, operator) = (services.vault.clone(), services.stale_days());
    services
        .db
        .patiently(move |conn| {
            let settings = alert_settings::load(conn, &vault)?;
            due_alerts::turn(conn, &rules(&settings, operator))
        })
        .await
}

/// Gives what waits to everybody who is to be told; returns how many notices there were.
pub async fn give(services: &Services) -> Result<usize, DbError> {
    let vault = services.vault.clone();
    if !services.db.run(digests::waiting).await? {
        return Ok(0);
    }
    services
        .db
        .patiently(move |conn| {
            if !digests::lock(conn)? {
                return Ok(0);
            }
            let Audience { targets, whole, altered } = audience(conn, &vault)?;
            for profile in &altered {
                altered::alert(conn, &vault, profile, "")?;
            }
            for profile in &whole {
                altered::settle(conn, profile)?;
            }
            digests::give(conn, &vault, &targets)
        })
        .await
}

/// Whether there is anybody to tell.
pub fn has_audience(conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
    Ok(audience(conn, vault)?.targets.iter().any(|target| !target.triggers.is_empty()))
}

struct Audience {
    /// Everybody to tell: a profile, or each confirmed recipient of one that has recipients.
    targets: Vec<Target>,
    /// The profiles that are what Strongroom saved, and those that are not, which are told nothing.
    whole: Vec<Trusted<Integration>>,
    altered: Vec<Integration>,
}

fn audience(conn: &mut Conn, vault: &Vault) -> Result<Audience, DbError> {
    let profiles = integrations::of_family(conn, vault, crate::integrations::Family::AlertProfile.slug())?;
    let people = recipients::confirmed(conn, vault)?.into_iter().filter_map(|person| person.judged().ok());
    let people: Vec<_> = people.collect();
    let (mut targets, mut whole, mut altered) = (Vec::new(), Vec::new(), Vec::new());
    // Before all else: whether it is switched on is a part of the row as well.
    for profile in profiles {
        match profile.judged() {
            Ok(profile) => whole.push(profile),
            Err((_, Doubt::LaterRelease)) => {}
            Err((profile, _)) => altered.push(profile),
        }
    }
    for profile in whole.iter().filter(|profile| profile.active) {
        let Some(channel) = alerts::channel(&profile.version) else { continue };
        let settings = Values::from_json(profile.settings.as_bytes()).unwrap_or_default();
        let at_once = i64::try_from(channel.lines_at_once).unwrap_or(i64::MAX).max(1);
        // A call for each alert leaves none out: each is somebody's work.
        let most = if at_once == 1 { i64::MAX } else { MOST_LINES };
        let tags = only_tags(&settings);
        let target = |recipient, triggers| {
            let (integration, tags) = (profile.id, tags.clone());
            Target { integration, recipient, triggers, tags, at_once, most }
        };
        if channel.has_recipients {
            let own = people.iter().filter(|person| person.integration_id == profile.id);
            targets.extend(
                own.map(|person| target(Some(person.id), person.triggers.split(',').map(str::to_owned).collect())),
            );
        } else {
            let wanted = Trigger::ALL.into_iter().filter(|trigger| trigger.wanted(&settings));
            targets.push(target(None, wanted.map(|trigger| trigger.slug().to_owned()).collect()));
        }
    }
    Ok(Audience { targets, whole, altered })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_quieter_when_less_is_told_or_later() {
        let before = AlertSettings::default();
        let kind = |slug: &str, days| AlertSettings { kind_days: [(slug.to_owned(), days)].into(), ..before.clone() };
        let days = |days| AlertSettings { stale_days: Some(days), ..before.clone() };
        for quieter in [
            AlertSettings { ahead: false, ..before.clone() },
            AlertSettings { remind: false, ..before.clone() },
            AlertSettings { failed_scans: 4, ..before.clone() },
            kind("aws", 0),
            kind("aws", 91),
            days(91),
        ] {
            assert!(is_quieter(&before, &quieter, 90), "{quieter:?}");
        }
        assert!(is_quieter(&kind("basic", 180), &before, 90), "never again");
        for other in [before.clone(), kind("basic", 180), kind("aws", 90), kind("aws", 30), days(30)] {
            assert!(!is_quieter(&before, &other, 90), "{other:?}");
        }
    }
}
