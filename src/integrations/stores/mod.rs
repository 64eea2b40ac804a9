//! Secret stores: someone else's store, of which the names of the entries are listed and the values of single ones are
//! read to be passed on. One provider a file and a line in [`VERSIONS`]. A value is in memory only: a provider keeps,
//! logs and reports none.

use super::spec::Spec;

mod aws;
mod cyberark;
mod entry;
mod google;
mod key_vault;
mod names;
mod store;
mod vault;

pub use entry::INVENTORY;
pub use names::{entry_name, is_entry};
pub use store::{Entry, Store};

/// Every provider, in the order of the form's list.
pub static VERSIONS: &[&Spec] =
    &[&vault::VAULT, &aws::SECRETS, &aws::PARAMETERS, &key_vault::KEY_VAULT, &google::GOOGLE, &cyberark::CYBERARK];
