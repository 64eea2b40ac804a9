//! *Clients*: programs that fetch credentials. The table (`index`, `query`, `row`, `export`), the page of one (`show`), its
//! form (`form`, `delete`), its logins (`logins`, `secret`), its rules (`rules`), and the end of either (`ending`). What is
//! done and asked is in `usecases::clients`.

mod choices;
pub mod delete;
pub mod ending;
pub mod export;
pub mod form;
pub mod index;
mod lines;
pub mod logins;
mod query;
mod row;
pub mod rules;
mod secret;
pub mod show;

use crate::models::ClientId;

/// Of the sidebar.
const SECTION: &str = "clients";

/// The page of a client.
fn page_of(id: ClientId) -> String {
    format!("/clients/{id}")
}
