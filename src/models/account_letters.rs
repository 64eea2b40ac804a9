//! Mail to users about their own accounts: invitations and password resets, whose links these rows hold, and notices.
//! They go through the outbox and the one channel that is marked for accounts. The database holds a hash of what a link
//! ends with; the link itself follows from the row's id and the key ring, and is written into the mail when it is sent.
//! A link is good for one user, one address and one password: whatever changes one of them, it is worth nothing.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::integrations::Integration;
use super::schema::{account_letters, integrations};
use super::times::{MaybeTime, Time};
use super::trust::{self, Parts, Seen, Signed, Trusted, latest_version, signed_columns};
use super::users::User;
use super::{Conn, DbError, IntegrationId, LetterId, UserId, deliveries};
use crate::vault::Vault;

/// Days that an invitation can be followed.
pub const INVITATION_DAYS: i64 = 7;
/// Minutes that a password can be reset by its link.
pub const RESET_MINUTES: i64 = 30;
/// The index that keeps the mark on one channel.
pub const ONE_CHANNEL: &str = "integrations_for_accounts";
/// What the settings of the marked channel hold. As JSON escapes a quotation mark, no other value can look like it.
const MARK: &str = r#""accounts":"on""#;

/// What a letter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Its link sets the first password.
    Invitation,
    /// Its link sets another password.
    Reset,
    /// Says that the password was reset.
    PasswordNotice,
    /// Says, at the former address, that the address was changed.
    EmailNotice,
    /// Tells administrators that a stored value may leave.
    ValueNotice,
}

impl Purpose {
    const ALL: [Self; 5] = [Self::Invitation, Self::Reset, Self::PasswordNotice, Self::EmailNotice, Self::ValueNotice];

    /// As the row, and the delivery, say it.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::PasswordNotice => "password_notice",
            Self::EmailNotice => "email_notice",
            Self::ValueNotice => "value_notice",
        }
    }

    /// `None` for a purpose of a later release.
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.slug() == slug)
    }

    /// How long its link is good; `None` for a notice, which has none.
    pub fn life(self) -> Option<TimeDelta> {
        match self {
            Self::Invitation => Some(TimeDelta::days(INVITATION_DAYS)),
            Self::Reset => Some(TimeDelta::minutes(RESET_MINUTES)),
            Self::PasswordNotice | Self::EmailNotice | Self::ValueNotice => None,
        }
    }
}

#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
pub struct AccountLetter {
    pub id: LetterId,
    pub user_id: UserId,
    pub purpose: String,
    /// The user's address when it was written.
    pub address: String,
    #[diesel(deserialize_as = Time)]
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    /// The password that the link replaces.
    pub password_version: i32,
    pub token_hash: Option<Vec<u8>>,
    #[diesel(deserialize_as = MaybeTime)]
    pub expires_at: Option<DateTime<Utc>>,
    pub row_mac: Vec<u8>,
    /// Of a notice that needs it: what it is about, in words.
    pub about: String,
}

impl Signed for AccountLetter {
    const TABLE: &'static str = "account_letters";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    // A row that is put back opens nothing: the password that it names is another one by then.
    signed_columns!(unversioned);

    fn parts(&self) -> Parts {
        let parts = Parts::default()
            .id(Some(self.id))
            .id(Some(self.user_id))
            .text(&self.purpose)
            .text(&self.address)
            .time(self.made_at)
            .text(&self.made_by)
            .number(i64::from(self.password_version))
            .bytes(self.token_hash.as_deref().unwrap_or_default())
            .time(self.expires_at);
        // Appended only where there is any, so that rows of before stay as they were signed.
        if self.about.is_empty() { parts } else { parts.text(&self.about) }
    }
}

impl AccountLetter {
    /// What the link ends with: in no row, and found out by nobody without the key ring.
    pub fn token(&self, vault: &Vault) -> String {
        token(vault, self.id)
    }

    pub fn purpose(&self) -> Option<Purpose> {
        Purpose::find(&self.purpose)
    }

    /// Whether it is for this user as they are now: the same address, the same password, and still let in.
    pub fn fits(&self, user: &Trusted<User>) -> bool {
        let same = user.id == self.user_id && user.email.as_ref() == Some(&self.address);
        let may = match self.purpose() {
            Some(Purpose::Invitation) => !user.disabled && user.deleted_at.is_none() && user.password_temporary,
            Some(Purpose::Reset) => user.may_reset(),
            _ => false,
        };
        same && may && user.password_version == self.password_version
    }

    /// Whether its link can be followed at that time.
    pub fn is_open(&self, user: &Trusted<User>, now: DateTime<Utc>) -> bool {
        self.fits(user) && self.expires_at.is_some_and(|end| now < end)
    }
}

fn token(vault: &Vault, id: LetterId) -> String {
    hex::encode(vault.mac("account_letters/link", &[id.0.as_bytes()]))
}

/// SHA-256 of what a link ends with.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// The channel that is marked for accounts, if there is one that is switched on and is what Strongroom saved.
pub fn channel(conn: &mut Conn, vault: &Vault) -> Result<Option<Trusted<Integration>>, DbError> {
    let seen = marked(conn, vault)?;
    Ok(seen.and_then(|seen| seen.judged().ok()).filter(|row| row.active && is_marked(row)))
}

/// The row that has the mark, to be named.
pub fn marked(conn: &mut Conn, vault: &Vault) -> Result<Option<Seen<Integration>>, DbError> {
    let mark = sql::<Bool>("settings LIKE '%\"accounts\":\"on\"%'");
    let rows = integrations::table.filter(integrations::version.eq("email").and(mark));
    let row = rows.select((Integration::as_select(), latest_version!(integrations::id))).first(conn).optional()?;
    Ok(row.map(|row| Seen::new(vault, row, is_marked)))
}

/// Whether mail about accounts goes through this channel.
pub fn is_marked(row: &Integration) -> bool {
    row.version == "email" && has_mark(&row.settings)
}

/// The same of settings alone, as they are stored.
pub fn has_mark(settings: &str) -> bool {
    settings.contains(MARK)
}

/// Writes to a user, at `address`, and puts the mail into the outbox. A link takes the place of the one that the user
/// had for the same purpose. Call inside a transaction that holds the ledger, whose clock is `now`.
pub fn queue(
    conn: &mut Conn,
    vault: &Vault,
    channel: IntegrationId,
    to: (&User, &str),
    purpose: Purpose,
    made: (&str, DateTime<Utc>),
) -> Result<(), DbError> {
    write(conn, vault, channel, to, (purpose, ""), made)
}

/// How many administrators [`tell_administrators`] would write to.
pub fn administrators_told(conn: &mut Conn, vault: &Vault) -> Result<usize, DbError> {
    if channel(conn, vault)?.is_none() {
        return Ok(0);
    }
    Ok(super::users::administrators(conn, vault)?.iter().filter(|user| user.email.is_some()).count())
}

/// Tells every administrator who has an address that a stored value may leave; how many. Nobody where no channel
/// is marked for accounts. `about` says which. Call inside a transaction that holds the ledger, whose clock is `now`.
pub fn tell_administrators(
    conn: &mut Conn,
    vault: &Vault,
    about: &str,
    made: (&str, DateTime<Utc>),
) -> Result<usize, DbError> {
    let Some(channel) = channel(conn, vault)? else { return Ok(0) };
    let mut written = 0;
    for user in super::users::administrators(conn, vault)? {
        let Some(address) = user.email.as_deref() else { continue };
        write(conn, vault, channel.id, (&user, address), (Purpose::ValueNotice, about), made)?;
        written += 1;
    }
    Ok(written)
}

fn write(
    conn: &mut Conn,
    vault: &Vault,
    channel: IntegrationId,
    (user, address): (&User, &str),
    (purpose, about): (Purpose, &str),
    (made_by, now): (&str, DateTime<Utc>),
) -> Result<(), DbError> {
    let id = LetterId(Uuid::new_v4());
    let expires_at = purpose.life().map(|life| now + life);
    if expires_at.is_some() {
        end_links(conn, user.id, Some(purpose))?;
    }
    let row = AccountLetter {
        id,
        user_id: user.id,
        purpose: purpose.slug().to_owned(),
        address: address.to_owned(),
        made_at: now,
        made_by: made_by.to_owned(),
        password_version: user.password_version,
        token_hash: expires_at.map(|_| token_hash(&token(vault, id))),
        expires_at,
        row_mac: Vec::new(),
        about: about.to_owned(),
    };
    diesel::insert_into(account_letters::table).values(&*trust::sign(vault, row)).execute(conn)?;
    deliveries::queue_letter(conn, purpose.slug(), channel, id)
}

/// Ends the links of a user, of one purpose or of all; how many there were. What of them waits in the outbox is not sent.
pub fn end_links(conn: &mut Conn, user: UserId, purpose: Option<Purpose>) -> Result<usize, DbError> {
    let links =
        account_letters::table.filter(account_letters::user_id.eq(user).and(account_letters::token_hash.is_not_null()));
    Ok(match purpose {
        Some(purpose) => diesel::delete(links.filter(account_letters::purpose.eq(purpose.slug()))).execute(conn)?,
        None => diesel::delete(links).execute(conn)?,
    })
}

/// The letter of a link.
pub fn find_by_hash(conn: &mut Conn, vault: &Vault, hash: &[u8]) -> Result<Option<Seen<AccountLetter>>, DbError> {
    let rows = account_letters::table.filter(account_letters::token_hash.eq(hash));
    let row: Option<AccountLetter> = rows.select(AccountLetter::as_select()).first(conn).optional()?;
    let asked = |row: &AccountLetter| row.token_hash.as_deref() == Some(hash);
    Ok(row.map(|row| Seen::new(vault, (row, None), asked)))
}

pub fn find_all(conn: &mut Conn, vault: &Vault, ids: &[LetterId]) -> Result<Vec<Seen<AccountLetter>>, DbError> {
    let rows = account_letters::table.filter(account_letters::id.eq_any(ids)).select(AccountLetter::as_select());
    let found: Vec<AccountLetter> = rows.load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, (row, None), |row| ids.contains(&row.id))).collect())
}

/// Of each of these users who was invited, until when; for lists.
pub fn invited_until(conn: &mut Conn, users: &[UserId]) -> Result<HashMap<UserId, DateTime<Utc>>, DbError> {
    let invited = account_letters::purpose.eq(Purpose::Invitation.slug()).and(account_letters::user_id.eq_any(users));
    let rows = account_letters::table.filter(invited);
    let found: Vec<(UserId, MaybeTime)> =
        rows.select((account_letters::user_id, account_letters::expires_at)).load(conn)?;
    Ok(found.into_iter().filter_map(|(id, until)| Some((id, Option::from(until)?))).collect())
}

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<AccountLetter>>, DbError> {
    let rows = account_letters::table.filter(account_letters::id.gt(after)).order(account_letters::id).limit(limit);
    let found: Vec<AccountLetter> = rows.select(AccountLetter::as_select()).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, (row, None), |_| true)).collect())
}

/// Forgets notices and resets a week after their time. An invitation stays until it is followed, sent again or
/// withdrawn, so that a list can say that it is over.
pub fn purge(conn: &mut Conn) -> Result<usize, DbError> {
    let over = "purpose <> 'invitation' AND coalesce(expires_at, made_at) < now() - interval '7 days'";
    Ok(diesel::delete(account_letters::table.filter(sql::<Bool>(over))).execute(conn)?)
}
