//! Passwords without a login: a link from a mail opens a page that asks for one (`choose`), and whoever forgot theirs asks
//! for such a link (`forgot`). A link is used up by the form and not by opening it, since programs that look through
//! mail open links.

pub mod choose;
pub mod forgot;

/// The page that links from mails lead to. What it is asked with opens an account.
pub const PATH: &str = "/password";
