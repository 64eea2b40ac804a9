//! The sentences shown to a user when a channel's service refuses a message, as data that sending and help share.

/// A service, and what to do about its refusals. Each is a whole sentence or two: what happened, what to do.
pub(super) struct Peer {
    /// As it stands within a sentence: `the webhook's receiver`.
    pub who: &'static str,
    pub bad_request: &'static str,
    pub unauthorized: &'static str,
    pub forbidden: &'static str,
    pub not_found: &'static str,
}

impl Peer {
    /// All that it is known to refuse.
    pub fn refusals(&self) -> [&'static str; 4] {
        [self.bad_request, self.unauthorized, self.forbidden, self.not_found]
    }
}
