//! What a channel is: how many lines and whom one call takes, how long it may last, and the call itself.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::email::letter::Letter;
use super::go_ahead::GoAhead;
use super::message::Message;
use super::outcome::Receipt;
use crate::integrations::context::Context;
use crate::providers::Failure;

/// Longest that one call takes while somebody waits at a page, and usually.
pub const CALL: Duration = Duration::from_secs(40);

/// One way to reach people: `E-mail`, `Slack` …
pub struct Channel {
    /// Most lines that one call carries. What is more goes into further calls, so 1 means a call for each alert.
    pub lines_at_once: usize,
    /// Whether a message goes to people one by one: then each call carries [`Dispatch::letter`] for one of them.
    pub has_recipients: bool,
    /// Longest that one call may take in the background, whatever the channel waits for by itself.
    pub patience: Duration,
    /// Makes one call. Returning is proof: `Ok` only when the peer said that it has the whole message.
    pub send: for<'a> fn(&'a Context<'a>, Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>>,
}

impl Channel {
    /// A service that gets each message in one call and passes it on by itself.
    pub const fn service(
        lines_at_once: usize,
        send: for<'a> fn(&'a Context<'a>, Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>>,
    ) -> Self {
        Self { lines_at_once, has_recipients: false, patience: CALL, send }
    }
}

/// One message on its way through a channel.
#[derive(Clone, Copy)]
pub struct Dispatch<'a> {
    pub message: &'a Message,
    /// The message as one recipient gets it, for a channel that has recipients.
    pub letter: Option<&'a Letter>,
    /// A channel that has recipients waits for it before the step that cannot be taken back; the others get none, since
    /// they are not called before.
    pub go_ahead: Option<&'a GoAhead>,
    /// An earlier attempt ended without an answer, so the peer may have the message already: look before creating.
    pub repeated: bool,
}
