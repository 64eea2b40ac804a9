//! What follows from a message that was not delivered: another try, a person's decision, an alert, a channel that is
//! switched off. Nothing is sent from here.

use chrono::TimeDelta;

use super::prepare::Unfit;
use crate::integrations::alerts::{Failure, Retry};
use crate::models::alerts::{self, RAISED, Subject};
use crate::models::deliveries::{self, Delivery, Next};
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration};
use crate::models::{self, Conn, DbError, ReplicaId, channels};
use crate::vault::{self, Vault};

/// A message that is this old, that the peer itself put off so often, and that others have passed by, waits for a
/// person. What waits for a peer that takes nothing at all never does: it is sent when the peer is back.
const MOST_PUT_OFFS: i32 = 20;
const OLD: TimeDelta = TimeDelta::days(1);
const PASSED_BY: TimeDelta = TimeDelta::hours(1);
/// What broke off is tried again this often within some six minutes.
const QUICKLY: i32 = 6;
/// Refusals in a row after which a channel is switched off, and misses in a row after which that is told.
const IN_A_ROW: i32 = 20;
/// A peer that is away is tried again after 5 s, and later every 4 minutes: with the tenth that a message waits longer,
/// and the beat of the outbox, that is less than 5.
const FIRST_PAUSE: i32 = 5;
const LONGEST_PAUSE: i32 = 240;
/// Longest pause that a peer gets for asking.
const LONGEST_ASKED: u64 = 3_600;

/// Writes a failure down with what follows from it. Returns whether the next message is worth trying.
pub fn record(
    conn: &mut Conn,
    vault: &Vault,
    replica: ReplicaId,
    delivery: &Delivery,
    channel: &Integration,
    error: &Failure,
) -> Result<bool, DbError> {
    let subject = Subject { kind: "integration", id: channel.id.0, name: &channel.name };
    let words = error.to_string();
    let end = |conn: &mut Conn, next| deliveries::end_attempt(conn, delivery.id, replica, &words, next);
    match error.retry {
        Retry::NoLongerWanted => {
            end(conn, Next::Dropped)?;
            return Ok(true);
        }
        Retry::ChannelRejected | Retry::MessageRejected | Retry::RecipientTampered => {
            end(conn, Next::Parked)?;
            alerts::raise(conn, "delivery", subject, &error.to_string())?;
        }
        Retry::ReceiverDown | Retry::ConnectionLost | Retry::Postponed(_) => {
            return put_off(conn, vault, delivery, channel, error, end);
        }
    }
    match error.retry {
        Retry::ChannelRejected => refused(conn, vault, channel, subject, error).map(|last_straw| !last_straw),
        // The peer answers.
        Retry::MessageRejected => channels::note_answer(conn, vault, channel.id).map(|()| true),
        _ => Ok(true),
    }
}

/// It is tried again, unless it is this message alone that is never taken.
fn put_off(
    conn: &mut Conn,
    vault: &Vault,
    delivery: &Delivery,
    channel: &Integration,
    error: &Failure,
    end: impl Fn(&mut Conn, Next) -> Result<(), DbError>,
) -> Result<bool, DbError> {
    let health = channels::health(conn, vault, channel.id)?;
    let (attempts, put_offs) = (delivery.attempts, delivery.put_offs);
    // A tenth longer than the channel, so that others go first: perhaps the peer chokes on this one alone.
    let after = |pause: i32| pause + pause / 10 + 1;
    let (next, pause) = match error.retry {
        Retry::ReceiverDown => {
            let pause = away_for(health.misses + 1);
            let wait = after(pause.max(away_for(attempts)));
            // While others get through, it is this message that the peer hangs up on.
            (if health.misses == 0 { Next::PutOff(wait) } else { Next::Again(wait) }, Some(pause))
        }
        // Soon at first, and then less and less often: the peer may have it each time.
        Retry::ConnectionLost if put_offs < QUICKLY => (Next::PutOff(after(away_for(put_offs + 1))), None),
        Retry::ConnectionLost => (Next::PutOff(put_off_for(put_offs + 1 - QUICKLY)), None),
        // Who asks for a pause gets it for everything.
        Retry::Postponed(Some(asked)) => {
            let pause = i32::try_from(asked.as_secs().clamp(1, LONGEST_ASKED)).unwrap_or(LONGEST_PAUSE);
            (Next::PutOff(after(pause).max(put_off_for(put_offs + 1))), Some(pause))
        }
        _ => (Next::PutOff(put_off_for(put_offs + 1)), None),
    };
    let passed_by = health.failing_since.is_none_or(|since| since > delivery.created_at + PASSED_BY);
    let stuck = put_offs + 1 >= MOST_PUT_OFFS
        && (passed_by || error.retry == Retry::ConnectionLost)
        && models::clock(conn)? > delivery.created_at + OLD;
    end(conn, if stuck { Next::Parked } else { next })?;
    if stuck | (channels::count_miss(conn, vault, channel.id, pause)? >= IN_A_ROW) {
        let subject = Subject { kind: "integration", id: channel.id.0, name: &channel.name };
        alerts::raise(conn, "delivery", subject, &error.to_string())?;
    }
    Ok(pause.is_none())
}

/// Counts a refusal of the channel as a whole; whether that was the last straw.
fn refused(
    conn: &mut Conn,
    vault: &Vault,
    channel: &Integration,
    subject: Subject,
    error: &Failure,
) -> Result<bool, DbError> {
    let refusals = channels::count_refusal(conn, vault, channel.id)?;
    if refusals < IN_A_ROW || !integrations::find(conn, vault, channel.id)?.shown().active {
        return Ok(false);
    }
    integrations::set_active(conn, vault, &Actor::system(), channel.id, false)?;
    let words = format!("it was switched off after {refusals} refusals in a row. The last: {error}");
    alerts::worsen(conn, "delivery", subject, RAISED + 1, &words)?;
    Ok(true)
}

/// All of a batch waits for a person: the channel itself cannot be used.
pub fn park(conn: &mut Conn, vault: &Vault, replica: ReplicaId, unfit: &Unfit) -> Result<(), DbError> {
    let Some(first) = unfit.deliveries.first() else { return Ok(()) };
    let channel = integrations::find(conn, vault, first.integration_id)?.into_shown();
    for delivery in &unfit.deliveries {
        deliveries::end_attempt(conn, delivery.id, replica, &unfit.sentence, Next::Parked)?;
    }
    let subject = Subject { kind: "integration", id: channel.id.0, name: &channel.name };
    alerts::raise(conn, "delivery", subject, &unfit.sentence)
}

/// Seconds until a peer that is away is tried again, by how often it was in a row.
fn away_for(times: i32) -> i32 {
    let doublings = u32::try_from(times - 1).unwrap_or_default().min(10);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Seconds until a message that was put off is tried again: 1, 2, 4 … 60 minutes, a fifth more or less.
fn put_off_for(times: i32) -> i32 {
    let doublings = u32::try_from(times - 1).unwrap_or_default().min(10);
    let seconds = 60_i32.saturating_mul(1 << doublings).min(3_600);
    let [byte] = vault::random::<1>();
    seconds * (80 + i32::from(byte) * 40 / 255) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_is_away_is_never_left_alone_for_more_than_five_minutes() {
        assert_eq!([1, 2, 3, 7, 1_000].map(away_for), [5, 10, 20, 240, 240]);
    }

    #[test]
    fn a_message_that_is_put_off_waits_longer_each_time() {
        for (attempts, minutes) in [(1, 1), (2, 2), (6, 32), (7, 60), (20, 60)] {
            let seconds = put_off_for(attempts);
            assert!((48 * minutes..=72 * minutes).contains(&seconds), "{seconds} s after {attempts}");
        }
    }
}
