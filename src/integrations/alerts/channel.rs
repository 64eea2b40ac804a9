//! What a channel is: how many lines and whom one call takes, how long it may last, and the call itself.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::email::letter::Letter;
use super::go_ahead::GoAhead;
use super::message::Message;
use super::outcome::Receipt;
use super::peer::Peer;
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
    /// Whom it calls, for what that service refuses; `None` where it is not called by HTTP.
    pub(super) peer: Option<&'static Peer>,
}

impl Channel {
    /// A service that gets each message in one call and passes it on by itself.
    pub(super) const fn service(
        lines_at_once: usize,
        peer: &'static Peer,
        send: for<'a> fn(&'a Context<'a>, Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>>,
    ) -> Self {
        Self { lines_at_once, has_recipients: false, patience: CALL, send, peer: Some(peer) }
    }

    /// The sentences that a user may see when the service refuses a message; the help lists them.
    pub fn known_refusals(&self) -> Vec<&'static str> {
        self.peer.map(Peer::refusals).into_iter().flatten().collect()
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
