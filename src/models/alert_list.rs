//! The alerts of the page Alerts: open, ahead, snoozed or closed ones, grouped by trigger, the worst first. Each order
//! has its index in a migration, and nothing is counted to its end, so that a page costs the same however many there are.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, SmallInt, Text, Timestamptz, Uuid as SqlUuid};

pub use super::alert_line::Line;
use super::alert_line::lines_of;
use super::cloud_keys::Count;
use super::readable::kept;
use super::{AlertId, Conn, DbError};

/// No more than these are looked at to count them.
pub const MOST_COUNTED: i64 = 1_000;
/// A search that finds no more than these looks at them alone; one that finds more finds enough wherever it looks.
const FEW: i64 = 2_000;
/// Words of a search that count.
const MOST_WORDS: usize = 8;
/// Owners to choose from.
const MOST_OWNERS: i64 = 50;

/// Every alert is in one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Raised and not snoozed: what people count.
    Open,
    /// Warned ahead.
    Soon,
    Snoozed,
    Closed,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Open, Self::Soon, Self::Snoozed, Self::Closed];

    fn condition(self) -> &'static str {
        match self {
            Self::Open => {
                "a.closed_at IS NULL AND a.stage >= 3 AND (a.snoozed_until IS NULL OR a.snoozed_until <= now())"
            }
            Self::Soon => {
                "a.closed_at IS NULL AND a.stage < 3 AND (a.snoozed_until IS NULL OR a.snoozed_until <= now())"
            }
            Self::Snoozed => "a.closed_at IS NULL AND a.snoozed_until > now()",
            Self::Closed => "a.closed_at IS NOT NULL",
        }
    }

    /// The worst first; of closed ones the last.
    fn order(self) -> &'static str {
        if self == Self::Closed { "a.closed_at DESC, a.id DESC" } else { "a.severity, a.since, a.id" }
    }

    /// What comes after the place of `$7`, `$8` and `$9`.
    fn beyond(self) -> &'static str {
        match self {
            Self::Closed => "(a.closed_at, a.id) < ($8, $9)",
            _ => "(a.severity, a.since, a.id) > ($7, $8, $9)",
        }
    }
}

/// Who has acknowledged it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    Any,
    Nobody,
    Name(String),
}

/// What the page is narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub state: State,
    /// Slug; empty: all.
    pub trigger: String,
    /// 0: all.
    pub severity: i16,
    pub owner: Owner,
    /// Words, each of which stands anywhere in the name or in what is said.
    pub search: String,
}

/// The alert that a page starts after: its severity, and since when it is wrong, or when it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub severity: i16,
    pub at: DateTime<Utc>,
    pub id: AlertId,
}

/// The alerts of one trigger.
#[derive(Clone, Debug, QueryableByName)]
pub struct Group {
    #[diesel(sql_type = Text)]
    pub trigger: String,
    /// No more than one above [`MOST_COUNTED`].
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Group {
    pub fn count(&self) -> Count {
        counted(self.number)
    }
}

fn counted(number: i64) -> Count {
    Count { number: number.min(MOST_COUNTED), more: number > MOST_COUNTED }
}

/// What is searched, in small letters.
const TEXT: &str = "lower(a.subject_name || ' ' || a.words)";

/// A filter as SQL over `alerts a`, and what its parameters `$1` to `$5` are.
struct Wanted {
    condition: String,
    trigger: String,
    severity: i16,
    owner: String,
    patterns: Vec<String>,
    ids: Vec<AlertId>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: AlertId,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Wanted {
    fn new(conn: &mut Conn, filter: &Filter) -> Result<Self, DbError> {
        let mut conditions = vec![filter.state.condition().to_owned()];
        if !filter.trigger.is_empty() {
            conditions.push("a.trigger = $1".to_owned());
        }
        if filter.severity != 0 {
            conditions.push("a.severity = $2".to_owned());
        }
        let owner = match &filter.owner {
            Owner::Any => String::new(),
            Owner::Nobody => {
                conditions.push("a.acknowledged_by IS NULL".to_owned());
                String::new()
            }
            Owner::Name(name) => {
                conditions.push("a.acknowledged_by = $3".to_owned());
                name.clone()
            }
        };
        let words = filter.search.split_whitespace().map(str::to_lowercase);
        let patterns = words.take(MOST_WORDS).map(|word| format!("%{}%", super::escape_like(&word)));
        let patterns: Vec<String> = patterns.collect();
        let few = few(conn, filter.state, &patterns)?;
        match few {
            Some(_) => conditions.push("a.id = ANY($5)".to_owned()),
            None if patterns.is_empty() => {}
            None => conditions.push(fits(&patterns, "$4")),
        }
        let (condition, ids) = (conditions.join(" AND "), few.unwrap_or_default());
        Ok(Self { condition, trigger: filter.trigger.clone(), severity: filter.severity, owner, patterns, ids })
    }
}

/// Binds `$1` to `$5`.
macro_rules! asked {
    ($query:expr, $wanted:expr) => {
        diesel::sql_query($query)
            .bind::<Text, _>(&$wanted.trigger)
            .bind::<SmallInt, _>($wanted.severity)
            .bind::<Text, _>(&$wanted.owner)
            .bind::<Array<Text>, _>(&$wanted.patterns)
            .bind::<Array<SqlUuid>, _>(&$wanted.ids)
    };
}

/// Each word is a condition of its own, so that the rarest is looked up in the index.
fn fits(patterns: &[String], parameter: &str) -> String {
    let each = (1..=patterns.len()).map(|number| format!("{TEXT} LIKE ({parameter})[{number}]"));
    each.collect::<Vec<_>>().join(" AND ")
}

/// The alerts that a search finds, when they are few.
fn few(conn: &mut Conn, state: State, patterns: &[String]) -> Result<Option<Vec<AlertId>>, DbError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let (condition, fits) = (state.condition(), fits(patterns, "$1"));
    let query = format!("SELECT a.id FROM alerts a WHERE {condition} AND {fits} LIMIT {FEW} + 1");
    let found: Vec<Found> = diesel::sql_query(query).bind::<Array<Text>, _>(patterns).load(conn)?;
    let is_few = i64::try_from(found.len()).is_ok_and(|number| number <= FEW);
    Ok(is_few.then(|| found.into_iter().map(|found| found.id).collect()))
}

/// How many there are of each of [`State::ALL`], whatever else is asked for. The sidebar and the page count by this.
pub fn counts(conn: &mut Conn) -> Result<[Count; 4], DbError> {
    let mut counts = [Count::default(); 4];
    for (count, state) in counts.iter_mut().zip(State::ALL) {
        *count = of_state(conn, state)?;
    }
    Ok(counts)
}

/// How many there are in a state.
pub fn of_state(conn: &mut Conn, state: State) -> Result<Count, DbError> {
    let condition = state.condition();
    let found: Number = diesel::sql_query(format!(
        "SELECT count(*) AS number FROM (SELECT FROM alerts a WHERE {condition} LIMIT {MOST_COUNTED} + 1) a"
    ))
    .get_result(conn)?;
    Ok(counted(found.number))
}

/// How many of those that fit a filter somebody else than this person owns.
pub fn owned(conn: &mut Conn, filter: &Filter, but: &str) -> Result<usize, DbError> {
    let wanted = Wanted::new(conn, filter)?;
    let query = format!(
        "SELECT count(*) AS number FROM (SELECT FROM alerts a WHERE {} AND a.acknowledged_by <> $6
             LIMIT {MOST_COUNTED}) a",
        wanted.condition
    );
    let found: Number = asked!(query, wanted).bind::<Text, _>(but).get_result(conn)?;
    Ok(usize::try_from(found.number).unwrap_or(0))
}

/// The triggers that have any that fit, and how many. The triggers of the state are found one from the other in the
/// index, whatever the filter leaves of each. The order makes the planner count along the index too: it takes each
/// trigger for a fifth of the table, and read all of it.
pub fn groups(conn: &mut Conn, filter: &Filter) -> Result<Vec<Group>, DbError> {
    let wanted = Wanted::new(conn, filter)?;
    let (which, state, order) = (&wanted.condition, filter.state.condition(), filter.state.order());
    let query = format!(
        "WITH RECURSIVE t AS (
             (SELECT a.trigger FROM alerts a WHERE {state} ORDER BY a.trigger LIMIT 1)
             UNION ALL
             SELECT (SELECT a.trigger FROM alerts a WHERE {state} AND a.trigger > t.trigger ORDER BY a.trigger LIMIT 1)
             FROM t WHERE t.trigger IS NOT NULL)
         SELECT t.trigger, n.number FROM t CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
             SELECT FROM alerts a WHERE {which} AND a.trigger = t.trigger
             ORDER BY {order} LIMIT {MOST_COUNTED} + 1) a) n
         WHERE t.trigger IS NOT NULL AND n.number > 0"
    );
    Ok(asked!(query, wanted).load(conn)?)
}

/// The first of each of these groups, the worst first, all groups together in one order.
pub fn worst(conn: &mut Conn, filter: &Filter, groups: &[Group], each: i64) -> Result<Vec<Line>, DbError> {
    let wanted = Wanted::new(conn, filter)?;
    let triggers: Vec<&str> = groups.iter().map(|group| group.trigger.as_str()).collect();
    let (which, order) = (&wanted.condition, filter.state.order());
    let alerts = format!(
        "SELECT a.* FROM unnest($7) AS t (trigger) CROSS JOIN LATERAL (
             SELECT * FROM alerts a WHERE {which} AND a.trigger = t.trigger ORDER BY {order} LIMIT $6) a"
    );
    let query = format!("{} ORDER BY {order}", lines_of(&alerts));
    let rows = asked!(query, wanted).bind::<BigInt, _>(each).bind::<Array<Text>, _>(triggers).load(conn)?;
    Ok(kept(rows, "alerts"))
}

/// A page of those that fit a filter: the worst first, of closed ones the last closed.
pub fn page(conn: &mut Conn, filter: &Filter, after: Option<Place>, limit: i64) -> Result<Vec<Line>, DbError> {
    let wanted = Wanted::new(conn, filter)?;
    let (which, order) = (&wanted.condition, filter.state.order());
    let beyond = if after.is_some() { format!("AND {}", filter.state.beyond()) } else { String::new() };
    let alerts = format!("SELECT * FROM alerts a WHERE {which} {beyond} ORDER BY {order} LIMIT $6");
    let place = after.unwrap_or(Place { severity: 0, at: DateTime::UNIX_EPOCH, id: AlertId::default() });
    let rows = asked!(format!("{} ORDER BY {order}", lines_of(&alerts)), wanted)
        .bind::<BigInt, _>(limit)
        .bind::<SmallInt, _>(place.severity)
        .bind::<Timestamptz, _>(place.at)
        .bind::<SqlUuid, _>(place.id)
        .load(conn)?;
    Ok(kept(rows, "alerts"))
}

/// The ids of those that fit a filter, the worst first.
pub fn ids(conn: &mut Conn, filter: &Filter, limit: i64) -> Result<Vec<AlertId>, DbError> {
    let wanted = Wanted::new(conn, filter)?;
    let query =
        format!("SELECT a.id FROM alerts a WHERE {} ORDER BY {} LIMIT $6", wanted.condition, filter.state.order());
    let found: Vec<Found> = asked!(query, wanted).bind::<BigInt, _>(limit).load(conn)?;
    Ok(found.into_iter().map(|found| found.id).collect())
}

/// Who owns an alert that is not closed, each found from the one before in the index.
pub fn owners(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let next = "SELECT a.acknowledged_by FROM alerts a WHERE a.closed_at IS NULL AND a.acknowledged_by IS NOT NULL";
    let names: Vec<Name> = diesel::sql_query(format!(
        "WITH RECURSIVE o AS (
             ({next} ORDER BY a.acknowledged_by LIMIT 1)
             UNION ALL
             SELECT ({next} AND a.acknowledged_by > o.acknowledged_by ORDER BY a.acknowledged_by LIMIT 1)
             FROM o WHERE o.acknowledged_by IS NOT NULL)
         SELECT acknowledged_by AS name FROM o WHERE acknowledged_by IS NOT NULL LIMIT {MOST_OWNERS}"
    ))
    .load(conn)?;
    Ok(names.into_iter().map(|name| name.name).collect())
}
