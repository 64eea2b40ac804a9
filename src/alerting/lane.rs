//! A lane sends the messages of one channel, one after the other: a message is recorded before the next one goes out, so
//! that a process that dies leaves at most one whose fate nobody knows. While it is recorded, the next one is prepared as
//! far as can be taken back. No connection to the database is held while a peer is waited for.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use futures_util::FutureExt;
use futures_util::future::join3;
use uuid::Uuid;

use super::letters::Office;
use super::prepare::{Batch, Ready, Unfit, prepare};
use crate::app::App;
use crate::form::Values;
use crate::integrations::alerts::email::Letter;
use crate::integrations::alerts::{Again, Channel, GoAhead, Job, Message, Receipt, SendError, go_ahead};
use crate::models::alerts::{self, RAISED, Subject};
use crate::models::deliveries::{self, Delivery, Next};
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration};
use crate::models::{Conn, DbError};
use crate::opening::Opened;
use crate::vault::{self, Vault};

/// Longest that one call may take, whatever the channel waits for by itself.
const LIMIT: Duration = Duration::from_secs(40);
/// A claim older than this is not relied on: another replica may have taken over.
const FRESH: Duration = Duration::from_secs(10);
/// Tries of a message that the peer puts off each time, over most of a day.
const MOST_ATTEMPTS: i32 = 20;
/// Refusals in a row after which a channel is switched off, and misses in a row after which that is told.
const IN_A_ROW: i32 = 20;
/// A peer that is away is tried again after 5 s, and later every 5 minutes.
const FIRST_PAUSE: i32 = 5;
const LONGEST_PAUSE: i32 = 300;

/// When this replica last renewed what it has claimed.
pub type Renewed = Cell<Instant>;

/// Sends what is due for a channel until nothing is, or until it is no use to go on.
pub async fn run(app: Data<App>, integration: Uuid, renewed: &Renewed) {
    while !app.stopping.is_cancelled() {
        match batch(&app, integration, renewed).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(DbError::NotFound) => return,
            Err(error) => {
                // What was claimed comes back when its lease ends.
                tracing::warn!(%integration, %error, "a channel's messages could not be claimed or recorded");
                return;
            }
        }
    }
}

/// One batch; whether there may be more.
async fn batch(app: &Data<App>, id: Uuid, renewed: &Renewed) -> Result<bool, DbError> {
    let (vault, console, replica) = (app.vault.clone(), app.public_url.clone(), app.replica);
    let claimed_at = Instant::now();
    let prepared = app.db.transaction(move |conn| prepare(conn, &vault, &console, replica, id)).await?;
    renewed.set(renewed.get().max(claimed_at));
    let batch = match prepared {
        None => return Ok(false),
        Some(Err(unfit)) => {
            park(app, unfit).await?;
            return Ok(true);
        }
        Some(Ok(batch)) => batch,
    };
    let office = Office { vault: &app.vault, console: &app.public_url, profile: &batch.integration.name };
    let write = |ready: &Ready| batch.channel.has_recipients().then(|| office.letter(ready));
    let (mut last, mut letter): (Option<Taken>, _) = (None, None);
    for (at, ready) in batch.messages.iter().enumerate() {
        if app.stopping.is_cancelled() || renewed.get().elapsed() >= FRESH {
            take_down(app, last).await?;
            return give_back(app, &batch.messages[at..]).await;
        }
        let (giver, go_ahead) = go_ahead();
        let recording = async {
            take_down(app, last.take()).await?;
            giver.give();
            Ok::<_, DbError>(())
        };
        let letter_now = letter.take().or_else(|| write(ready)).transpose();
        // Written while the peer reads this one.
        let writing = async {
            go_ahead.given().await.ok()?;
            write(batch.messages.get(at + 1)?)
        };
        let sending = send(app, &batch, ready, letter_now, &go_ahead);
        let (recorded, sent, next) = join3(recording, sending, writing).await;
        recorded?;
        letter = next;
        match sent {
            Ok(receipt) => last = Some(Taken { delivery: &ready.delivery, receipt }),
            Err(error) => {
                if !failed(app, &batch, ready, error).await? {
                    return give_back(app, &batch.messages[at + 1..]).await;
                }
            }
        }
    }
    take_down(app, last).await?;
    Ok(true)
}

/// What the peer has, and nobody has recorded yet.
struct Taken<'a> {
    delivery: &'a Delivery,
    receipt: Receipt,
}

/// Records it.
async fn take_down(app: &App, taken: Option<Taken<'_>>) -> Result<(), DbError> {
    let Some(Taken { delivery, receipt }) = taken else { return Ok(()) };
    metrics::counter!("strongroom_deliveries_total", "outcome" => "sent").increment(1);
    let (id, channel, replica) = (delivery.id, delivery.integration_id, app.replica);
    let record = move |conn: &mut Conn| deliveries::sent(conn, id, channel, replica, receipt.reference.as_deref());
    if !app.db.run(record).await? {
        tracing::warn!(delivery = %id, "a message was sent under a lease that had ended");
    }
    Ok(())
}

/// Puts back what is not worth trying now.
async fn give_back(app: &App, rest: &[Ready]) -> Result<bool, DbError> {
    let (ids, replica): (Vec<Uuid>, _) = (rest.iter().map(|ready| ready.delivery.id).collect(), app.replica);
    app.db.run(move |conn| deliveries::give_back(conn, replica, Some(&ids))).await?;
    Ok(false)
}

/// Sends one message, once the one before is recorded.
async fn send(
    app: &App,
    batch: &Batch,
    ready: &Ready,
    letter: Result<Option<Letter>, SendError>,
    go_ahead: &GoAhead,
) -> Result<Receipt, SendError> {
    let letter = letter?;
    if letter.is_none() {
        go_ahead.given().await?;
    }
    let call = Call {
        channel: batch.channel,
        settings: &batch.settings,
        credential: batch.credential.as_ref(),
        name: &batch.integration.name,
        message: &ready.message,
        letter: letter.as_ref(),
        repeated: ready.delivery.attempts > 1,
        go_ahead: letter.is_some().then_some(go_ahead),
    };
    self::call(app, call).await
}

/// Records a failure; whether the next message is worth trying.
async fn failed(app: &App, batch: &Batch, ready: &Ready, error: SendError) -> Result<bool, DbError> {
    metrics::counter!("strongroom_deliveries_total", "outcome" => "failed").increment(1);
    let (delivery, channel) = (ready.delivery.clone(), batch.integration.clone());
    tracing::warn!(delivery = %delivery.id, channel = %channel.id, error = error.sentence, "a message failed");
    let (vault, replica) = (app.vault.clone(), app.replica);
    app.db.transaction(move |conn| record(conn, &vault, replica, &delivery, &channel, &error)).await
}

/// One call of a channel.
pub struct Call<'a> {
    pub channel: &'static dyn Channel,
    pub settings: &'a Values,
    pub credential: Option<&'a Opened>,
    /// The profile's name.
    pub name: &'a str,
    pub message: &'a Message,
    /// For a channel that has recipients: what one of them gets.
    pub letter: Option<&'a Letter>,
    pub repeated: bool,
    pub go_ahead: Option<&'a GoAhead>,
}

/// Makes a call, bounded in time and with a panic as a failure.
pub async fn call(app: &App, call: Call<'_>) -> Result<Receipt, SendError> {
    let job = Job {
        settings: call.settings,
        credential: call.credential.map(|opened| (opened.kind, &opened.values)),
        stored: call.credential.map(|opened| (opened.id, opened.version)),
        egress: &app.egress,
        endpoints: &app.settings.endpoints,
        aws: &app.aws,
        tokens: &app.tokens,
        name: call.name,
        message: call.message,
        repeated: call.repeated,
        letter: call.letter,
        smtp: &app.smtp,
        go_ahead: call.go_ahead,
    };
    let work = async { call.channel.send(job).await };
    match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            tracing::error!(delivery = %call.message.id, "a channel panicked");
            let sentence = "Sending failed by a fault of Strongroom itself. It has been logged; please report it.";
            Err(SendError::never(sentence))
        }
        Err(_) => {
            let sentence = "The service did not answer in time. It is tried again.";
            Err(SendError { sentence: sentence.to_owned(), again: Again::WhenItIsBack })
        }
    }
}

/// Writes a failure down, and what follows from it: another try, a person's decision, an alert, a channel that is off.
/// Returns whether the next message is worth trying.
fn record(
    conn: &mut Conn,
    vault: &Vault,
    replica: Uuid,
    delivery: &Delivery,
    channel: &Integration,
    error: &SendError,
) -> Result<bool, DbError> {
    let subject = Subject { kind: "integration", id: channel.id, name: &channel.name };
    let pause = match error.again {
        Again::WhenItIsBack => Some(away_for(delivery.attempts)),
        // Who asks for a pause gets it for everything.
        Again::Later(Some(pause)) => Some(i32::try_from(pause.as_secs()).unwrap_or(i32::MAX).clamp(1, 3_600)),
        _ => None,
    };
    if let Some(seconds) = pause {
        let misses = deliveries::missed(conn, delivery, replica, &error.sentence, seconds)?;
        if misses >= IN_A_ROW {
            alerts::raise(conn, "delivery", subject, &error.sentence)?;
        }
        return Ok(false);
    }
    let next = match error.again {
        Again::Never => Next::Parked,
        _ if delivery.attempts >= MOST_ATTEMPTS => Next::Parked,
        _ => Next::Again(put_off_for(delivery.attempts)),
    };
    let refusals = deliveries::refused(conn, delivery, replica, &error.sentence, next)?;
    if refusals >= IN_A_ROW && integrations::find(conn, channel.id)?.active {
        integrations::set_active(conn, vault, &Actor::system(), channel.id, false)?;
        let words = format!("it was switched off after {refusals} refusals in a row. The last: {}", error.sentence);
        alerts::worsen(conn, "delivery", subject, RAISED + 1, &words)?;
        return Ok(false);
    }
    if next == Next::Parked {
        alerts::raise(conn, "delivery", subject, &error.sentence)?;
    }
    Ok(true)
}

/// All of a batch waits for a person: the channel itself cannot be used.
async fn park(app: &App, unfit: Unfit) -> Result<(), DbError> {
    let replica = app.replica;
    app.db
        .transaction(move |conn| {
            let Some(first) = unfit.deliveries.first() else { return Ok(()) };
            let channel = integrations::find(conn, first.integration_id)?;
            for delivery in &unfit.deliveries {
                deliveries::refused(conn, delivery, replica, &unfit.sentence, Next::Parked)?;
            }
            let subject = Subject { kind: "integration", id: channel.id, name: &channel.name };
            alerts::raise(conn, "delivery", subject, &unfit.sentence)
        })
        .await
}

/// Seconds until a peer that is away is tried again.
fn away_for(attempts: i32) -> i32 {
    let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(10);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Seconds until a message that was put off is tried again: 1, 2, 4 … 60 minutes, a fifth more or less.
fn put_off_for(attempts: i32) -> i32 {
    let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(10);
    let seconds = 60_i32.saturating_mul(1 << doublings).min(3_600);
    let [byte] = vault::random::<1>();
    seconds * (80 + i32::from(byte) * 40 / 255) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_away_is_never_left_alone_for_more_than_five_minutes() {
        assert_eq!([1, 2, 3, 7, 1_000].map(away_for), [5, 10, 20, 300, 300]);
    }

    #[test]
    fn a_message_that_is_put_off_waits_longer_each_time() {
        for (attempts, minutes) in [(1, 1), (2, 2), (6, 32), (7, 60), (20, 60)] {
            let seconds = put_off_for(attempts);
            assert!((48 * minutes..=72 * minutes).contains(&seconds), "{seconds} s after {attempts}");
        }
    }
}
