//! Who opens a client further. A client that fetches a stored value is the business of administrators: whoever gives it a
//! login, lets it in from elsewhere, or says whom its cluster vouches for, gets that value too. It is asked before anybody
//! is asked for a password, and once more in the transaction that writes.

use crate::accounts::Role;
use crate::form::Errors;
use crate::integrations::issue::Form;
use crate::models::events::{self, Actor};
use crate::models::{ClientId, Conn, CredentialId, DbError, client_logins, client_rules, clients, credentials, users};
use crate::services::Services;
use crate::usecases::{Principal, Refusal, read, write};
use crate::vault::Vault;

const VOUCHES: Refusal = Refusal::Conflict(
    "A client that fetches values logs in by this credential, so only an administrator can change it.",
);

/// Refuses operators a client that fetches values, which stay valid.
pub(super) async fn may_open(services: &Services, principal: &Principal, id: ClientId) -> Result<(), Refusal> {
    let releases = read(services, move |conn, _| client_rules::give_lasting(conn, id)).await?;
    if releases { principal.require(Role::Administrator) } else { Ok(()) }
}

/// One transaction that opens a client further. Who may is asked while the client is held, so that no rule is added
/// meanwhile.
pub(super) async fn open_further<T: Send + 'static>(
    services: &Services,
    principal: &Principal,
    id: ClientId,
    work: impl Fn(&mut Conn, &Vault, &Actor) -> Result<T, DbError> + Send + 'static,
) -> Result<Result<T, Refusal>, DbError> {
    let asked = principal.clone();
    let guarded = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        hold(conn, vault, id)?;
        if client_rules::give_lasting(conn, id)?
            && let Err(refusal) = asked.require(Role::Administrator)
        {
            return Ok(Err(refusal));
        }
        work(conn, vault, actor).map(Ok)
    };
    write(services, principal, guarded).await
}

/// Keeps the client as it is until the transaction ends. The ledger comes first, as in every change.
pub(super) fn hold(conn: &mut Conn, vault: &Vault, id: ClientId) -> Result<(), DbError> {
    events::open(conn)?;
    clients::lock(conn, vault, id).map(drop)
}

/// Whether a login that is verified with this credential fetches a stored value.
pub(in crate::usecases) async fn vouches(services: &Services, credential: CredentialId) -> Result<bool, DbError> {
    read(services, move |conn, _| client_rules::vouches_for_lasting(conn, credential)).await
}

/// Refuses operators another value of a credential that [`vouches`].
pub(in crate::usecases) fn check_vouching(principal: &Principal) -> Result<(), Refusal> {
    principal.require(Role::Administrator).map_err(|_| VOUCHES)
}

/// The same inside the transaction that saves the value: the clients are held, so that none gets such a rule meanwhile.
pub(in crate::usecases) fn held_vouching(
    conn: &mut Conn,
    principal: &Principal,
    credential: CredentialId,
) -> Result<Result<(), Refusal>, DbError> {
    events::open(conn)?;
    client_rules::hold_verified(conn, credential)?;
    let vouches = client_rules::vouches_for_lasting(conn, credential)?;
    Ok(if vouches { check_vouching(principal) } else { Ok(()) })
}

/// Why a client gets no first rule for a value: a login that no administrator made would get the value too.
pub(super) fn first_value(
    conn: &mut Conn,
    vault: &Vault,
    client: ClientId,
    form: &Form,
) -> Result<Option<Refusal>, DbError> {
    if !form.is_value() || client_rules::give_lasting(conn, client)? {
        return Ok(None);
    }
    let others = logins_of_others(conn, vault, client)?;
    if others.is_empty() {
        return Ok(None);
    }
    let sentence = format!(
        "Would get the value too, though no administrator has set it up: {}. As an administrator, end each of these \
         logins, or rotate it and end the current one at once; a kubeconfig is saved anew.",
        others.join("; ")
    );
    Ok(Some(Refusal::Invalid(Errors::one("form", sentence))))
}

/// The logins that somebody made who is no administrator now, or whose kubeconfig such a person saved last.
fn logins_of_others(conn: &mut Conn, vault: &Vault, client: ClientId) -> Result<Vec<String>, DbError> {
    let administrators = users::administrators(conn, vault)?;
    let is_one = |name: &str| administrators.iter().any(|user| user.name == name);
    let mut found = Vec::new();
    for login in client_logins::of(conn, vault, client)? {
        let login = login.into_shown();
        if !is_one(&login.made_by) {
            found.push(format!("{}, added by {}", login.title(), login.made_by));
            continue;
        }
        let Some(id) = login.credential_id else { continue };
        let kubeconfig = credentials::find(conn, vault, id)?.into_shown();
        if !is_one(&kubeconfig.edited_by) {
            let (title, name, by) = (login.title(), &kubeconfig.name, &kubeconfig.edited_by);
            found.push(format!("{title}, by the kubeconfig “{name}” that {by} saved last"));
        }
    }
    Ok(found)
}
