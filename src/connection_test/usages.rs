//! A secret tried on the integrations that use its credential, or are to use it: each with its own *Test connection*,
//! several at once, within one limit of time. Nothing is opened, saved or recorded here.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::{Call, Outcome, seconds};
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::{MAIN, Secret};
use crate::models::integrations::Integration;
use crate::services::Services;

/// Tests that run side by side.
const AT_ONCE: usize = 10;
/// Longest that one of them takes.
const EACH: Duration = Duration::from_secs(10);
/// Longest that all of them take: shorter than a browser waits for the page (`htmx-config`).
const IN_ALL: Duration = Duration::from_secs(25);

/// An integration that uses the credential in a role.
#[derive(Clone, Copy)]
pub struct Usage<'a> {
    pub row: &'a Integration,
    pub role: &'a str,
}

/// The result of one integration's *Test connection*, and how long it took.
pub struct Tried {
    pub outcome: Outcome,
    pub took: Duration,
}

/// Tries the secret on each of the usages; the answers are in their order. One that does not answer stops no other.
pub async fn on_each(services: &Services, usages: &[Usage<'_>], secret: Secret<'_>) -> Vec<Tried> {
    let end = Instant::now() + IN_ALL;
    let tries = usages.iter().enumerate().map(|(at, usage)| async move {
        let begun = Instant::now();
        let outcome = on_one(services, *usage, secret, EACH.min(end.saturating_duration_since(begun))).await;
        (at, Tried { outcome, took: begun.elapsed() })
    });
    let mut tried: Vec<(usize, Tried)> = stream::iter(tries).buffer_unordered(AT_ONCE).collect().await;
    tried.sort_by_key(|(at, _)| *at);
    tried.into_iter().map(|(_, tried)| tried).collect()
}

async fn on_one(services: &Services, usage: Usage<'_>, secret: Secret<'_>, limit: Duration) -> Outcome {
    if limit.is_zero() {
        return Outcome::Failed(format!("Not tested: the other tests took all of the {}.", seconds(IN_ALL)));
    }
    let settings = Values::from_json(usage.row.settings.as_bytes());
    let (Some(spec), Some(settings)) = (Spec::find(&usage.row.version), settings) else {
        return Outcome::Failed("Not tested: a later release of Strongroom saved this integration.".to_owned());
    };
    // No provider tests its connection with a credential of another role.
    if usage.role != MAIN {
        return Outcome::NoSuchCall;
    }
    Call { spec, settings: &settings, name: &usage.row.name }.make(services, Some(secret), limit).await
}
