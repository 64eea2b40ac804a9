//! Logging in by an identity: what a program shows is judged outside of any transaction, since a cluster, an issuer or AWS
//! may be asked. What is right is never refused for what others tried; how often one address makes Strongroom ask others
//! is limited.

use std::net::IpAddr;
use std::time::Instant;

use super::caller::{self, Caller, Denied};
use super::fetch::Refused;
use super::identity::{Judge, Known, Proof};
use super::login::{self, LoggedIn};
use crate::accounts::limiter::TooOften;
use crate::accounts::visitor_key;
use crate::integrations::identities::Identity;
use crate::models::client_logins::ClientLogin;
use crate::models::clients::{self, Client};
use crate::models::trust::Trusted;
use crate::models::{ClientLoginId, Conn, DbError, client_logins, spent_tokens};
use crate::services::Services;
use crate::vault::Vault;

/// Logins of one client that are tried with one proof.
const MOST: usize = 5;

/// What a program says and shows.
pub struct Claim {
    /// The name of its client.
    pub client: String,
    pub proof: Proof,
}

/// A client that has logins for such a proof.
struct Named {
    client: Trusted<Client>,
    logins: Vec<(Trusted<ClientLogin>, Identity)>,
}

/// Begins a session of the client, if the proof is one that a login of it allows.
pub async fn log_in(services: &Services, claim: Claim, address: IpAddr) -> Result<LoggedIn, Refused> {
    let too_often = |limit: TooOften| Refused::TooOften(limit.seconds);
    services.identity_checks.take(visitor_key(address), Instant::now()).map_err(too_often)?;
    let named = find(services, &claim, address).await?;
    let denied = match named {
        Ok(named) => match judge(services, &claim, &named, address).await {
            Ok((login, known)) => match begin(services, login, known, address).await? {
                Ok(session) => return Ok(session),
                Err(denied) => denied,
            },
            Err(denied) => denied,
        },
        Err(denied) => denied,
    };
    Err(caller::deny(services, denied, address).await)
}

/// The client of that name, with its logins that the proof may be for. Both are looked at before anybody is asked.
async fn find(services: &Services, claim: &Claim, address: IpAddr) -> Result<Result<Named, Denied>, DbError> {
    let (vault, name) = (services.vault.clone(), claim.client.clone());
    if name.len() > 800 || name.chars().any(char::is_control) {
        return Ok(Err(Denied::malformed()));
    }
    let read = move |conn: &mut Conn| {
        let Some(client) = clients::find_by_name(conn, &vault, &name)? else { return Ok(Err(Denied::malformed())) };
        let client = match client.judged() {
            Ok(client) => client,
            Err((row, doubt)) => return Ok(Err(Denied::tampered(row, doubt.words()))),
        };
        let logins = client_logins::of(conn, &vault, client.id)?;
        Ok::<_, DbError>(Ok((client, logins)))
    };
    let (client, logins) = match services.db.run(read).await? {
        Ok(found) => found,
        Err(denied) => return Ok(Err(denied)),
    };
    if let Some(denied) = caller::keeps_out(&client, address) {
        return Ok(Err(denied));
    }
    let trusted = logins.into_iter().filter_map(|login| login.trust().ok());
    let fitting = trusted.filter_map(|login| {
        let identity = Identity::from_json(&login.settings).filter(|identity| claim.proof.may_be_for(identity))?;
        Some((login, identity))
    });
    let logins: Vec<_> = fitting.take(MOST).collect();
    if logins.is_empty() {
        return Ok(Err(Denied::identity(&client, "no login of this client is for such an identity".to_owned())));
    }
    Ok(Ok(Named { client, logins }))
}

/// The first login that takes the proof; else why the last did not.
async fn judge(
    services: &Services,
    claim: &Claim,
    named: &Named,
    address: IpAddr,
) -> Result<(ClientLoginId, Known), Denied> {
    let mut why = String::new();
    for (login, identity) in &named.logins {
        let actor = caller::actor(&named.client, address);
        let judge = Judge { login: login.id, identity, credential: login.credential_id, actor };
        match judge.judge(services, &claim.proof).await {
            Ok(known) => return Ok((login.id, known)),
            Err(refused) => why = refused.sentence(),
        }
    }
    Err(Denied::identity(&named.client, why))
}

/// The rows may have changed while others were asked, so they are looked at again.
async fn begin(
    services: &Services,
    id: ClientLoginId,
    known: Known,
    address: IpAddr,
) -> Result<Result<LoggedIn, Denied>, DbError> {
    let vault = services.vault.clone();
    let begin = move |conn: &mut Conn| {
        let Some(found) = client_logins::find(conn, &vault, id)? else { return Ok(Err(Denied::malformed())) };
        match caller::judge(conn, found, address, None)? {
            Ok(caller) => once(conn, &vault, &caller, &known),
            Err(denied) => Ok(Err(denied)),
        }
    };
    services.db.transaction(begin).await
}

fn once(conn: &mut Conn, vault: &Vault, caller: &Caller, known: &Known) -> Result<Result<LoggedIn, Denied>, DbError> {
    if let Some((key, until)) = &known.once
        && !spent_tokens::spend(conn, key, *until)?
    {
        return Ok(Err(Denied::identity(&caller.client, "the proof was used before".to_owned())));
    }
    let detail = format!("{}, as {}", caller.login.title(), known.who);
    login::begin(conn, vault, caller, detail).map(Ok)
}
