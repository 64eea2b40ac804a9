//! What may be wrong with an answer before anybody reads it: the connection stood, and what came over it is not whole, or
//! is not HTTP.

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// More header lines, or longer ones, than an HTTP client takes.
    Headers,
    /// The first bytes are not those of HTTP.
    NotHttp,
    /// The body ended early, or its parts are not put together as HTTP says (RFC 9112, 7.1).
    CutOff,
    /// The connection was closed before the first byte.
    Nothing,
}

impl AnswerFault {
    /// By the cause of an error; `None` for one that says nothing of the answer.
    pub(super) fn of(error: &hyper::Error) -> Option<Self> {
        match () {
            // The method that says so is there for servers only.
            () if error.is_parse() && error.to_string() == "message head is too large" => Some(Self::Headers),
            () if error.is_parse() => Some(Self::NotHttp),
            () if error.is_incomplete_message() => Some(Self::Nothing),
            () => None,
        }
    }

    /// What happened, and what to do.
    pub(super) fn told(self, host: &str) -> (String, String) {
        let (cause, remedy) = match self {
            Self::Headers => (
                "answered with more headers than Strongroom reads",
                "Check the address: another service may answer there. If it is right, have the server, or the proxy in \
                 front of it, send fewer.",
            ),
            Self::NotHttp => (
                "answered with something that is not HTTP",
                "Check the address and the port: another service listens there.",
            ),
            Self::CutOff => (
                "sent an answer that is cut off or garbled",
                "Try again later. If it stays so, look into the log of the server, or of the proxy in front of it.",
            ),
            Self::Nothing => (
                "closed the connection without an answer",
                "Try again later. If it stays so, check the port, and look into the log of the server.",
            ),
        };
        (format!("{host} {cause}."), remedy.to_owned())
    }
}
