//! A user's own API tokens: added and revoked. The secret is known now and never again.

use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

use crate::accounts::{Role, api_tokens as written, tokens};
use crate::form::{self, Errors, Field, Values};
use crate::models::api_tokens::{self, NewApiToken, Scope};
use crate::models::{self, ApiTokenId, Conn, DbError, users};
use crate::names;
use crate::pasted::Wanted;
use crate::services::Services;
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, write};
use crate::vault::Vault;

/// Most tokens of one user.
const MOST: usize = 50;

const NAME: Field = Field::text("name", "Name")
    .wants(Wanted::Name)
    .max(60)
    .placeholder("terraform")
    .help("The program that uses it. The audit trail shows this name.")
    .check(|value| names::label(value, 60));
const SCOPE: Field = Field::choice(
    "scope",
    "Scope",
    &[
        ("read", "Read"),
        ("write", "Read and write"),
        ("destinations", "Read, write and new destinations"),
    ],
)
.help(
    "New destinations: the program can send any stored secret to any host. Without it, secrets go only where they are sent \
     already. Your role limits each scope further.",
);
const ONLY_READ: Field = Field::choice("scope", "Scope", &[("read", "Read")]).help("Your role allows reading only.");
const EXPIRES: Field = Field::choice(
    "expires",
    "Expires",
    &[("7", "In 7 days"), ("30", "In 30 days"), ("90", "In 90 days"), ("180", "In 180 days"), ("365", "In 365 days")],
)
.default("90");

/// The form, for a user of that role.
pub fn fields(role: Role) -> [Field; 3] {
    [NAME, if role >= Role::Operator { SCOPE } else { ONLY_READ }, EXPIRES]
}

/// A token that was made.
pub struct Made {
    /// Shown once.
    pub token: Zeroizing<String>,
    pub name: String,
    pub scope: Scope,
    pub expires_at: DateTime<Utc>,
}

/// Adds a token to the principal. It asks for the password; a token that may send secrets elsewhere asks for it even if it
/// was given a moment ago.
pub async fn create(
    services: &Services,
    principal: &Principal,
    posted: &Values,
    confirmation: &Confirmation<'_>,
) -> Result<Made, Refusal> {
    principal.require(Role::Auditor)?;
    let visitor = principal.visitor();
    let values = form::check(&fields(visitor.role), posted, None).map_err(Refusal::Invalid)?;
    let scope = Scope::find(values.get(SCOPE.name)).unwrap_or(Scope::Read);
    match scope {
        Scope::Destinations => check_password(services, visitor, confirmation).await?,
        Scope::Read | Scope::Write => confirm(services, visitor, confirmation).await?,
    }
    let (secret, name) = (Zeroizing::new(tokens::new_token()), values.get("name").to_owned());
    let (id, hash, named) = (visitor.user_id, tokens::hash(&secret), name.clone());
    let days = values.get("expires").parse().unwrap_or(90);
    let add = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let user = users::find(conn, vault, id)?.trust()?;
        if api_tokens::of(conn, vault, id)?.len() >= MOST {
            return Ok(None);
        }
        let expires_at = models::clock(conn)? + TimeDelta::days(days);
        let new = NewApiToken { name: &named, scope, secret_hash: hash.clone(), expires_at };
        Ok(Some((api_tokens::make(conn, vault, actor, &user, &new)?, expires_at)))
    };
    let added = write(services, principal, add).await.map_err(|error| match error {
        DbError::Duplicate(_) => {
            Refusal::Invalid(Errors::one("name", "You have a token with this name. Choose another."))
        }
        error => error.into(),
    })?;
    let full = Refusal::Conflict("You have 50 API tokens. Revoke one first.");
    let (id, expires_at) = added.ok_or(full)?;
    Ok(Made { token: written::written(id, &secret), name, scope, expires_at })
}

/// Revokes a token of the principal, with the sessions that it began. It needs no password: it only takes away.
pub async fn end(services: &Services, principal: &Principal, token: ApiTokenId) -> Result<(), Refusal> {
    principal.require(Role::Auditor)?;
    let id = principal.visitor().user_id;
    let end = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let user = users::find(conn, vault, id)?.into_shown();
        api_tokens::end(conn, vault, actor, &user, token)
    };
    Ok(write(services, principal, end).await?)
}
