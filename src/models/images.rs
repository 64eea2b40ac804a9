//! The inventory that registry scans store: one row a tag, replaced as a whole by each scan that reads the registry,
//! but for what that scan could not read.

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
    /// As an earlier scan found it: the last one could not read it.
    pub kept: bool,
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

/// Rows that one statement writes. Progress is told and *Stop* is seen between two of them.
const BATCH: usize = 2_000;

/// An inventory on its way into the database, in the transaction that ends its run.
pub struct Saving<'a> {
    pub integration: Uuid,
    pub run: Uuid,
    pub found: &'a [Image],
    /// Whether an image of an earlier scan, by repository and tag, is kept though it was not found; `None` when all was
    /// read.
    pub keeps: Option<Keeps<'a>>,
}

/// Answers for a repository and a tag.
pub type Keeps<'a> = &'a dyn Fn(&str, &str) -> bool;

/// A tag that the inventory has and the scan did not find.
#[derive(QueryableByName)]
struct Unseen {
    #[diesel(sql_type = Text)]
    repository: String,
    #[diesel(sql_type = Text)]
    tag: String,
}

impl Saving<'_> {
    /// Copies the inventory into a temporary table, where nobody waits for it. A tag found twice counts once.
    pub fn stage(&self, conn: &mut Conn) -> Result<(), DbError> {
        let mut found: Vec<&Image> = self.found.iter().collect();
        found.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
        found.dedup_by(|a, b| a.repository == b.repository && a.tag == b.tag);
        diesel::sql_query(
            "CREATE TEMPORARY TABLE found (number bigint, repository text, tag text, digest text, size_bytes bigint,
                 platforms text, pushed_at timestamptz) ON COMMIT DROP",
        )
        .execute(conn)?;
        let mut start = 0_i64;
        for part in found.chunks(BATCH) {
            stage(conn, start, part)?;
            start = start.saturating_add(i64::try_from(part.len()).unwrap_or(i64::MAX));
        }
        diesel::sql_query("ANALYZE pg_temp.found").execute(conn)?;
        Ok(())
    }

    /// Replaces the integration's inventory by the staged one and keeps what changed. `saved` is called with the number
    /// of images after each batch; its error ends the saving.
    pub fn replace(
        &self,
        conn: &mut Conn,
        saved: &dyn Fn(usize) -> Result<(), DbError>,
    ) -> Result<Difference, DbError> {
        self.keep(conn)?;
        diesel::sql_query(
            "WITH gone AS (DELETE FROM images i WHERE integration_id = $1 AND NOT kept AND NOT EXISTS
                 (SELECT FROM pg_temp.found f WHERE f.repository = i.repository AND f.tag = i.tag)
                 RETURNING repository, tag)
             INSERT INTO image_changes (run_id, repository, tag, change)
             SELECT $2, repository, tag, 'removed' FROM gone",
        )
        .bind::<SqlUuid, _>(self.integration)
        .bind::<SqlUuid, _>(self.run)
        .execute(conn)?;
        for start in (0..self.found.len()).step_by(BATCH) {
            self.replace_part(conn, start)?;
            saved((start + BATCH).min(self.found.len()))?;
        }
        Ok(diesel::sql_query(
            "SELECT count(*) FILTER (WHERE change = 'added') AS added,
                 count(*) FILTER (WHERE change = 'changed') AS changed,
                 count(*) FILTER (WHERE change = 'removed') AS removed FROM image_changes WHERE run_id = $1",
        )
        .bind::<SqlUuid, _>(self.run)
        .get_result(conn)?)
    }

    /// Marks the images that are kept, and those only.
    fn keep(&self, conn: &mut Conn) -> Result<(), DbError> {
        let unseen: Vec<Unseen> = match self.keeps {
            None => Vec::new(),
            Some(_) => diesel::sql_query(
                "SELECT repository, tag FROM images i WHERE integration_id = $1 AND NOT EXISTS
                     (SELECT FROM pg_temp.found f WHERE f.repository = i.repository AND f.tag = i.tag)",
            )
            .bind::<SqlUuid, _>(self.integration)
            .load(conn)?,
        };
        let is_kept = |image: &Unseen| self.keeps.is_some_and(|keeps| keeps(&image.repository, &image.tag));
        let (repositories, tags): (Vec<String>, Vec<String>) =
            unseen.into_iter().filter(is_kept).map(|image| (image.repository, image.tag)).unzip();
        diesel::sql_query(
            "UPDATE images i SET kept = NOT kept WHERE integration_id = $1
                 AND kept <> ((repository, tag) IN (SELECT * FROM unnest($2::text[], $3::text[])))",
        )
        .bind::<SqlUuid, _>(self.integration)
        .bind::<Array<Text>, _>(repositories)
        .bind::<Array<Text>, _>(tags)
        .execute(conn)?;
        Ok(())
    }

    /// One batch. Rows that are as they were are left alone.
    fn replace_part(&self, conn: &mut Conn, start: usize) -> Result<(), DbError> {
        diesel::sql_query(
            "WITH part AS MATERIALIZED (SELECT * FROM pg_temp.found WHERE number >= $3 AND number < $4),
             noted AS (INSERT INTO image_changes (run_id, repository, tag, change)
                 SELECT $2, repository, tag, CASE WHEN i.tag IS NULL THEN 'added' ELSE 'changed' END
                 FROM part f LEFT JOIN (SELECT * FROM images WHERE integration_id = $1) i USING (repository, tag)
                 WHERE i.digest IS DISTINCT FROM f.digest)
             INSERT INTO images AS i (integration_id, repository, tag, digest, size_bytes, platforms, pushed_at)
             SELECT $1, repository, tag, digest, size_bytes, string_to_array(platforms, ' '), pushed_at FROM part
             ON CONFLICT (integration_id, repository, tag) DO UPDATE SET digest = excluded.digest,
                 size_bytes = excluded.size_bytes, platforms = excluded.platforms, pushed_at = excluded.pushed_at
             WHERE (i.digest, i.size_bytes, i.platforms, i.pushed_at)
                 IS DISTINCT FROM (excluded.digest, excluded.size_bytes, excluded.platforms, excluded.pushed_at)",
        )
        .bind::<SqlUuid, _>(self.integration)
        .bind::<SqlUuid, _>(self.run)
        .bind::<BigInt, _>(i64::try_from(start).unwrap_or(i64::MAX))
        .bind::<BigInt, _>(i64::try_from(start + BATCH).unwrap_or(i64::MAX))
        .execute(conn)?;
        Ok(())
    }
}

/// Rows of the temporary table, numbered from `start`.
fn stage(conn: &mut Conn, start: i64, part: &[&Image]) -> Result<(), DbError> {
    diesel::sql_query(
        "INSERT INTO pg_temp.found
         SELECT $7 + f.place - 1, repository, tag, digest, size_bytes, platforms, pushed_at
         FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[]) WITH ORDINALITY
             AS f (repository, tag, digest, size_bytes, platforms, pushed_at, place)",
    )
    .bind::<Array<Text>, _>(part.iter().map(|image| &image.repository).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(part.iter().map(|image| &image.tag).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(part.iter().map(|image| &image.digest).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(part.iter().map(|image| image.size_bytes).collect::<Vec<_>>())
    // Arrays of arrays must be rectangular in Postgres, so the platforms travel joined.
    .bind::<Array<Text>, _>(part.iter().map(|image| image.platforms.join(" ")).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(part.iter().map(|image| image.pushed_at).collect::<Vec<_>>())
    .bind::<BigInt, _>(start)
    .execute(conn)?;
    Ok(())
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
