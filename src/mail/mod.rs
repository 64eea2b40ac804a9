//! What mails say, in both of their forms: as text and as a page. A mail is a template struct in a file here and two
//! templates in `templates/mail`. Who gets it is decided by jobs and pages; the headers and the sending are in
//! `integrations/alerts/email`.

mod account;
mod confirmation;
mod digest;
mod words;

pub use account::{Account, account};
pub use confirmation::{Confirmation, confirmation};
pub use digest::digest;
