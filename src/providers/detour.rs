//! Where else on its own host a service pointed to.

/// How an address on the same host differs from the one that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detour {
    /// By the slash at the end of its path.
    Slash,
    /// By its scheme: https instead of http.
    Encrypted,
    /// By its path or its query.
    Path,
}

impl Detour {
    /// `the same host by https`
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Slash => "the same address with or without the slash at its end",
            Self::Encrypted => "the same host by https",
            Self::Path => "another path on the same host",
        }
    }
}
