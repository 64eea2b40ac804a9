//! Putting another credential in the place of one that an integration uses. All else of the row stays as it is.

use super::events::{Action, Actor};
use super::integrations::{self, Integration};
use super::usages::{Further, MAIN, Usage};
use super::{Conn, CredentialId, DbError, IntegrationId};
use crate::vault::Vault;

impl Integration {
    /// The credential of a role.
    pub fn credential_as(&self, role: &str) -> Option<CredentialId> {
        match role {
            MAIN => self.credential_id,
            role => self.further.iter().find(|usage| usage.role == role).map(|usage| usage.credential),
        }
    }

    fn set_credential(&mut self, role: &str, to: CredentialId) {
        if role == MAIN {
            self.credential_id = Some(to);
            return;
        }
        let with = |usage: &Usage| {
            let credential = if usage.role == role { to } else { usage.credential };
            Usage { credential, ..usage.clone() }
        };
        let further: Vec<Usage> = self.further.iter().map(with).collect();
        self.further = Further::from(further.as_slice());
    }
}

/// Replaces `from` by `to` in these roles of an integration as of `row_version`, and returns the version that the row has
/// then; `detail` goes into the trail. [`DbError::Stale`] when the row is another by now, or uses another credential.
/// Call inside a transaction.
pub fn replace(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, row_version): (IntegrationId, i64),
    roles: &[&str],
    (from, to, detail): (CredentialId, CredentialId, &str),
) -> Result<i64, DbError> {
    // A row that was put back is not made good by this: only a whole form does that.
    let row = integrations::find(conn, vault, id)?.trust()?;
    if row.row_version != row_version || roles.iter().any(|role| row.credential_as(role) != Some(from)) {
        return Err(DbError::Stale);
    }
    let next = row.next_version();
    integrations::change(conn, vault, actor, (id, Some(row_version)), Action::IntegrationEdited, |row, _| {
        for role in roles {
            row.set_credential(role, to);
        }
        detail.to_owned()
    })?;
    Ok(next)
}
