//! How long a mail server is waited for, step by step: the times that RFC 5321 gives in section 4.5.3.2. Whoever gives
//! up sooner sends the same letter again while the server still works on it (RFC 1047).

use std::time::Duration;

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// Longest waits for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the handshake of TLS.
    pub handshake: Duration,
    /// For the server's greeting, and to each command that has no time of its own.
    pub command: Duration,
    /// To DATA.
    pub data: Duration,
    /// Until the letter has gone out.
    pub block: Duration,
    /// After the dot that ends the letter.
    pub dot: Duration,
    /// For a whole visit that hands over nothing, while somebody waits at a page.
    pub visit: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(30),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
            visit: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The same limit for everything, for tests.
    pub fn all(limit: Duration) -> Self {
        Self { handshake: limit, command: limit, data: limit, block: limit, dot: limit, visit: limit }
    }

    /// Within which one letter has been sent or has failed: a connection that proves dead is replaced twice at most.
    pub(super) const LETTER: Duration = minutes(120);
}
