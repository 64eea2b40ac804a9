//! The row of a credential: what it holds beside the secret, and what of it is signed. Reading and changing rows is in
//! `credentials`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::events::{Action, NewEvent};
use super::schema::credentials;
use super::secrets::{self, Versions};
use super::times::{MaybeTime, Time};
use super::trust::{Parts, Signed, signed_columns};
use super::{CredentialId, labels};
use crate::vault::Context;

/// All but the secret, in the order of the table's columns that a page may show.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable)]
pub struct Credential {
    pub id: CredentialId,
    pub kind: String,
    pub name: String,
    pub note: String,
    pub identity: String,
    /// JSON of `credentials::Facts` lines, see `web::credentials`.
    pub facts: String,
    pub ages: bool,
    #[diesel(deserialize_as = MaybeTime)]
    pub expires_at: Option<DateTime<Utc>>,
    pub shipped: bool,
    pub secret_version: i32,
    /// Which secrets have a value.
    #[diesel(select_expression = secrets::OfCredential, select_expression_type = secrets::OfCredential)]
    pub secrets: Versions,
    #[diesel(deserialize_as = Time)]
    pub secret_set_at: DateTime<Utc>,
    pub usage_count: i32,
    #[diesel(deserialize_as = Time)]
    pub last_used_at: DateTime<Utc>,
    #[diesel(deserialize_as = MaybeTime)]
    pub integrity_failed_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    #[diesel(deserialize_as = Time)]
    pub edited_at: DateTime<Utc>,
    pub edited_by: String,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
    /// Its own limit of age in days: 0 is never, `None` as its type says.
    pub stale_after_days: Option<i32>,
    /// A team or a person; may be empty.
    pub owner: String,
    pub tags: Vec<String>,
}

impl Signed for Credential {
    const TABLE: &'static str = "credentials";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        let parts = Parts::default()
            .id(Some(self.id))
            .text(&self.kind)
            .text(&self.name)
            .text(&self.note)
            .text(&self.identity)
            .text(&self.facts)
            .flags(&[self.ages, self.shipped])
            .time(self.expires_at)
            .number(i64::from(self.secret_version))
            .time(self.secret_set_at)
            .number(self.stale_after_days.map(i64::from))
            .number(self.row_version);
        let parts = labels::sign(parts, &self.owner, &self.tags);
        self.secrets.sign(parts, self.secret_version)
    }

    fn former_parts(&self) -> Option<Parts> {
        let expires = self.expires_at.map_or(i64::MIN, |at| at.timestamp_micros());
        let texts = [&self.kind, &self.name, &self.note, &self.identity, &self.facts];
        let parts = texts.into_iter().fold(Parts::default().id(Some(self.id)), |parts, text| parts.text(text));
        let parts = parts.flags(&[self.ages, self.shipped]).number(expires).bytes(&self.secret_version.to_be_bytes());
        Some(parts.time(self.secret_set_at).number(self.row_version))
    }
}

impl Credential {
    /// Where the sealed values of this row belong.
    pub fn context(&self) -> Context<'_> {
        context(self.id, &self.kind, self.secret_version)
    }

    pub(super) fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "credential", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }
}

pub(super) fn context(id: CredentialId, kind: &str, version: i32) -> Context<'_> {
    Context { table: "credentials", column: "payload", row: id.0, kind, version }
}

/// The columns of the last test, emptied.
type Untested = (
    diesel::dsl::Eq<credentials::tested_at, Option<DateTime<Utc>>>,
    diesel::dsl::Eq<credentials::test_verdict, Option<String>>,
    diesel::dsl::Eq<credentials::test_sentence, Option<String>>,
    diesel::dsl::Eq<credentials::tested_by, Option<String>>,
    diesel::dsl::Eq<credentials::test_failed, bool>,
);

/// Empties the last test: other values are saved, and nothing is known about those.
pub(super) fn untested() -> Untested {
    (
        credentials::tested_at.eq(None),
        credentials::test_verdict.eq(None),
        credentials::test_sentence.eq(None),
        credentials::tested_by.eq(None),
        credentials::test_failed.eq(false),
    )
}
