//! The channel that writes to users about their accounts. Its mails open accounts, also those of administrators: so only
//! they decide where it leads.

use super::draft::{Draft, marked_already};
use crate::accounts::Role;
use crate::form::Errors;
use crate::integrations::alerts::email::FOR_ACCOUNTS;
use crate::models::account_letters;
use crate::models::integrations::Integration;
use crate::services::Services;
use crate::usecases::{Principal, Refusal, read};

const ADMINISTRATORS: &str =
    "This channel sends invitations and password resets, so only an administrator can change it.";

/// Refuses operators a form that marks a channel, or changes the marked one, and everybody a second mark.
pub(super) async fn check(
    services: &Services,
    principal: &Principal,
    draft: &Draft,
    edited: Option<&Integration>,
) -> Result<(), Refusal> {
    let marks = account_letters::has_mark(draft.settings());
    let same = edited.is_some_and(|row| draft.is_saved_as(row));
    if same || !(marks || edited.is_some_and(account_letters::is_marked)) {
        return Ok(());
    }
    if principal.require(Role::Administrator).is_err() {
        return Err(Refusal::Invalid(Errors::one(FOR_ACCOUNTS, ADMINISTRATORS)));
    }
    if !marks {
        return Ok(());
    }
    let other = read(services, account_letters::marked).await?.map(|seen| seen.into_shown());
    match other.filter(|other| edited.is_none_or(|row| row.id != other.id)) {
        Some(other) => Err(marked_already(Some(&other.name))),
        None => Ok(()),
    }
}

/// Refuses operators another credential, or another secret of one, for the marked channel.
pub fn check_usages<'a>(principal: &Principal, rows: impl IntoIterator<Item = &'a Integration>) -> Result<(), Refusal> {
    let mut rows = rows.into_iter();
    if rows.any(account_letters::is_marked) && principal.require(Role::Administrator).is_err() {
        return Err(Refusal::Conflict(
            "A channel that sends invitations and password resets uses this credential, so only an administrator can \
             change it.",
        ));
    }
    Ok(())
}
