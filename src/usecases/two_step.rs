//! The second step of one's own login: the secret for the authenticator, the first code that turns it on, recovery codes,
//! off. Offering a secret writes nothing: it follows from the principal's session and the vault's key, so it is the same
//! until it is confirmed, also after the password was asked for again, and is stored only then.

use super::{Principal, Refusal, read, write};
use crate::accounts::visitor::Visitor;
use crate::accounts::{Role, totp};
use crate::form::Errors;
use crate::models::users::{self, Change, User};
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::vault::Vault;

/// Where the second step of the principal stands.
pub enum TwoStep {
    On {
        codes_left: usize,
    },
    /// Off, with the secret that can be confirmed.
    Offered {
        name: String,
        secret: Vec<u8>,
    },
}

/// The second step as it stands, and whether an administrator requires it. The secret is shown only to who has given
/// the password lately.
pub async fn two_step(services: &Services, principal: &Principal) -> Result<(TwoStep, bool), Refusal> {
    principal.require(Role::Auditor)?;
    let id = principal.visitor().user_id;
    let user = read(services, move |conn, vault| users::find(conn, vault, id)).await?.trust()?;
    if user.totp_confirmed {
        return Ok((TwoStep::On { codes_left: user.recovery_codes.len() }, user.totp_required));
    }
    principal.require_fresh()?;
    let secret = offered(services, principal.visitor(), &user);
    Ok((TwoStep::Offered { name: user.name.clone(), secret }, user.totp_required))
}

/// One a session: its id stays when the password is confirmed, where its token does not. Nobody finds it out without
/// the key ring, and no other session is offered the same.
fn offered(services: &Services, visitor: &Visitor, user: &User) -> Vec<u8> {
    let parts: [&[u8]; 3] = [user.id.0.as_bytes(), &user.totp_version.to_be_bytes(), visitor.session_id.0.as_bytes()];
    let mut secret = services.vault.mac("totp/offer", &parts);
    secret.truncate(totp::SECRET_BYTES);
    secret
}

/// Turns it on with a code of the secret that is offered, and returns the recovery codes. [`Refusal::Overtaken`] when it
/// is on already.
pub async fn add(services: &Services, principal: &Principal, code: &str) -> Result<Vec<String>, Refusal> {
    // A wrong code shows the secret again and a right one binds the account to who knows it.
    principal.require_fresh_as(Role::Auditor)?;
    let id = principal.visitor().user_id;
    let find = move |conn: &mut Conn, vault: &Vault| Ok((users::find(conn, vault, id)?, users::seconds(conn)?));
    let (user, seconds) = read(services, find).await?;
    let user = user.trust()?;
    if user.totp_confirmed {
        return Err(Refusal::Overtaken);
    }
    let secret = offered(services, principal.visitor(), &user);
    let wrong = "That isn't the app's current code. Check the device's clock and enter the next code.";
    let step = totp::step(&secret, code, u64::try_from(seconds).unwrap_or_default())
        .ok_or_else(|| Refusal::Invalid(Errors::one("code", wrong)))?;
    let (codes, macs) = new_codes(services, principal);
    change(services, principal, Change::TotpAdded { secret, step, recovery_codes: macs }, true).await?;
    Ok(codes)
}

/// Turns it off.
pub async fn remove(services: &Services, principal: &Principal) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Auditor)?;
    Ok(change(services, principal, Change::TotpRemoved, true).await?)
}

/// Replaces the recovery codes by new ones, and returns those. `None` where it is off.
pub async fn renew_codes(services: &Services, principal: &Principal) -> Result<Option<Vec<String>>, Refusal> {
    principal.require_fresh_as(Role::Auditor)?;
    if !principal.visitor().two_step {
        return Ok(None);
    }
    let (codes, macs) = new_codes(services, principal);
    change(services, principal, Change::RecoveryCodes(macs), false).await?;
    Ok(Some(codes))
}

/// `ends_others`: the change ends the other sessions.
async fn change(services: &Services, principal: &Principal, change: Change, ends_others: bool) -> Result<(), DbError> {
    let id = principal.visitor().user_id;
    let keep = Some(principal.visitor().token_hash.clone()).filter(|_| ends_others);
    let save = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        users::change(conn, vault, actor, id, &change, keep.as_deref())
    };
    write(services, principal, save).await?;
    services.sessions.forget();
    Ok(())
}

fn new_codes(services: &Services, principal: &Principal) -> (Vec<String>, Vec<Vec<u8>>) {
    let (codes, user) = (totp::recovery_codes(), principal.visitor().user_id);
    let macs = codes.iter().map(|code| totp::recovery_mac(&services.vault, user, code)).collect();
    (codes, macs)
}
