//! The inventory that scans store: one row an item, whatever its family, replaced as a whole by each scan that reads its
//! source, but for what that scan could not read. How a family's items look is in `integrations::inventory`.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};

use super::schema::{item_changes, items, runs};
use super::{Conn, DbError, IntegrationId, ItemId, RunId};

/// A stored item.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
pub struct Item {
    /// Stays the same as long as scans find the item.
    pub id: ItemId,
    pub place: String,
    pub name: String,
    pub fingerprint: String,
    /// As its family wrote them.
    pub facts: serde_json::Value,
    /// As an earlier scan found it: the last one could not read it.
    pub kept: bool,
}

/// An item that a scan found. Place and name are its own within the integration; another fingerprint is a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub place: String,
    pub name: String,
    pub fingerprint: String,
    /// JSON: as text it takes a third of the memory, which counts with 200,000 of them.
    pub facts: String,
}

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = item_changes)]
pub struct Change {
    pub place: String,
    pub name: String,
    pub change: String,
}

/// How many items a scan added, changed and removed, and how many stay though it did not find them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Difference {
    #[diesel(sql_type = BigInt)]
    pub added: i64,
    #[diesel(sql_type = BigInt)]
    pub changed: i64,
    #[diesel(sql_type = BigInt)]
    pub removed: i64,
    #[diesel(sql_type = BigInt)]
    pub kept: i64,
}

/// Rows that one statement writes. Progress is told and *Stop* is seen between two of them.
const BATCH: usize = 2_000;

/// An inventory on its way into the database, in the transaction that ends its run.
pub struct Saving<'a> {
    pub integration: IntegrationId,
    pub run: RunId,
    /// Each place and name once.
    pub found: &'a [Found],
    /// The places that were read, where it was not the whole: items of others stay as they are.
    pub places: Option<&'a [String]>,
    /// Whether an item of an earlier scan, by place and name, is kept though it was not found; `None` when all was
    /// read.
    pub keeps: Option<Keeps<'a>>,
}

/// Answers for a place and a name.
pub type Keeps<'a> = &'a dyn Fn(&str, &str) -> bool;

/// An item that the inventory has and the scan did not find.
#[derive(QueryableByName)]
struct Unseen {
    #[diesel(sql_type = Text)]
    place: String,
    #[diesel(sql_type = Text)]
    name: String,
}

impl Saving<'_> {
    /// Copies the inventory into a temporary table, where nobody waits for it.
    pub fn stage(&self, conn: &mut Conn) -> Result<(), DbError> {
        diesel::sql_query(
            "CREATE TEMPORARY TABLE found (number bigint, place text, name text, fingerprint text, facts jsonb)
                 ON COMMIT DROP",
        )
        .execute(conn)?;
        let mut start = 0_i64;
        for part in self.found.chunks(BATCH) {
            stage(conn, start, part)?;
            start = start.saturating_add(number(part.len()));
        }
        diesel::sql_query("ANALYZE pg_temp.found").execute(conn)?;
        Ok(())
    }

    /// Replaces the integration's inventory by the staged one and stores what changed. `saved` is called with the number
    /// of items after each batch; its error ends the saving.
    pub fn replace(
        &self,
        conn: &mut Conn,
        saved: &dyn Fn(usize) -> Result<(), DbError>,
    ) -> Result<Difference, DbError> {
        let mine = items::table.filter(items::integration_id.eq(self.integration));
        if !diesel::select(diesel::dsl::exists(mine)).get_result::<bool>(conn)? {
            self.batches(conn, saved, Self::insert_part)?;
            return Ok(Difference { added: number(self.found.len()), ..Difference::default() });
        }
        self.keep(conn)?;
        diesel::sql_query(
            "WITH gone AS (DELETE FROM items i WHERE integration_id = $1 AND NOT kept
                 AND ($3 IS NULL OR place = ANY ($3)) AND NOT EXISTS
                 (SELECT FROM pg_temp.found f WHERE f.place = i.place AND f.name = i.name)
                 RETURNING place, name)
             INSERT INTO item_changes (run_id, place, name, change)
             SELECT $2, place, name, 'removed' FROM gone",
        )
        .bind::<SqlUuid, _>(self.integration)
        .bind::<SqlUuid, _>(self.run)
        .bind::<Nullable<Array<Text>>, _>(self.places)
        .execute(conn)?;
        self.batches(conn, saved, Self::replace_part)?;
        Ok(diesel::sql_query(
            "SELECT count(*) FILTER (WHERE change = 'added') AS added,
                 count(*) FILTER (WHERE change = 'changed') AS changed,
                 count(*) FILTER (WHERE change = 'removed') AS removed,
                 (SELECT count(*) FROM items WHERE integration_id = $2
                     AND (kept OR NOT ($3 IS NULL OR place = ANY ($3)))) AS kept
             FROM item_changes WHERE run_id = $1",
        )
        .bind::<SqlUuid, _>(self.run)
        .bind::<SqlUuid, _>(self.integration)
        .bind::<Nullable<Array<Text>>, _>(self.places)
        .get_result(conn)?)
    }

    fn batches(
        &self,
        conn: &mut Conn,
        saved: &dyn Fn(usize) -> Result<(), DbError>,
        part: fn(&Self, &mut Conn, usize) -> Result<(), DbError>,
    ) -> Result<(), DbError> {
        for start in (0..self.found.len()).step_by(BATCH) {
            part(self, conn, start)?;
            saved((start + BATCH).min(self.found.len()))?;
        }
        Ok(())
    }

    /// Marks the items that are kept, and those only.
    fn keep(&self, conn: &mut Conn) -> Result<(), DbError> {
        let unseen: Vec<Unseen> = match self.keeps {
            None => Vec::new(),
            Some(_) => diesel::sql_query(
                "SELECT place, name FROM items i WHERE integration_id = $1
                     AND ($2 IS NULL OR place = ANY ($2)) AND NOT EXISTS
                     (SELECT FROM pg_temp.found f WHERE f.place = i.place AND f.name = i.name)",
            )
            .bind::<SqlUuid, _>(self.integration)
            .bind::<Nullable<Array<Text>>, _>(self.places)
            .load(conn)?,
        };
        let is_kept = |item: &Unseen| self.keeps.is_some_and(|keeps| keeps(&item.place, &item.name));
        let (places, names): (Vec<String>, Vec<String>) =
            unseen.into_iter().filter(is_kept).map(|item| (item.place, item.name)).unzip();
        diesel::sql_query(
            "UPDATE items i SET kept = NOT kept WHERE integration_id = $1 AND ($4 IS NULL OR place = ANY ($4))
                 AND kept <> ((place, name) IN (SELECT * FROM unnest($2::text[], $3::text[])))",
        )
        .bind::<SqlUuid, _>(self.integration)
        .bind::<Array<Text>, _>(places)
        .bind::<Array<Text>, _>(names)
        .bind::<Nullable<Array<Text>>, _>(self.places)
        .execute(conn)?;
        Ok(())
    }

    /// One batch of the first inventory, of which every item is new: no change is noted, since all of them are.
    fn insert_part(&self, conn: &mut Conn, start: usize) -> Result<(), DbError> {
        diesel::sql_query(
            "INSERT INTO items (integration_id, place, name, fingerprint, facts)
             SELECT $1, place, name, fingerprint, facts FROM pg_temp.found WHERE number >= $2 AND number < $3",
        )
        .bind::<SqlUuid, _>(self.integration)
        .bind::<BigInt, _>(number(start))
        .bind::<BigInt, _>(number(start + BATCH))
        .execute(conn)?;
        Ok(())
    }

    /// One batch. Rows that are as they were are left alone.
    fn replace_part(&self, conn: &mut Conn, start: usize) -> Result<(), DbError> {
        diesel::sql_query(
            "WITH part AS MATERIALIZED (SELECT * FROM pg_temp.found WHERE number >= $3 AND number < $4),
             noted AS (INSERT INTO item_changes (run_id, place, name, change)
                 SELECT $2, place, name, CASE WHEN i.id IS NULL THEN 'added' ELSE 'changed' END
                 FROM part f LEFT JOIN (SELECT * FROM items WHERE integration_id = $1) i USING (place, name)
                 WHERE i.fingerprint IS DISTINCT FROM f.fingerprint)
             INSERT INTO items AS i (integration_id, place, name, fingerprint, facts)
             SELECT $1, place, name, fingerprint, facts FROM part
             ON CONFLICT (integration_id, place, name) DO UPDATE
                 SET fingerprint = excluded.fingerprint, facts = excluded.facts
             WHERE (i.fingerprint, i.facts) IS DISTINCT FROM (excluded.fingerprint, excluded.facts)",
        )
        .bind::<SqlUuid, _>(self.integration)
        .bind::<SqlUuid, _>(self.run)
        .bind::<BigInt, _>(number(start))
        .bind::<BigInt, _>(number(start + BATCH))
        .execute(conn)?;
        Ok(())
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Rows of the temporary table, numbered from `start`.
fn stage(conn: &mut Conn, start: i64, part: &[Found]) -> Result<(), DbError> {
    diesel::sql_query(
        "INSERT INTO pg_temp.found
         SELECT $5 + f.number - 1, place, name, fingerprint, facts::jsonb
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
             AS f (place, name, fingerprint, facts, number)",
    )
    .bind::<Array<Text>, _>(part.iter().map(|item| &item.place).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(part.iter().map(|item| &item.name).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(part.iter().map(|item| &item.fingerprint).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(part.iter().map(|item| &item.facts).collect::<Vec<_>>())
    .bind::<BigInt, _>(start)
    .execute(conn)?;
    Ok(())
}

type Boxed<'a> = diesel::helper_types::IntoBoxed<'a, items::table, diesel::pg::Pg>;

/// The items of an integration whose place, name or fingerprint contains `search`.
fn matching<'a>(integration: IntegrationId, search: &str) -> Boxed<'a> {
    let mine = items::table.filter(items::integration_id.eq(integration)).into_boxed();
    let search = search.trim();
    if search.is_empty() {
        return mine;
    }
    let pattern = format!("%{}%", super::escape_like(search));
    mine.filter(
        (items::place.ilike(pattern.clone()))
            .or(items::name.ilike(pattern.clone()))
            .or(items::fingerprint.like(pattern)),
    )
}

/// An item, and the integration that it belongs to.
pub fn find(conn: &mut Conn, id: ItemId) -> Result<(IntegrationId, Item), DbError> {
    Ok(items::table.find(id).select((items::integration_id, Item::as_select())).first(conn)?)
}

/// The row that a page starts after, or, going back, ends before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub place: String,
    pub name: String,
    pub back: bool,
}

/// A page of the inventory.
pub type Page = super::paging::Page<Item>;

/// A page of the inventory in the order of place and name, searched.
pub fn page(
    conn: &mut Conn,
    integration: IntegrationId,
    search: &str,
    from: Option<&Start>,
    size: i64,
) -> Result<Page, DbError> {
    let back = from.is_some_and(|start| start.back);
    let mut rows = matching(integration, search).select(Item::as_select()).limit(size + 1);
    if let Some(Start { place, name, back }) = from {
        // Compared as a pair, which the index finds; as two conditions it would read all rows before.
        let beyond = if *back { "(place, items.name) < (" } else { "(place, items.name) > (" };
        let beyond = sql::<Bool>(beyond).bind::<Text, _>(place).sql(", ").bind::<Text, _>(name).sql(")");
        rows = rows.filter(beyond);
    }
    rows = if back {
        rows.order((items::place.desc(), items::name.desc()))
    } else {
        rows.order((items::place, items::name))
    };
    let rows: Vec<Item> = rows.load(conn)?;
    Ok(Page::cut(rows, size, from.map(|start| start.back)))
}

/// How many items an integration has, as its last scan that read anything left them.
pub fn count(conn: &mut Conn, integration: IntegrationId) -> Result<i64, DbError> {
    let read = runs::integration_id.eq(integration).and(runs::state.eq_any(super::runs::READ));
    let last = runs::table.filter(read).order(runs::queued_at.desc()).select((runs::found, runs::kept));
    match last.first::<(i32, i32)>(conn).optional()? {
        Some((found, kept)) => Ok(i64::from(found) + i64::from(kept)),
        None => Ok(items::table.filter(items::integration_id.eq(integration)).count().get_result(conn)?),
    }
}

/// What a run found different from the one before.
pub fn changes(conn: &mut Conn, run: RunId, limit: i64) -> Result<Vec<Change>, DbError> {
    Ok(item_changes::table
        .filter(item_changes::run_id.eq(run))
        .order((item_changes::place, item_changes::name))
        .limit(limit)
        .select(Change::as_select())
        .load(conn)?)
}
