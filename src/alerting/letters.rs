//! What a person of an e-mail profile gets: the confirmation that is asked for first, then digests and tests. The words are
//! in `mail`; here it is decided which letter it is, and that nobody gets one who does not want it.

use chrono::TimeDelta;

use super::prepare::Ready;
use crate::integrations::alerts::email::Letter;
use crate::integrations::alerts::{SendError, Trigger};
use crate::mail::{self, Confirmation};
use crate::models::recipients::LINK_DAYS;
use crate::vault::Vault;

/// The letter of a delivery through the profile of that name.
pub fn letter(vault: &Vault, profile: &str, ready: &Ready) -> Result<Letter, SendError> {
    let Some(person) = &ready.recipient else {
        return Err(SendError::never(
            "The recipient is not what Strongroom saved, so nothing was sent. Somebody may have changed it in the database. \
             Remove it and add it anew.",
        ));
    };
    let console = &ready.message.console;
    let page = |path: String| console.join(&path).unwrap_or_else(|_| console.clone());
    let written = if ready.delivery.kind == "confirmation" {
        if person.confirmed_at.is_some() {
            return Err(SendError::never("The address is confirmed already."));
        }
        let triggers: Vec<Trigger> = person.triggers.split(',').filter_map(Trigger::find).collect();
        mail::confirmation(&Confirmation {
            id: ready.delivery.id,
            at: ready.delivery.created_at,
            to: &person.address,
            profile,
            by: &person.invited_by,
            triggers: &triggers,
            console,
            link: &page(format!("recipients/confirm/{}/{}", person.id, person.confirmation_token(vault))),
            until: person.invited_at + TimeDelta::days(LINK_DAYS),
        })
    } else {
        if !person.wants_mail() {
            return Err(SendError::never("The recipient wants no mail. Give this message up."));
        }
        let unsubscribe = page(format!("recipients/unsubscribe/{}/{}", person.id, person.unsubscribe_token(vault)));
        mail::digest(&person.address, profile, &ready.message, Some(&unsubscribe))
    };
    written.map_err(|_| SendError::never("The letter could not be written. That is a fault of Strongroom; please report it."))
}
