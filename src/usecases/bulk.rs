//! The same done to many rows, credentials or integrations: each by itself, in a transaction and with an event of its own, so
//! that one that does not work stops no other. What is done to which is in `credentials::bulk` and `integrations::bulk`.

use uuid::Uuid;

use super::{Refusal, labels};
use crate::form::Errors;
use crate::models::DbError;
use crate::models::labels::{Change, FULL};

/// Most rows at once.
pub const MOST: i64 = 1_000;

/// What became of one.
#[derive(Debug)]
pub struct Outcome {
    pub id: Uuid,
    pub name: String,
    /// Whether anything changed, or why not.
    pub done: Result<bool, String>,
}

/// Puts a tag on, or takes it off.
pub fn tag(text: &str, adds: bool) -> Result<Change, Refusal> {
    let tag = labels::tag(text).map_err(|sentence| invalid("tag", sentence))?;
    Ok(if adds { Change::AddTag(tag) } else { Change::RemoveTag(tag) })
}

/// Sets the owner; nothing takes it off.
pub fn owner(text: &str) -> Result<Change, Refusal> {
    let owner = labels::owner(text).map_err(|sentence| invalid("owner", sentence))?;
    Ok(Change::Both { owner: Some(owner), tags: None })
}

pub(super) fn invalid(field: &str, sentence: String) -> Refusal {
    Refusal::Invalid(Errors::one(field, sentence))
}

/// Why one was left as it is.
pub(super) fn reason(refusal: Refusal) -> String {
    let text = match refusal {
        Refusal::Conflict(sentence) | Refusal::Unacceptable(sentence) => sentence,
        Refusal::Invalid(errors) => return errors.iter().map(|(_, text)| text).collect::<Vec<_>>().join(" "),
        Refusal::TooOften(too_often) => return too_often.text,
        Refusal::InUse => "It is in use.",
        Refusal::Overtaken => "Someone else changed it at the same time.",
        Refusal::Forbidden => "Your role doesn't allow it.",
        Refusal::Db(DbError::Check(name)) if name == FULL => "It has 10 tags already.",
        Refusal::Db(DbError::Check(_)) => "It is built in and can't be changed.",
        Refusal::Db(DbError::NotFound) => "It has been deleted.",
        Refusal::Db(DbError::Integrity) => "Its record has been tampered with.",
        Refusal::Db(DbError::LaterRelease) => "A later release of Strongroom saved it.",
        Refusal::Db(DbError::TrailHeld | DbError::TrailCut) => "The audit trail is broken, so nothing is changed.",
        Refusal::Db(DbError::OutcomeUnknown) => "The database stopped answering: look whether it was saved.",
        Refusal::Db(_) => "The database can't be reached. Try again.",
        _ => "It was refused. Open it to see why.",
    };
    text.to_owned()
}
