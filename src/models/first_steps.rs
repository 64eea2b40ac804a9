//! The first hour of a console: which of the first steps are done. What can be known is looked up; the rest is what a
//! person has ticked.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::first_steps;
use super::{Conn, DbError};
use crate::vault::Vault;

/// What a person ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// The key ring is backed up.
    KeyRing,
    /// The list is not shown any more.
    Hidden,
}

impl Tick {
    pub fn find(word: &str) -> Option<Self> {
        [Self::KeyRing, Self::Hidden].into_iter().find(|tick| tick.word() == word)
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::KeyRing => "key_ring",
            Self::Hidden => "hidden",
        }
    }
}

/// What is done of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Known {
    #[diesel(sql_type = Bool)]
    pub integration: bool,
    #[diesel(sql_type = Bool)]
    pub key_ring: bool,
    /// There is a second administrator, or one with two-step verification.
    #[diesel(sql_type = Bool)]
    pub second: bool,
}

pub fn is_hidden(conn: &mut Conn) -> Result<bool, DbError> {
    let hidden = first_steps::table.find(Tick::Hidden.word());
    Ok(diesel::select(diesel::dsl::exists(hidden)).get_result(conn)?)
}

/// `channels` is the family of integrations that only tell of alerts, `administrator` the slug of their role.
pub fn known(conn: &mut Conn, channels: &str, administrator: &str) -> Result<Known, DbError> {
    Ok(diesel::sql_query(
        "SELECT EXISTS (SELECT FROM integrations WHERE family <> $1
                AND id NOT IN (SELECT subject_id FROM sample_rows)) AS integration,
            EXISTS (SELECT FROM first_steps WHERE step = $2) AS key_ring,
            (SELECT count(*) > 1 OR coalesce(bool_or(totp_confirmed), false) FROM users
                WHERE role = $3 AND NOT disabled) AS second",
    )
    .bind::<diesel::sql_types::Text, _>(channels)
    .bind::<diesel::sql_types::Text, _>(Tick::KeyRing.word())
    .bind::<diesel::sql_types::Text, _>(administrator)
    .get_result(conn)?)
}

/// Ticks a step, once. Call inside a transaction.
pub fn tick(conn: &mut Conn, vault: &Vault, actor: &Actor, tick: Tick) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let row = (first_steps::step.eq(tick.word()), first_steps::done_by.eq(&actor.name));
    if diesel::insert_into(first_steps::table).values(row).on_conflict_do_nothing().execute(conn)? == 0 {
        return Ok(());
    }
    let (action, subject_name) = match tick {
        Tick::KeyRing => (Action::FirstStepTicked, "key ring backed up"),
        Tick::Hidden => (Action::FirstStepsHidden, "first steps"),
    };
    let detail = String::new();
    ledger.record(
        conn,
        vault,
        actor,
        &NewEvent { action, subject_kind: "settings", subject_id: None, subject_name, detail },
    )
}
