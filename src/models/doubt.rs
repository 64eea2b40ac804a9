//! Why a row is not trusted, and the sentences for it. How rows are judged is in `trust`.

use super::DbError;

/// Why a row is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is not what Strongroom wrote.
    Tampered,
    /// It is whole, and not the row that was asked for.
    NotAsked,
    /// It is whole, and older than the audit trail says: it was put back, or has been refused before.
    PutBack,
    /// A later release wrote it: this one cannot judge it.
    LaterRelease,
}

impl Doubt {
    /// Whether somebody has tampered with the store.
    pub fn is_tampering(self) -> bool {
        self != Self::LaterRelease
    }

    /// For the audit trail and the log.
    pub fn words(self) -> &'static str {
        match self {
            Self::Tampered => "the row was changed outside Strongroom",
            Self::NotAsked => "the database answered with another row",
            Self::PutBack => "an older row was put back outside Strongroom",
            Self::LaterRelease => "a later release of Strongroom wrote the row",
        }
    }
}

impl Doubt {
    /// A whole sentence for the page of a row, and what to do. `noun` is what the page is of: *integration*.
    pub fn sentence(self, noun: &str) -> String {
        match self {
            Self::Tampered | Self::NotAsked => format!(
                "Integrity error: the stored record of this {noun} was tampered with outside Strongroom. It is not used. \
                 Delete it and add it again."
            ),
            Self::PutBack => format!(
                "Integrity error: an older record of this {noun} was put back outside Strongroom. It is not used. Check what \
                 it says, and save it again under Edit, or delete it."
            ),
            Self::LaterRelease => {
                format!("A later release of Strongroom saved this {noun}. Upgrade this console to use it.")
            }
        }
    }
}

impl From<Doubt> for DbError {
    fn from(doubt: Doubt) -> Self {
        if doubt.is_tampering() { Self::Integrity } else { Self::LaterRelease }
    }
}
