//! Alert channels: tell people, or a service of theirs, what needs attention. One channel a file, and a line in
//! [`CHANNELS`]; what raises an alert and who gets which message is decided elsewhere. A channel makes one call from a
//! finished [`Message`] and says how it went; the wire structs of a vendor are private at the bottom of its file.

use super::spec::Spec;

mod call;
pub mod channel;
pub mod email;
mod fields;
mod go_ahead;
pub mod ibm;
pub mod jira;
pub mod message;
mod outcome;
pub mod pagerduty;
mod peer;
pub mod pubsub;
pub mod security_hub;
pub mod servicenow;
pub mod slack;
pub mod splunk;
pub mod teams;
mod test_message;
pub mod text;
pub mod webhook;
mod wire;

pub use crate::providers::{Failure, Retry};
#[doc(hidden)]
pub use call::pause;
pub use channel::{CALL, Channel, Dispatch};
pub use fields::TRIGGER_FIELDS;
pub use go_ahead::{Giver, GoAhead, go_ahead};
pub use message::{Event, Line, Message, Severity, Trigger, Usage};
pub use outcome::Receipt;
pub use test_message::test_message;

/// Every channel, in the order of the form's list.
pub static CHANNELS: &[&Spec] = &[
    &email::EMAIL,
    &slack::SLACK,
    &teams::TEAMS,
    &servicenow::SERVICENOW,
    &jira::JIRA,
    &pagerduty::PAGERDUTY,
    &webhook::WEBHOOK,
    &splunk::SPLUNK,
    &security_hub::SECURITY_HUB,
    &pubsub::PUBSUB,
    &ibm::IBM,
];

/// The channel of that slug; `None` for one that this release does not know.
pub fn channel(slug: &str) -> Option<&'static Channel> {
    Spec::find(slug)?.channel()
}
