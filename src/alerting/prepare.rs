//! Before a channel's messages are sent: claimed, its row and its recipients checked, the credential opened, the lines
//! put into words, all in one short transaction in which the opening is audited.

use std::collections::HashMap;

use url::Url;

use super::for_account::ForAccount;
use super::words::{self, Said};
use crate::form::Values;
use crate::integrations::alerts::{self as channels, Channel, Event, Line, Message, Trigger, Usage};
use crate::integrations::{Family, Spec};
use crate::models::alerts::{self, Subject};
use crate::models::altered;
use crate::models::deliveries::{self, Delivery};
use crate::models::delivery_lines::{self, LineRow, UsageRow};
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration};
use crate::models::recipients::{self, Recipient};
use crate::models::trust::{Doubt, Trusted};
use crate::models::{
    Conn, CredentialId, DbError, DeliveryId, IntegrationId, RecipientId, ReplicaId, chain, credentials,
};
use crate::opening::{self, Closed, Opened};
use crate::vault::Vault;

/// Messages of one channel that are claimed at once.
const BATCH: i64 = 50;
/// Usages that a line names.
const USAGES: i64 = 5;

/// Messages with all that sending them takes.
pub struct Batch {
    pub integration: Trusted<Integration>,
    pub channel: &'static Channel,
    pub settings: Values,
    pub credential: Option<Opened>,
    pub messages: Vec<Ready>,
    /// For mails: the heads of the audit trail.
    pub anchors: String,
}

/// One message of a batch.
pub struct Ready {
    pub delivery: Delivery,
    pub message: Message,
    /// The person, where the channel has persons and the row is what Strongroom saved.
    pub recipient: Option<Trusted<Recipient>>,
    /// The letter, for a mail to a user about their own account; `None` for alerts.
    pub account: Option<ForAccount>,
}

/// What is not sent, and why: the channel is not fit for use.
pub struct Unfit {
    pub deliveries: Vec<Delivery>,
    pub sentence: String,
}

const UNKNOWN: &str = "This release of Strongroom does not know this channel or its settings. Edit it.";
const NO_CREDENTIAL: &str = "The channel needs a credential. Edit it and choose one.";

/// Claims a batch; `None` when nothing is due.
pub fn prepare(
    conn: &mut Conn,
    vault: &Vault,
    console: &Url,
    replica: ReplicaId,
    id: IntegrationId,
) -> Result<Option<Result<Batch, Unfit>>, DbError> {
    let seen = integrations::find(conn, vault, id)?;
    let spec = Spec::find(&seen.shown().version);
    let channel = spec.and_then(Spec::channel);
    let ordered = channel.is_some_and(|channel| channel.lines_at_once == 1);
    // This replica works on the channel in one lane: what else it has of it was lost sight of.
    deliveries::put_back(conn, replica, Some(id))?;
    let claimed = deliveries::claim(conn, id, replica, BATCH, ordered)?;
    if claimed.unreadable > 0 {
        let subject = Subject { kind: "integration", id: id.0, name: &seen.shown().name };
        alerts::raise(conn, "delivery", subject, deliveries::UNREADABLE)?;
    }
    let claimed = claimed.deliveries;
    if claimed.is_empty() {
        return Ok(None);
    }
    let unfit = |deliveries, sentence| Ok(Some(Err(Unfit { deliveries, sentence })));
    let integration = match seen.judged() {
        Ok(integration) => integration,
        Err((_, Doubt::LaterRelease)) => return unfit(claimed, UNKNOWN.to_owned()),
        Err((integration, doubt)) => {
            altered::refuse(conn, vault, &integration, doubt)?;
            return unfit(claimed, format!("{} Nothing was sent.", doubt.sentence("channel")));
        }
    };
    altered::settle(conn, &integration)?;
    let settings = Values::from_json(integration.settings.as_bytes());
    let (Some(spec), Some(channel), Some(settings)) = (spec, channel, settings) else {
        return unfit(claimed, UNKNOWN.to_owned());
    };
    let credential = match integration.credential_id {
        None if spec.needs_credential() => return unfit(claimed, NO_CREDENTIAL.to_owned()),
        None => None,
        Some(credential) => match open(conn, vault, &integration, credential, claimed.len())? {
            Ok(opened) if spec.credential_kinds().contains(&opened.kind.slug) => Some(opened),
            Ok(_) => return unfit(claimed, NO_CREDENTIAL.to_owned()),
            Err(closed) => return unfit(claimed, format!("The credential cannot be used: {}", closed.sentence())),
        },
    };
    let messages = messages(conn, vault, console, &integration, claimed)?;
    let heads = if channel.has_recipients { chain::heads(conn)? } else { Vec::new() };
    // Three a line, so that no mail server has to fold them.
    let lines = heads.chunks(3).map(|heads| heads.iter().map(chain::Head::short).collect::<Vec<_>>().join(" "));
    let anchors = lines.collect::<Vec<_>>().join("\n");
    Ok(Some(Ok(Batch { integration, channel, settings, credential, messages, anchors })))
}

/// Opens the credential once for the whole batch.
fn open(
    conn: &mut Conn,
    vault: &Vault,
    integration: &Integration,
    id: CredentialId,
    count: usize,
) -> Result<Result<Opened, Closed>, DbError> {
    let why = format!("for {count} message{} through {}", if count == 1 { "" } else { "s" }, integration.name);
    let opened = opening::open(conn, vault, &Actor::system(), id, why)?;
    if opened.is_ok() {
        credentials::touch(conn, id)?;
    }
    Ok(opened)
}

fn messages(
    conn: &mut Conn,
    vault: &Vault,
    console: &Url,
    integration: &Integration,
    claimed: Vec<Delivery>,
) -> Result<Vec<Ready>, DbError> {
    let ids: Vec<DeliveryId> = claimed.iter().map(|delivery| delivery.id).collect();
    let rows = delivery_lines::lines(conn, integration.id, &ids)?;
    let mut used: Vec<CredentialId> =
        rows.iter().filter(|row| row.usages > 0).map(|row| CredentialId(row.subject_id)).collect();
    used.sort_unstable();
    used.dedup();
    let mut usages: HashMap<CredentialId, Vec<Usage>> = HashMap::new();
    for row in delivery_lines::usages(conn, &used, USAGES)? {
        usages.entry(row.credential_id).or_default().push(usage(console, row));
    }
    let people: Vec<RecipientId> = claimed.iter().filter_map(|delivery| delivery.recipient_id).collect();
    let people = recipients::find_all(conn, vault, &people)?.into_iter().filter_map(|person| person.judged().ok());
    let people: HashMap<RecipientId, Trusted<Recipient>> = people.map(|person| (person.id, person)).collect();
    let mut accounts = ForAccount::of(conn, vault, &claimed)?;
    let mut lines: HashMap<DeliveryId, Vec<Line>> = HashMap::new();
    for row in rows {
        let known = usages.get(&CredentialId(row.subject_id)).cloned().unwrap_or_default();
        lines.entry(row.delivery_id).or_default().extend(line(console, row, known));
    }
    let ready = |delivery: Delivery| {
        let account = accounts.remove(&delivery.id);
        if delivery.kind == "test" {
            let message = channels::test_message(delivery.id.0, delivery.created_at, console);
            let recipient = delivery.recipient_id.and_then(|id| people.get(&id).cloned());
            return Ready { delivery, message, recipient, account };
        }
        let message = Message {
            id: delivery.id.0,
            at: delivery.created_at,
            console: console.clone(),
            lines: lines.remove(&delivery.id).unwrap_or_default(),
            more: u64::try_from(delivery.more).unwrap_or_default(),
            test: false,
        };
        let recipient = delivery.recipient_id.and_then(|id| people.get(&id).cloned());
        Ready { delivery, message, recipient, account }
    };
    Ok(claimed.into_iter().map(ready).collect())
}

/// An address of the console.
fn page(console: &Url, path: &str) -> Url {
    console.join(path).unwrap_or_else(|_| console.clone())
}

fn usage(console: &Url, row: UsageRow) -> Usage {
    let family = Family::find(&row.family).map_or("Integration", Family::label);
    Usage { family, name: row.name, url: page(console, &format!("integrations/{}", row.id)) }
}

/// `None` for a trigger or event of a later release.
fn line(console: &Url, row: LineRow, usages: Vec<Usage>) -> Option<Line> {
    let (trigger, event) = (Trigger::find(&row.trigger)?, Event::find(&row.event)?);
    let said = Said {
        trigger,
        event,
        subject: &row.subject_name,
        kind: &row.kind,
        days: row.days,
        of_days: row.of_days,
        words: &row.words,
    };
    let place = words::place(trigger, &row.subject_kind, row.subject_id);
    Some(Line {
        alert: row.alert.0,
        trigger,
        event,
        severity: words::severity(&said),
        title: words::title(&said),
        detail: words::detail(&row.kind, &row.identity),
        subject_url: page(console, &place),
        url: page(console, &format!("alerts/{}", row.alert)),
        since: row.opened_at,
        more_usages: u64::try_from(row.usages).unwrap_or_default().saturating_sub(usages.len() as u64),
        usages,
        remedy: words::remedy(&said).to_owned(),
        reference: row.reference.clone(),
        subject: row.subject_name.clone(),
    })
}
