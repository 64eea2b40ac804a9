//! What refers to a secret store: rules of clients and items of syncs that pass on one of its entries. A store that
//! something refers to is not deleted.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::client_usages::{self, Giving};
use super::schema::{client_rules, sync_entries};
use super::sync_entries::{self as of_syncs, PassedOn};
use super::{Conn, DbError, IntegrationId};
use crate::form::Values;

/// Stands for the foreign keys of what refers to a store.
pub const IN_USE: &str = "store_in_use";

/// A rule or an item that passes on an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Using {
    /// As the store's page lists it.
    pub entry: String,
    /// What passes it on, as people name it: `rule db of billing`.
    pub title: String,
    /// Its page.
    pub href: String,
}

/// Most that is listed of either.
const MOST: i64 = 1_000;

/// Everything that refers to a store, by entry.
pub fn using(conn: &mut Conn, store: IntegrationId) -> Result<Vec<Using>, DbError> {
    let of_sync = |one: PassedOn| Using {
        entry: one.entry,
        title: format!("Secret Sync {}", one.name),
        href: format!("/integrations/{}", one.sync),
    };
    let rules = client_usages::giving_from(conn, store, MOST)?.into_iter().map(of_rule);
    let syncs = of_syncs::of_store(conn, store)?.into_iter().map(of_sync);
    let mut found: Vec<Using> = rules.chain(syncs).collect();
    found.sort_by(|a, b| (&a.entry, &a.title).cmp(&(&b.entry, &b.title)));
    Ok(found)
}

/// Whether something refers to one of these integrations as to a store.
pub fn is_any_used(conn: &mut Conn, ids: &[IntegrationId]) -> Result<bool, DbError> {
    let rules = client_rules::table.filter(client_rules::store_id.eq_any(ids));
    let items = sync_entries::table.filter(sync_entries::store_id.eq_any(ids));
    Ok(diesel::select(exists(rules)).get_result(conn)? || diesel::select(exists(items)).get_result(conn)?)
}

fn of_rule(giving: Giving) -> Using {
    let settings = Values::from_json(giving.settings.as_bytes()).unwrap_or_default();
    Using {
        entry: settings.get("entry").to_owned(),
        title: format!("rule {} of {}", giving.rule_name, giving.client_name),
        href: format!("/clients/{}", giving.client),
    }
}
