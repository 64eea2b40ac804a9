//! A message as the letter that one recipient gets, with the links that only they get. What it says is in `mail`.

use url::Url;

use super::for_account::{ForAccount, Standing};
use super::prepare::Ready;
use crate::integrations::alerts::email::Letter;
use crate::integrations::alerts::{Failure, Retry, Trigger};
use crate::mail::{self, Account, Confirmation};
use crate::models::account_letters::Purpose;
use crate::models::recipients::{LINK_DAYS, Recipient};
use crate::models::{DeliveryId, RecipientId};
use crate::vault::Vault;

/// What is known while a batch is sent.
pub struct Office<'a> {
    pub vault: &'a Vault,
    pub console: &'a Url,
    /// The profile's name.
    pub profile: &'a str,
    /// The heads of the audit trail, which a mail keeps out of reach of who writes to the database.
    pub anchors: &'a str,
    /// Whether the profile is the one that writes to users about their accounts.
    pub for_accounts: bool,
}

/// Nobody is to be told any more.
fn moot(sentence: &str) -> Failure {
    Failure::new(sentence, Retry::NoLongerWanted)
}

impl Office<'_> {
    /// The letter, or why there is none: somebody who has not confirmed gets the confirmation only.
    pub fn letter(&self, ready: &Ready) -> Result<Letter, Failure> {
        if Purpose::find(&ready.delivery.kind).is_some() {
            return self.to_user(ready);
        }
        let altered =
            "The recipient is not what Strongroom saved, so nothing was sent. Remove them and add them again.";
        let person = ready.recipient.as_ref();
        let person = person.ok_or_else(|| Failure::new(altered, Retry::RecipientTampered))?;
        let (delivery, wants) = (&ready.delivery, person.wants_mail());
        let written = match delivery.kind.as_str() {
            "confirmation" if person.confirmed_at.is_none() => self.confirmation(delivery.id, ready, person),
            "confirmation" => return Err(moot("The address has been confirmed already.")),
            _ if !wants => return Err(moot("The recipient has not confirmed, or has unsubscribed.")),
            _ => mail::digest(
                &person.address,
                self.profile,
                &ready.message,
                Some(&self.link(person.id, "unsubscribe", &person.unsubscribe_key(self.vault))),
                self.anchors,
            ),
        };
        written.map_err(|_| Failure::never("The mail could not be written. Please report it."))
    }

    fn confirmation(&self, id: DeliveryId, ready: &Ready, person: &Recipient) -> Result<Letter, askama::Error> {
        let triggers: Vec<Trigger> = person.triggers.split(',').filter_map(Trigger::find).collect();
        mail::confirmation(&Confirmation {
            id: id.0,
            at: ready.delivery.created_at,
            to: &person.address,
            profile: self.profile,
            by: &person.invited_by,
            triggers: &triggers,
            console: self.console,
            link: &self.link(person.id, "confirm", &person.confirm_key(self.vault)),
            until: person.invited_at + chrono::Duration::days(LINK_DAYS),
        })
    }

    /// A mail to a user about their own account. Its link is put together here and stands nowhere else.
    fn to_user(&self, ready: &Ready) -> Result<Letter, Failure> {
        if !self.for_accounts {
            return Err(moot("This channel does not send mail about accounts."));
        }
        if ready.delivery.letter_id.is_none() {
            return Err(moot("The link is no longer valid."));
        }
        let altered = "The user, or the letter to them, is not what Strongroom saved, so nothing was sent.";
        let account = ready.account.as_ref();
        let account = account.ok_or_else(|| Failure::new(altered, Retry::RecipientTampered))?;
        if let Standing::Over(why) = account.standing() {
            return Err(moot(why));
        }
        let ForAccount { letter, user, purpose, .. } = account;
        let link =
            letter.expires_at.zip(self.console.join(&format!("password?token={}", letter.token(self.vault))).ok());
        let written = mail::account(&Account {
            id: ready.delivery.id.0,
            at: ready.delivery.created_at,
            to: &letter.address,
            user: &user.name,
            by: &letter.made_by,
            about: *purpose,
            detail: &letter.about,
            console: self.console,
            link: link.as_ref().map(|(until, link)| (link, *until)),
        });
        written.map_err(|_| Failure::never("The mail could not be written. Please report it."))
    }

    fn link(&self, id: RecipientId, what: &str, key: &str) -> Url {
        self.console.join(&format!("recipients/{id}/{what}/{key}")).unwrap_or_else(|_| self.console.clone())
    }
}
