//! What a principal can do, without pages and without JSON: permission, validation, confirmation, transaction and audit
//! of an action are in one function, so that pages and an API do the same. One noun a file or a folder. How an answer
//! looks is decided by `web`; what is stored, by `models`.

pub mod account;
pub mod alerts;
pub mod bulk;
pub mod clients;
pub mod cloud_keys;
mod confirmation;
pub mod credentials;
mod database;
pub mod deliveries;
pub mod first_steps;
pub mod hooks;
pub mod integrations;
pub mod labels;
mod numbers;
pub mod password_links;
mod principal;
pub mod recipients;
mod refusal;
pub mod rollouts;
pub mod sample;
pub mod stores;
pub mod two_step;
pub mod user_mail;
pub mod users;
pub mod views;

pub use confirmation::{Confirmation, confirm};
use database::{read, write};
pub use integrations::Answer;
pub use principal::Principal;
pub use refusal::{Question, Refusal, Unconfirmed};
