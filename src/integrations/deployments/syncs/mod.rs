//! Secret syncs: Kubernetes Secrets that are kept equal to stored credentials and to entries of secret stores. A sync signs
//! in as a deployment does, and uses its way of judging, applying and removing objects. The items are in the settings.

mod access;
mod apply;
mod data;
mod facts;
mod fields;
mod item;
mod observe;
mod plan;
mod preview;
mod remove;
mod restart;
mod specs;
mod survey;

pub use access::manifest;
pub use apply::apply;
pub use facts::INVENTORY;
pub use fields::{FIELDS, MOST_ITEMS, MOST_SECRETS};
pub(in crate::integrations) use item::end;
pub use item::{Entries, ITEMS, Item, NOWHERE, ROLE, StoreEntry, entries_are_confirmed, forget_ends, items, set_items};
pub use observe::observe;
pub use plan::may_make;
pub use preview::preview;
pub use remove::remove;
pub use specs::{VERSIONS, subject};
