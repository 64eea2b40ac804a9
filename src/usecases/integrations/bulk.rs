//! What is done to many integrations at once.

use std::time::Instant;

use super::{scan, switch};
use crate::accounts::Role;
use crate::connection_test::{self, Draft, Outcome as Tested};
use crate::form::Values;
use crate::integrations::{Family, Spec};
use crate::models::integration_list::{self, Line};
use crate::models::integrations;
use crate::models::labels::Change;
use crate::models::{Conn, DbError, IntegrationId, relabel};
use crate::services::Services;
use crate::usecases::bulk::{Outcome, owner, reason, tag};
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

/// What is done to each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Labels(Change),
    Scan,
    On,
    Off,
}

impl Act {
    /// Puts a tag on, or takes it off.
    pub fn tag(text: &str, adds: bool) -> Result<Self, Refusal> {
        tag(text, adds).map(Self::Labels)
    }

    /// Sets the owner; nothing takes it off.
    pub fn owner(text: &str) -> Result<Self, Refusal> {
        owner(text).map(Self::Labels)
    }
}

fn is_channel(family: &str) -> bool {
    family == Family::AlertProfile.slug()
}

/// The integrations of these ids that there are, by name.
pub async fn chosen(services: &Services, ids: Vec<IntegrationId>) -> Result<Vec<Line>, DbError> {
    read(services, move |conn: &mut Conn, _| integration_list::of(conn, ids)).await
}

/// Does it to each. A channel that is off tells nobody anything, so that asks for the password.
pub async fn act(
    services: &Services,
    principal: &Principal,
    rows: &[Line],
    act: &Act,
    confirmation: &Confirmation<'_>,
) -> Result<Vec<Outcome>, Refusal> {
    principal.require(Role::Operator)?;
    if *act == Act::Off && rows.iter().any(|row| is_channel(&row.family)) {
        confirm(services, principal.visitor(), confirmation).await?;
    }
    let mut outcomes = Vec::new();
    for row in rows {
        let done = one(services, principal, row, act).await.map_err(reason);
        outcomes.push(Outcome { id: row.id.0, name: row.name.clone(), done });
    }
    Ok(outcomes)
}

async fn one(services: &Services, principal: &Principal, row: &Line, act: &Act) -> Result<bool, Refusal> {
    let id = row.id;
    match act {
        Act::Labels(change) => {
            let change = change.clone();
            let relabel = move |conn: &mut Conn, vault: &Vault, actor: &_| {
                relabel::integration(conn, vault, actor, (id, None), &change)
            };
            Ok(write(services, principal, relabel).await?)
        }
        Act::Scan if is_channel(&row.family) => Err(Refusal::Conflict("A channel has nothing to scan.")),
        Act::Scan => scan(services, principal, id).await,
        Act::On | Act::Off => {
            let active = *act == Act::On;
            match row.active == active {
                true => Ok(false),
                false => switch(services, principal, id, active).await.map(|()| true),
            }
        }
    }
}

/// Counts one run of many tests of saved integrations: each goes only where its own signed row says.
pub fn begin_tests(services: &Services, principal: &Principal) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    Ok(services.checkups.take(principal.visitor().user_id, Instant::now())?)
}

/// Tests the connection of one as it is saved: what was found, or why it does not work; else why it was not tested.
pub async fn test_one(
    services: &Services,
    principal: &Principal,
    id: IntegrationId,
) -> Result<Result<String, String>, String> {
    principal.require(Role::Operator).map_err(reason)?;
    let test = async {
        let row = read(services, move |conn, vault| integrations::find(conn, vault, id)).await?.trust()?;
        let settings = Values::from_json(row.settings.as_bytes());
        let (Some(spec), Some(settings)) = (Spec::find(&row.version), settings) else {
            return Err(DbError::LaterRelease.into());
        };
        let (name, host) = (&*row.name, &*row.host);
        let draft = Draft { spec, settings: &settings, credential: row.credential_id, name, host };
        match connection_test::run(services, principal.actor(), &draft).await? {
            Tested::Good(found) => Ok(Ok(found)),
            Tested::Failed(why) => Ok(Err(why)),
            Tested::NoSuchCall => Err(Refusal::Conflict("It has no call that only tests the connection.")),
        }
    };
    test.await.map_err(reason)
}
