//! The integrations' screens: table, form, page with progress and inventory, activation, deletion. What is done there is
//! in `usecases::integrations`, what a scan does in `integrations`, when it does it in `runs`. A new screen is a file
//! here, a template, and a line in the URL tree.

pub mod activation;
pub mod bulk;
pub mod channel;
mod clusters;
pub mod delete;
pub mod deployment;
pub mod detour;
pub mod edit;
pub mod export;
mod exports;
mod facts;
mod form;
pub mod gaps;
pub mod hook;
pub mod index;
pub mod inventory;
pub mod item;
pub mod new;
pub(super) mod query;
mod row;
pub mod runs;
pub mod show;
pub mod shown;
pub mod store_import;
pub mod sync;
pub mod table_export;
pub mod trial;
