//! From when on a secret counts as old: a credential's own limit, else that of its type. What pages and queries ask is
//! answered here alike; what follows from it by the clock is in `due_alerts`.

use diesel::prelude::*;

use super::alert_settings::AlertSettings;
use super::due_alerts::Limit;
use super::events::{self, Action, Actor};
use super::schema::credentials;
use super::trust;
use super::{Conn, CredentialId, DbError};
use crate::credentials::{self as kinds, KINDS, Kind};
use crate::vault::Vault;

/// Most days that a limit has.
pub const MOST_DAYS: i32 = 3_650;

/// The limits of all types that have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits(pub Vec<Limit>);

impl Limits {
    /// The limits of all types, from the settings of the Alerts page and of the operator.
    pub fn of(settings: &AlertSettings, operator: i32) -> Self {
        let limits = KINDS.iter().filter_map(|kind| {
            let days = settings.limit(kind.slug, ages_by_default(kind), operator)?;
            Some(Limit { kind: kind.slug.to_owned(), days, by_nature: ages_by_default(kind) })
        });
        Self(limits.collect())
    }

    /// The limit of a type in days, for one of its credentials; `ages` is whether the secret ages by its nature.
    pub fn of_kind(&self, kind: &str, ages: bool) -> Option<i32> {
        self.0.iter().find(|limit| limit.kind == kind && (ages || !limit.by_nature)).map(|limit| limit.days)
    }

    /// The limit that holds for a credential in days; `own` is what was set on it, where 0 is never.
    pub fn days(&self, kind: &str, ages: bool, own: Option<i32>) -> Option<i32> {
        match own {
            Some(days) => Some(days).filter(|days| *days > 0),
            None => self.of_kind(kind, ages),
        }
    }

    /// A condition on the credentials in SQL: past their limit. One range of an index for each type, where a table of
    /// limits would have to be joined to every row.
    pub(super) fn passed(&self) -> String {
        let mut ranges =
            vec!["stale_after_days > 0 AND aged_from < now() - make_interval(days => stale_after_days)".to_owned()];
        ranges.extend(self.0.iter().filter(|limit| is_plain(&limit.kind)).map(|Limit { kind, days, by_nature }| {
            let ages = if *by_nature { "AND ages " } else { "" };
            format!(
                "kind = '{kind}' AND stale_after_days IS NULL AND NOT shipped {ages}AND aged_from < now() - make_interval(days => {days})"
            )
        }));
        format!("({})", ranges.join(" OR "))
    }

    /// The columns of a table of limits, to bind as arrays: types, days, whether only what ages by its nature.
    pub(super) fn columns(&self) -> (Vec<&str>, Vec<i32>, Vec<bool>) {
        let kinds = self.0.iter().map(|limit| limit.kind.as_str()).collect();
        (kinds, self.0.iter().map(|limit| limit.days).collect(), self.0.iter().map(|limit| limit.by_nature).collect())
    }
}

/// Whether the secrets of a type age unless somebody says otherwise.
fn ages_by_default(kind: &Kind) -> bool {
    kind.slug == kinds::aws::KIND.slug
}

/// Whether a slug may be written into SQL as it is.
fn is_plain(kind: &str) -> bool {
    kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Sets a credential's own limit: 0 is never, `None` as its type says. Call inside a transaction.
pub fn set(conn: &mut Conn, vault: &Vault, actor: &Actor, id: CredentialId, days: Option<i32>) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let row = super::credentials::lock(conn, vault, id)?.trust()?;
    if row.shipped {
        return Err(DbError::Check("credentials_shipped".to_owned()));
    }
    if row.stale_after_days == days {
        return Ok(());
    }
    let next = row.next_version();
    let mut row = row.into_row();
    let detail = format!("{} instead of {}", words(days), words(row.stale_after_days));
    (row.stale_after_days, row.row_version) = (days, next);
    let row = trust::sign(vault, row);
    diesel::update(credentials::table.find(id))
        .set((
            credentials::stale_after_days.eq(days),
            credentials::row_version.eq(next),
            credentials::row_mac.eq(&row.row_mac),
        ))
        .execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(Action::CredentialLimitChanged, detail), next)
}

fn words(days: Option<i32>) -> String {
    match days {
        None => "as its type says".to_owned(),
        Some(0) => "never".to_owned(),
        Some(1) => "after 1 day".to_owned(),
        Some(days) => format!("after {days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_has_its_own_limit_else_that_of_its_type() {
        let limit = |kind: &str, days, by_nature| Limit { kind: kind.to_owned(), days, by_nature };
        let limits = Limits(vec![limit("aws", 90, true), limit("basic", 180, false)]);
        assert_eq!(limits.days("aws", true, None), Some(90));
        assert_eq!(limits.days("aws", false, None), None, "a role has no secret");
        assert_eq!(limits.days("basic", false, None), Some(180));
        assert_eq!(limits.days("gcp", false, None), None);
        assert_eq!(limits.days("gcp", false, Some(30)), Some(30));
        assert_eq!(limits.days("aws", true, Some(0)), None);
    }
}
