//! Links from mails that open an account: asking for one without a login, and choosing a password by one. Whoever asks
//! gets the same answer, after the same time, whether anybody has that name or not; the mail itself leaves later, through
//! the outbox.

use std::net::IpAddr;
use std::time::Duration;

use super::users::Typed;
use super::{Refusal, read};
use crate::accounts::limiter::TooOften;
use crate::accounts::{Refused, minutes};
use crate::models::account_letters::{Purpose, token_hash};
use crate::models::events::Actor;
use crate::models::{Conn, DbError, account_links};
use crate::services::Services;

/// How long an answer takes at least: many times what is done until then, for anybody.
const FLOOR: Duration = Duration::from_millis(500);
/// In the trail, somebody who has not shown who they are.
const SOMEBODY: &str = "somebody";
/// Longest name or address that is looked for, in characters.
const LONGEST: usize = 254;

/// Mails a link to the user of that name or address, if there is one who may have it. [`DbError::NotFound`] while
/// nothing can be sent.
pub async fn request(services: &Services, typed: &str, from: IpAddr) -> Result<(), Refusal> {
    let (asked, ()) = tokio::join!(ask(services, typed, from), tokio::time::sleep(FLOOR));
    asked
}

async fn ask(services: &Services, typed: &str, from: IpAddr) -> Result<(), Refusal> {
    let typed: String = typed.trim().chars().take(LONGEST).collect();
    match services.gate.reset(&typed, from).await {
        Ok(()) => {}
        Err(Refused::Throttled(seconds)) => {
            let text = format!("Too many requests. Try again in {}.", minutes(seconds));
            return Err(TooOften { text, seconds }.into());
        }
        Err(Refused::Busy(busy)) => return Err(busy.into()),
        Err(Refused::Db(error)) => return Err(error.into()),
        Err(Refused::Wrong) => return Ok(()),
    }
    let actor = Actor { name: SOMEBODY.to_owned(), address: from.to_string() };
    let vault = services.vault.clone();
    let ask = move |conn: &mut Conn| account_links::request_reset(conn, &vault, &actor, &typed);
    services.db.transaction(ask).await?;
    services.wake.messages.notify_one();
    Ok(())
}

/// What an open link is for, and the name of its user; `None` for any other link.
pub async fn find(services: &Services, token: &str) -> Result<Option<(Purpose, String)>, DbError> {
    let hash = token_hash(token);
    let found = read(services, move |conn, vault| account_links::open(conn, vault, &hash)).await?;
    Ok(found.and_then(|(letter, user)| Some((letter.purpose()?, user.name.clone()))))
}

/// Sets the password that was typed and uses the link up. A link that is good no more is [`DbError::NotFound`].
pub async fn follow(services: &Services, token: &str, typed: Typed<'_>, address: String) -> Result<Purpose, Refusal> {
    let (purpose, name) = find(services, token).await?.ok_or(DbError::NotFound)?;
    let errors = typed.check(&name);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let phc = services.gate.hasher.hash(typed.password).await?;
    let (hash, vault) = (token_hash(token), services.vault.clone());
    let follow = move |conn: &mut Conn| account_links::follow(conn, &vault, &address, &hash, &phc);
    services.db.transaction(follow).await.map_err(|error| match error {
        DbError::Stale => DbError::NotFound,
        error => error,
    })?;
    services.sessions.forget();
    services.wake.messages.notify_one();
    Ok(purpose)
}
