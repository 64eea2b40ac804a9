//! Requests over the network: names are resolved here, since a static program has no resolver of the system; one
//! connection a request, no redirects, and limits on time and size.

mod dns;
mod hosts_file;
mod http;
mod tls;

pub use http::{Answer, Ask, Body, Failed, Place, send, text};
pub use tls::Trust;
