//! Programs that fetch credentials: clients are made, changed, disabled and deleted here. Their logins are in `logins`,
//! what they may fetch in `rules`.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::accounts::Role;
use crate::form::{self, Control, Errors, Field, Values};
use crate::models::clients::{self, Client, NewClient};
use crate::models::{ClientId, Conn, DbError};
use crate::names;
use crate::pasted::Wanted;
use crate::services::Services;
use crate::vault::Vault;

pub mod by_identity;
pub mod caller;
pub mod changes;
pub mod entered;
pub mod fetch;
mod guard;
pub mod identity;
pub mod login;
pub mod logins;
mod material;
pub mod rules;

pub(super) use guard::{check_vouching, held_vouching, vouches};
use guard::{may_open, open_further};

/// Most address ranges of one client.
const MOST_NETWORKS: usize = 100;

/// What a form says of a client.
pub const FIELDS: [Field; 5] = [
    Field::text("name", "Name")
        .wants(Wanted::Name)
        .max(200)
        .check(|text| names::label(text, 200))
        .placeholder("billing-api"),
    Field::text("description", "Description").optional().max(500).placeholder("Runs in the production cluster"),
    Field { control: Control::Document, ..Field::text("networks", "Allowed addresses") }
        .optional()
        .max(8_192)
        .placeholder("10.20.0.0/16")
        .check(networks)
        .help("One address or range (CIDR) a line. Leave blank for any address."),
    Field::number("token_minutes", "Session token in minutes", 5, 60)
        .default("15")
        .advanced()
        .help("How long the token lasts that a login with an ID and secret, or with an identity, returns."),
    Field::checkbox("bound_to_address", "Bind session tokens to the address that logged in").advanced(),
];

fn networks(text: &str) -> Result<String, String> {
    let parts = text.split(['\n', ',', ' ']).map(str::trim).filter(|part| !part.is_empty());
    let network = |part: &str| {
        let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
        let network = network.map_err(|_| format!("{part} is not an address or a range such as 10.20.0.0/16."))?;
        match network.prefix_len() {
            0 => Err("That is every address: leave the field blank instead.".to_owned()),
            _ => Ok(network.trunc().to_string()),
        }
    };
    let found: Vec<String> = parts.map(network).collect::<Result<_, _>>()?;
    match found.len() > MOST_NETWORKS {
        true => Err(format!("At most {MOST_NETWORKS} ranges fit here.")),
        false => Ok(found.join("\n")),
    }
}

/// A client as somebody entered it, after all checks that need no database.
#[derive(Clone)]
struct Checked {
    name: String,
    description: String,
    networks: Vec<String>,
    token_minutes: i32,
    bound_to_address: bool,
}

impl Checked {
    fn new(posted: &Values) -> Result<Self, Refusal> {
        let values = form::check(&FIELDS, posted, None).map_err(Refusal::Invalid)?;
        Ok(Self {
            name: values.get("name").to_owned(),
            description: values.get("description").to_owned(),
            networks: values.get("networks").lines().map(str::to_owned).collect(),
            token_minutes: values.get("token_minutes").parse().unwrap_or(15),
            bound_to_address: values.get("bound_to_address") == "on",
        })
    }

    fn row(&self) -> NewClient<'_> {
        NewClient {
            name: &self.name,
            description: &self.description,
            networks: self.networks.clone(),
            token_minutes: self.token_minutes,
            bound_to_address: self.bound_to_address,
        }
    }
}

/// The form's values of a saved client.
pub fn stored(row: &Client) -> Values {
    let minutes = row.token_minutes.to_string();
    let networks = row.networks.join("\n");
    let bound = if row.bound_to_address { "on" } else { "" };
    Values::from_iter([
        ("name", row.name.as_str()),
        ("description", &row.description),
        ("networks", &networks),
        ("token_minutes", &minutes),
        ("bound_to_address", bound),
    ])
}

fn refused(error: DbError) -> Refusal {
    match error {
        DbError::Duplicate(_) => Refusal::Invalid(Errors::one("name", "Another client has this name.")),
        DbError::Stale => Refusal::Overtaken,
        error => error.into(),
    }
}

/// Adds a client, which can do nothing yet.
pub async fn create(services: &Services, principal: &Principal, posted: &Values) -> Result<ClientId, Refusal> {
    principal.require(Role::Operator)?;
    let checked = Checked::new(posted)?;
    let add = move |conn: &mut Conn, vault: &Vault, actor: &_| clients::create(conn, vault, actor, &checked.row());
    write(services, principal, add).await.map_err(refused)
}

/// Saves what was entered over the version that the principal has seen. It may let the client in from elsewhere, so it
/// asks for the password.
pub async fn update(
    services: &Services,
    principal: &Principal,
    at: (ClientId, i64),
    posted: &Values,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let checked = Checked::new(posted)?;
    may_open(services, principal, at.0).await?;
    confirm(services, principal.visitor(), confirmation).await?;
    let save = move |conn: &mut Conn, vault: &Vault, actor: &_| clients::update(conn, vault, actor, at, &checked.row());
    open_further(services, principal, at.0, save).await.map_err(refused)?
}

/// Disables a client at once, or enables it again, which asks for the password.
pub async fn set_active(services: &Services, principal: &Principal, id: ClientId, active: bool) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let set = move |conn: &mut Conn, vault: &Vault, actor: &_| clients::set_active(conn, vault, actor, id, active);
    if active {
        may_open(services, principal, id).await?;
        principal.require_fresh()?;
        open_further(services, principal, id, set).await??;
    } else {
        write(services, principal, set).await?;
    }
    services.wake.alerts.notify_one();
    Ok(())
}

/// Refuses who may not delete the client. Another one of its name is let in where programs log in by the name, so one
/// that fetches a stored value is deleted by administrators alone.
pub async fn may_delete(services: &Services, principal: &Principal, id: ClientId) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    may_open(services, principal, id).await
}

/// Deletes a client with its logins and rules; `name` is what was typed to confirm, `seen` the version that was looked at.
pub async fn delete(
    services: &Services,
    principal: &Principal,
    (id, seen): (ClientId, Option<i64>),
    name: &str,
) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    may_open(services, principal, id).await?;
    let row = read(services, move |conn, vault| clients::find(conn, vault, id)).await?.into_shown();
    if names::label(name, 200).as_deref() != Ok(&*row.name) {
        return Err(Refusal::Unacceptable("The name doesn't match. Nothing was deleted."));
    }
    let delete = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let row = clients::find(conn, vault, id)?.into_shown();
        if seen.is_some_and(|seen| seen != row.row_version) {
            return Err(DbError::Stale);
        }
        clients::delete(conn, vault, actor, id)
    };
    open_further(services, principal, id, delete).await.map_err(refused)??;
    services.wake.alerts.notify_one();
    Ok(())
}
