//! A sync with its items, as it is saved.

use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::deployments::syncs::{self, Item};
use crate::models::DbError;
use crate::models::integrations::Integration;
use crate::usecases::Refusal;

const NO_SYNC: Refusal = Refusal::Unacceptable("Only a Secret Sync has Secrets.");

/// The values of the field that says where a value comes from.
pub(super) const STORED: &str = "credential";
pub(super) const ENTRY: &str = "entry";
/// The field of the credential. The form of an integration has one of the name `credential`, with a way to add one.
pub const SOURCE_CREDENTIAL: &str = "source_credential";

/// A sync with its items, to be shown.
pub struct Kept {
    pub row: Integration,
    pub items: Vec<Item>,
}

impl Kept {
    pub(super) fn of(row: Integration) -> Result<Self, Refusal> {
        let is_sync = Spec::find(&row.version).is_some_and(Spec::is_sync);
        let settings = Values::from_json(row.settings.as_bytes()).filter(|_| is_sync).ok_or(NO_SYNC)?;
        Ok(Self { items: syncs::items(&settings), row })
    }

    /// The form's values of an item.
    pub fn stored(&self, item: &Item) -> Values {
        let mut values = item.to_form();
        let credential = self.row.credential_as(&item.role());
        values.set(SOURCE_CREDENTIAL, credential.map(|id| id.to_string()).unwrap_or_default());
        values.set("source", if item.entry.is_some() { ENTRY } else { STORED });
        if let Some(of) = &item.entry {
            values.set("store", of.store.to_string());
            values.set("entry", &of.entry);
        }
        values
    }

    pub fn item(&self, id: &str) -> Result<&Item, Refusal> {
        self.items.iter().find(|item| item.id == id).ok_or(Refusal::Db(DbError::NotFound))
    }
}
