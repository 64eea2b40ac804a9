//! Mail to users about their own accounts: what is read before one is written, and whether it may still be sent. It goes
//! to the address in its own signed row, and only while that is the address of the user.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::models::account_letters::{self, AccountLetter, Purpose};
use crate::models::deliveries::Delivery;
use crate::models::trust::{Seen, Trusted};
use crate::models::users::{self, User};
use crate::models::{self, Conn, DbError, DeliveryId, LetterId, UserId};
use crate::vault::Vault;

/// A letter with its user, as they are now.
pub struct ForAccount {
    pub letter: Trusted<AccountLetter>,
    pub user: Trusted<User>,
    pub purpose: Purpose,
    pub now: DateTime<Utc>,
}

/// Whether it is sent.
pub enum Standing {
    Open,
    /// Nobody waits for it any more.
    Over(&'static str),
}

impl ForAccount {
    /// The letters of these deliveries, by delivery. Tampered rows are left out.
    pub fn of(conn: &mut Conn, vault: &Vault, claimed: &[Delivery]) -> Result<HashMap<DeliveryId, Self>, DbError> {
        let ids: Vec<LetterId> = claimed.iter().filter_map(|delivery| delivery.letter_id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let letters = account_letters::find_all(conn, vault, &ids)?;
        let people: Vec<UserId> = letters.iter().map(|letter| letter.shown().user_id).collect();
        let users = users::find_all(conn, vault, &people)?.into_iter().filter_map(|user| user.judged().ok());
        let users: HashMap<UserId, Trusted<User>> = users.map(|user| (user.id, user)).collect();
        let letters = letters.into_iter().filter_map(|letter: Seen<AccountLetter>| letter.judged().ok());
        let letters: HashMap<LetterId, Trusted<AccountLetter>> = letters.map(|row| (row.id, row)).collect();
        let now = models::clock(conn)?;
        let whole = |delivery: &Delivery| {
            let letter = letters.get(&delivery.letter_id?)?;
            let (user, purpose) = (users.get(&letter.user_id)?, letter.purpose()?);
            Some((delivery.id, Self { letter: letter.clone(), user: user.clone(), purpose, now }))
        };
        Ok(claimed.iter().filter_map(whole).collect())
    }

    pub fn standing(&self) -> Standing {
        match self.purpose {
            Purpose::Invitation | Purpose::Reset if !self.letter.is_open(&self.user, self.now) => {
                Standing::Over("The link is no longer valid.")
            }
            Purpose::ValueNotice if self.user.email.as_ref() != Some(&self.letter.address) => {
                Standing::Over("The user's address is another now.")
            }
            Purpose::PasswordNotice | Purpose::EmailNotice | Purpose::ValueNotice if self.user.deleted_at.is_some() => {
                Standing::Over("The user was deleted.")
            }
            _ => Standing::Open,
        }
    }
}
