//! The integrations' screens: table, form, page with progress and inventory, activation, deletion. What a scan does is in
//! `integrations`, when it does it in `runs`. A new screen is a file here, a template, and a line in the URL tree.

pub mod activation;
pub mod channel;
pub mod delete;
pub mod destination;
pub mod draft;
pub mod edit;
pub mod export;
pub mod gaps;
pub mod index;
pub mod inventory;
pub mod new;
pub mod runs;
pub mod show;
pub mod shown;
pub mod trial;
