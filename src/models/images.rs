//! The inventory that registry scans store: one row a tag, replaced as a whole by each successful scan.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::schema::{image_changes, images};
use super::{Conn, DbError};

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = images)]
pub struct Image {
    pub repository: String,
    pub tag: String,
    pub digest: String,
    pub size_bytes: i64,
    pub platforms: Vec<String>,
    pub pushed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = image_changes)]
pub struct Change {
    pub repository: String,
    pub tag: String,
    pub change: String,
}

/// How many tags a scan added, changed and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Difference {
    #[diesel(sql_type = BigInt)]
    pub added: i64,
    #[diesel(sql_type = BigInt)]
    pub changed: i64,
    #[diesel(sql_type = BigInt)]
    pub removed: i64,
}

/// Replaces the inventory of an integration and keeps what changed, in three statements whatever its size.
/// Call inside a transaction. A tag found twice counts once.
pub fn replace(conn: &mut Conn, integration: Uuid, run: Uuid, found: &[Image]) -> Result<Difference, DbError> {
    diesel::sql_query(
        "CREATE TEMPORARY TABLE found ON COMMIT DROP AS
         SELECT DISTINCT ON (repository, tag) repository, tag, digest, size_bytes, platforms, pushed_at
         FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[])
             AS f (repository, tag, digest, size_bytes, platforms, pushed_at)",
    )
    .bind::<Array<Text>, _>(found.iter().map(|image| &image.repository).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(found.iter().map(|image| &image.tag).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(found.iter().map(|image| &image.digest).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(found.iter().map(|image| image.size_bytes).collect::<Vec<_>>())
    // Arrays of arrays must be rectangular in Postgres, so the platforms travel joined.
    .bind::<Array<Text>, _>(found.iter().map(|image| image.platforms.join(" ")).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(found.iter().map(|image| image.pushed_at).collect::<Vec<_>>())
    .execute(conn)?;
    diesel::sql_query(
        "INSERT INTO image_changes (run_id, repository, tag, change)
         SELECT $2, repository, tag,
             CASE WHEN i.tag IS NULL THEN 'added' WHEN f.tag IS NULL THEN 'removed' ELSE 'changed' END
         FROM (SELECT * FROM images WHERE integration_id = $1) i FULL JOIN found f USING (repository, tag)
         WHERE i.digest IS DISTINCT FROM f.digest",
    )
    .bind::<SqlUuid, _>(integration)
    .bind::<SqlUuid, _>(run)
    .execute(conn)?;
    diesel::sql_query(
        "WITH gone AS (DELETE FROM images i WHERE integration_id = $1 AND NOT EXISTS
             (SELECT FROM found f WHERE f.repository = i.repository AND f.tag = i.tag))
         INSERT INTO images (integration_id, repository, tag, digest, size_bytes, platforms, pushed_at)
         SELECT $1, repository, tag, digest, size_bytes, string_to_array(platforms, ' '), pushed_at FROM found
         ON CONFLICT (integration_id, repository, tag) DO UPDATE SET digest = excluded.digest,
             size_bytes = excluded.size_bytes, platforms = excluded.platforms, pushed_at = excluded.pushed_at",
    )
    .bind::<SqlUuid, _>(integration)
    .execute(conn)?;
    Ok(diesel::sql_query(
        "SELECT count(*) FILTER (WHERE change = 'added') AS added, count(*) FILTER (WHERE change = 'changed') AS changed,
             count(*) FILTER (WHERE change = 'removed') AS removed FROM image_changes WHERE run_id = $1",
    )
    .bind::<SqlUuid, _>(run)
    .get_result(conn)?)
}

type Boxed<'a> = diesel::helper_types::IntoBoxed<'a, images::table, diesel::pg::Pg>;

/// The tags of an integration whose repository, tag or digest contains `search`.
fn matching<'a>(integration: Uuid, search: &str) -> Boxed<'a> {
    let mine = images::table.filter(images::integration_id.eq(integration)).into_boxed();
    let search = search.trim();
    if search.is_empty() {
        return mine;
    }
    let pattern = format!("%{}%", super::escape_like(search));
    mine.filter(
        (images::repository.ilike(pattern.clone()))
            .or(images::tag.ilike(pattern.clone()))
            .or(images::digest.like(pattern)),
    )
}

/// The row that a page starts after, or, going back, ends before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub repository: String,
    pub tag: String,
    pub back: bool,
}

/// One page, and whether there are rows before and after it.
#[derive(Clone, Debug)]
pub struct Page {
    pub rows: Vec<Image>,
    pub before: bool,
    pub after: bool,
}

/// A page of the inventory in the order of repository and tag, searched.
pub fn page(
    conn: &mut Conn,
    integration: Uuid,
    search: &str,
    from: Option<&Place>,
    size: i64,
) -> Result<Page, DbError> {
    let back = from.is_some_and(|place| place.back);
    let mut rows = matching(integration, search).select(Image::as_select()).limit(size + 1);
    if let Some(Place { repository, tag, back }) = from {
        let same = images::repository.eq(repository);
        rows = if *back {
            rows.filter(images::repository.lt(repository).or(same.and(images::tag.lt(tag))))
        } else {
            rows.filter(images::repository.gt(repository).or(same.and(images::tag.gt(tag))))
        };
    }
    rows = if back {
        rows.order((images::repository.desc(), images::tag.desc()))
    } else {
        rows.order((images::repository, images::tag))
    };
    let mut rows: Vec<Image> = rows.load(conn)?;
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > size;
    rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    if back {
        rows.reverse();
    }
    let (before, after) = if back { (more, true) } else { (from.is_some(), more) };
    Ok(Page { rows, before, after })
}

pub fn count(conn: &mut Conn, integration: Uuid) -> Result<i64, DbError> {
    Ok(images::table.filter(images::integration_id.eq(integration)).count().get_result(conn)?)
}

/// What a run found different from the one before.
pub fn changes(conn: &mut Conn, run: Uuid, limit: i64) -> Result<Vec<Change>, DbError> {
    Ok(image_changes::table
        .filter(image_changes::run_id.eq(run))
        .order((image_changes::repository, image_changes::tag))
        .limit(limit)
        .select(Change::as_select())
        .load(conn)?)
}
