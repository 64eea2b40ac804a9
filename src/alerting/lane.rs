//! A lane sends the messages of one channel, one after the other: a message is recorded before the next one goes out,
//! so that a process that dies leaves at most one whose fate nobody knows. While it is recorded, the next one is
//! prepared as far as can be taken back. No connection to the database is held while a peer is waited for.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::join3;
use std::sync::Arc;

use super::failures;
use super::letters::Office;
use super::prepare::{Batch, Ready, prepare};
use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::alerts::email::Letter;
use crate::integrations::alerts::{Channel, Dispatch, Failure, GoAhead, Message, Receipt, Retry, go_ahead};
use crate::integrations::context::Context;
use crate::models::account_letters;
use crate::models::deliveries::{self, Delivery};
use crate::models::{Conn, DbError, DeliveryId, IntegrationId};
use crate::opening::Opened;
use crate::services::Services;

/// A claim older than this is not relied on: another replica may have taken over.
const FRESH: Duration = Duration::from_secs(10);
/// When this replica last renewed what it has claimed.
pub type Renewed = Cell<Instant>;

/// Sends what is due for a channel until nothing is, or until it is no use to go on.
pub async fn run(services: Arc<Services>, integration: IntegrationId, renewed: &Renewed) {
    while !services.stopping.is_cancelled() {
        match batch(&services, integration, renewed).await {
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
async fn batch(services: &Services, id: IntegrationId, renewed: &Renewed) -> Result<bool, DbError> {
    let (vault, console, replica) = (services.vault.clone(), services.public_url.clone(), services.replica);
    let claimed_at = Instant::now();
    let prepared = services.db.transaction(move |conn| prepare(conn, &vault, &console, replica, id)).await?;
    // What is claimed here is fresh from here on, however the renewals of others go.
    let is_fresh = || renewed.get().max(claimed_at).elapsed() < FRESH;
    let batch = match prepared {
        None => return Ok(false),
        Some(Err(unfit)) => {
            let vault = services.vault.clone();
            services.db.transaction(move |conn| failures::park(conn, &vault, replica, &unfit)).await?;
            return Ok(true);
        }
        Some(Ok(batch)) => batch,
    };
    let office = Office {
        vault: &services.vault,
        console: &services.public_url,
        profile: &batch.integration.name,
        anchors: &batch.anchors,
        for_accounts: account_letters::is_marked(&batch.integration),
    };
    let write = |ready: &Ready| batch.channel.has_recipients.then(|| office.letter(ready));
    let (mut last, mut letter): (Option<Taken>, _) = (None, None);
    for (at, ready) in batch.messages.iter().enumerate() {
        if services.stopping.is_cancelled() || !is_fresh() {
            take_down(services, last).await?;
            return give_back(services, &batch.messages[at..]).await;
        }
        let (giver, go_ahead) = go_ahead();
        let recording = async {
            take_down(services, last.take()).await?;
            giver.give();
            Ok::<_, DbError>(())
        };
        let letter_now = letter.take().or_else(|| write(ready)).transpose();
        // Written while the peer reads this one.
        let writing = async {
            go_ahead.given().await.ok()?;
            write(batch.messages.get(at + 1)?)
        };
        let sending = send(services, &batch, ready, letter_now, &go_ahead);
        let (recorded, sent, next) = join3(recording, sending, writing).await;
        recorded?;
        letter = next;
        match sent {
            Ok(receipt) => last = Some(Taken { delivery: &ready.delivery, receipt }),
            Err(error) => {
                if !failed(services, &batch, ready, error).await? {
                    return give_back(services, &batch.messages[at + 1..]).await;
                }
            }
        }
    }
    take_down(services, last).await?;
    Ok(true)
}

/// What the peer has, and nobody has recorded yet.
struct Taken<'a> {
    delivery: &'a Delivery,
    receipt: Receipt,
}

/// Records it.
async fn take_down(services: &Services, taken: Option<Taken<'_>>) -> Result<(), DbError> {
    let Some(Taken { delivery, receipt }) = taken else { return Ok(()) };
    metrics::counter!("strongroom_deliveries_total", "outcome" => "sent").increment(1);
    let (id, channel, replica, vault) =
        (delivery.id, delivery.integration_id, services.replica, services.vault.clone());
    let record =
        move |conn: &mut Conn| deliveries::sent(conn, &vault, id, channel, replica, receipt.reference.as_deref());
    if !services.db.transaction(record).await? {
        tracing::warn!(delivery = %id, "a message was sent under a lease that had ended");
    }
    Ok(())
}

/// Puts back what is not worth trying now.
async fn give_back(services: &Services, rest: &[Ready]) -> Result<bool, DbError> {
    let (ids, replica): (Vec<DeliveryId>, _) = (rest.iter().map(|ready| ready.delivery.id).collect(), services.replica);
    services.db.transaction(move |conn| deliveries::give_back(conn, replica, &ids)).await?;
    Ok(false)
}

/// Sends one message, once the one before is recorded.
async fn send(
    services: &Services,
    batch: &Batch,
    ready: &Ready,
    letter: Result<Option<Letter>, Failure>,
    go_ahead: &GoAhead,
) -> Result<Receipt, Failure> {
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
        limit: batch.channel.patience,
    };
    self::call(services, call).await
}

/// Records a failure; whether the next message is worth trying.
async fn failed(services: &Services, batch: &Batch, ready: &Ready, error: Failure) -> Result<bool, DbError> {
    metrics::counter!("strongroom_deliveries_total", "outcome" => "failed").increment(1);
    let (delivery, channel) = (ready.delivery.clone(), (*batch.integration).clone());
    tracing::warn!(delivery = %delivery.id, channel = %channel.id, %error, "a message failed");
    let (vault, replica) = (services.vault.clone(), services.replica);
    services.db.transaction(move |conn| failures::record(conn, &vault, replica, &delivery, &channel, &error)).await
}

/// One call of a channel.
pub struct Call<'a> {
    pub channel: &'static Channel,
    pub settings: &'a Values,
    pub credential: Option<&'a Opened>,
    /// The profile's name.
    pub name: &'a str,
    pub message: &'a Message,
    /// For a channel that has recipients: what one of them gets.
    pub letter: Option<&'a Letter>,
    pub repeated: bool,
    pub go_ahead: Option<&'a GoAhead>,
    pub limit: Duration,
}

/// Makes a call, bounded in time and with a panic as a failure.
pub async fn call(services: &Services, call: Call<'_>) -> Result<Receipt, Failure> {
    let main = call.credential.map(Opened::secret);
    let cx = Context::new(services.outside(), call.settings, call.name, main);
    let Call { message, letter, go_ahead, repeated, .. } = call;
    let dispatch = Dispatch { message, letter, go_ahead, repeated };
    let work = async { (call.channel.send)(&cx, dispatch).await };
    let mut result = match tokio::time::timeout(call.limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            tracing::error!(delivery = %call.message.id, "a channel panicked");
            let sentence = "Sending failed by a fault of Strongroom itself. It has been logged; please report it.";
            Err(Failure::never(sentence))
        }
        Err(_) => {
            let sentence = "The service did not answer in time. It is tried again.";
            Err(Failure::new(sentence, Retry::ConnectionLost))
        }
    };
    let echoes = Echoes::of_opened(call.credential.map(|opened| (opened.kind, &opened.values)));
    match &mut result {
        Ok(receipt) => receipt.reference.iter_mut().for_each(|reference| echoes.take_out(reference)),
        Err(error) => error.for_each_text(|text| echoes.take_out(text)),
    }
    result
}
