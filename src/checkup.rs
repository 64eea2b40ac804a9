//! The seam of the Test: one harmless call with a credential, and the record of what it found. A daily test opens what
//! it tests through `opening`, a person's test does so in `usecases::credentials`, and a test before saving opens nothing.
//! What a test does is in `providers`.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, stream};

use crate::credentials::{self as kinds, Kind};
use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::Spec;
use crate::models::checkups::{self, Outcome};
use crate::models::events::Actor;
use crate::models::provider_facts::Told;
use crate::models::{Conn, CredentialId, DbError, usages};
use crate::opening::{self, Opened};
use crate::providers;
use crate::providers::aws::roles::Wanted;
use crate::providers::probe::{Finding, LIMIT, Verdict};
use crate::services::Services;
use crate::vault::Vault;

/// Claimed at once, and tested side by side.
const BATCH: i64 = 8;
const SIDE_BY_SIDE: usize = 4;
/// Looked through for roles; more of them share a few roles anyway.
const MOST_INTEGRATIONS: i64 = 500;

/// One harmless call with these values, of at most [`LIMIT`], and a try of the roles. Stores nothing.
pub async fn probe(services: &Services, kind: &'static Kind, values: &Values, roles: &[Wanted]) -> Finding {
    let work = async { providers::test(kind, values, roles, &services.egress, &services.settings.endpoints).await };
    let mut found = match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(finding)) => finding,
        Ok(Err(_)) => {
            tracing::error!(kind = kind.slug, "a test panicked");
            let sentence = "The test failed by a fault of Strongroom itself. It has been logged; please report it.";
            Finding::new(Verdict::Unreachable, sentence, "")
        }
        Err(_) => {
            let sentence = format!("The provider did not answer within {} seconds.", LIMIT.as_secs());
            Finding::new(Verdict::Unreachable, sentence, "Try again in a moment.")
        }
    };
    let echoes = Echoes::of(kind, values);
    found.for_each_text(|text| echoes.take_out(text));
    metrics::counter!("strongroom_tests_total", "verdict" => found.verdict.slug()).increment(1);
    found
}

/// The roles that the integrations of a credential name. An integration that is not as Strongroom saved it names none.
pub fn roles(conn: &mut Conn, vault: &Vault, credential: CredentialId) -> Result<Vec<Wanted>, DbError> {
    let rows = usages::of(conn, vault, credential, MOST_INTEGRATIONS)?;
    let wanted = rows.into_iter().filter_map(|row| {
        let settings = Values::from_json(row.settings.as_bytes())?;
        (Spec::find(&row.version)?.grants)(&settings, &row.name).role
    });
    Ok(wanted.collect())
}

/// Writes down what a test of saved values found: in the row, and in the trail.
pub async fn record(
    services: &Services,
    actor: Actor,
    id: CredentialId,
    secret_version: i32,
    found: &Finding,
) -> Result<(), DbError> {
    let outcome = Outcome {
        verdict: found.verdict.slug(),
        sentence: found.sentence.clone(),
        detail: format!("{}: {}", found.verdict.label(), found.sentence),
        failed: found.verdict.is_failure(),
        expires_at: found.expires_at,
        told: Told { made_at: found.made_at, used_at: found.used_at, identity: found.identity.clone() },
        key_id: found.key_id.clone(),
    };
    let vault = services.vault.clone();
    let write = move |conn: &mut Conn| checkups::record(conn, &vault, &actor, (id, secret_version), &outcome);
    services.db.transaction(write).await
}

/// Tests the credentials whose daily test is due, and says how many. Each is claimed by one replica.
pub async fn test_due(services: &Services) -> Result<usize, DbError> {
    let slugs: Vec<&str> = kinds::KINDS.iter().filter(|kind| providers::has_test(kind)).map(|kind| kind.slug).collect();
    let mut tested = 0;
    while !services.stopping.is_cancelled() {
        let slugs = slugs.clone();
        let ids = services.db.transaction(move |conn| checkups::take_due(conn, &slugs, BATCH)).await?;
        if ids.is_empty() {
            break;
        }
        tested += ids.len();
        stream::iter(ids).for_each_concurrent(SIDE_BY_SIDE, |id| test_one(services, id)).await;
    }
    Ok(tested)
}

/// A credential that cannot be tested now waits for its next day.
async fn test_one(services: &Services, id: CredentialId) {
    let work = async {
        let vault = services.vault.clone();
        let opened = services.db.transaction(move |conn| open(conn, &vault, id)).await?;
        let Some((opened, roles)) = opened else { return Ok(()) };
        let found = probe(services, opened.kind, &opened.values, &roles).await;
        record(services, Actor::system(), id, opened.version, &found).await
    };
    tokio::select! {
        () = services.stopping.cancelled() => {}
        result = work => match result {
            // Deleted meanwhile.
            Ok(()) | Err(DbError::NotFound) => {}
            Err(error) => tracing::warn!(credential = %id, %error, "a daily test could not be done"),
        },
    }
}

/// Opens a credential for its daily test, and writes that down. `None` when it is not what was saved, or of a kind that
/// only a later version knows.
fn open(conn: &mut Conn, vault: &Vault, id: CredentialId) -> Result<Option<(Opened, Vec<Wanted>)>, DbError> {
    match opening::open(conn, vault, &Actor::system(), id, "test".to_owned())? {
        Ok(opened) => Ok(Some((opened, roles(conn, vault, id)?))),
        Err(_) => Ok(None),
    }
}
