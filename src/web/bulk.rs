//! What is done to the ticked rows of a table, in what all tables share: the form that says to which, and asks what is needed;
//! then the page that says what was done to each and what was not, and why. What takes long is sent line by line as the
//! answers come. What can be done to which rows is in each table's own `bulk`.

use std::cell::Cell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::fmt::Display;
use std::rc::Rc;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use askama::Template;
use futures_util::{Stream, StreamExt, stream};

use super::error::Error;
use super::numbers::counted;
use super::page::{self, Shell};
use super::posted::Posted;
use super::step_up::{self, Ask};
use crate::usecases::Refusal;
use crate::usecases::bulk::{MOST, Outcome};

/// Rows at the same time: a provider that is slow holds up no other.
const AT_ONCE: usize = 4;
/// Stands in the page where its lines go.
const LINES: &str = "<!-- lines -->";

/// A table whose rows can be ticked.
#[derive(Debug)]
pub struct Table {
    /// `credential`
    pub noun: &'static str,
    pub path: &'static str,
    /// As the link back calls it.
    pub label: &'static str,
}

/// The ids of the ticked boxes; the form holds these and `fields`, and no others.
pub fn ticked<Id: FromStr + Display>(posted: &Posted, fields: &[&str]) -> Result<Vec<Id>, Error> {
    let ids: Vec<Id> = posted.0.names().filter_map(|name| name.parse().ok()).collect();
    let known: HashSet<String> = ids.iter().map(ToString::to_string).collect();
    posted.only(fields.iter().copied().chain([step_up::FIELD]).chain(known.iter().map(String::as_str)))?;
    Ok(ids)
}

/// Refuses none and too many.
pub fn some<Id>(table: &Table, ids: Vec<Id>) -> Result<Vec<Id>, Error> {
    match ids.len() as i64 {
        0 => Err(Error::Unacceptable(format!("No {} is selected. Go back and select some.", table.noun))),
        count if count > MOST => {
            Err(Error::Unacceptable(format!("That is more than 1,000 {}s at once. Narrow the filters.", table.noun)))
        }
        _ => Ok(ids),
    }
}

/// A row that was ticked.
#[derive(Clone, Debug)]
pub struct Ticked {
    pub id: String,
    pub name: String,
    pub detail: String,
}

/// The form between the table and the deed.
#[derive(Template)]
#[template(path = "bulk/form.html")]
pub struct Form {
    pub shell: Shell,
    pub table: &'static Table,
    /// `tag`, `owner`, `limit`, `delete` or `off`.
    pub what: &'static str,
    pub rows: Vec<Ticked>,
    /// What stays, and why.
    pub kept: Vec<(String, &'static str)>,
    pub back: String,
    pub suggestions: Vec<String>,
    pub entered: String,
    pub error: Option<String>,
    pub password: Option<Ask>,
}

impl Form {
    /// The field that it asks for.
    fn field(&self) -> &'static str {
        match self.what {
            "limit" => "days",
            "delete" => "word",
            what => what,
        }
    }

    /// `3 credentials`
    fn counted(&self) -> String {
        counted(self.rows.len() as i64, self.table.noun)
    }

    /// The form as it was sent, with what is wrong.
    pub fn refused(self, posted: &Posted, refusal: Refusal) -> Result<HttpResponse, Error> {
        let field = self.field();
        let again = Self { entered: posted.get(field).to_owned(), ..self };
        match refusal {
            Refusal::Invalid(errors) => {
                let error = errors.of(field).map(str::to_owned);
                page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &Self { error, ..again })
            }
            Refusal::Unconfirmed(why) => {
                let ask = Ask::new(step_up::FIELD, why);
                ask.answer(&Self { password: Some(ask.clone()), ..again })
            }
            refusal => Err(refusal.into()),
        }
    }
}

/// What became of each.
#[derive(Template)]
#[template(path = "bulk/done.html")]
pub struct Done {
    shell: Shell,
    table: &'static Table,
    title: String,
    /// Where the lines follow later.
    follows: bool,
    lines: Vec<Line>,
    back: String,
}

/// One row of that page.
pub struct Line {
    /// Its page; `None` where it is gone.
    pub href: Option<String>,
    pub name: String,
    pub tone: &'static str,
    pub word: &'static str,
    pub detail: String,
}

/// The same by itself.
#[derive(Template)]
#[template(path = "bulk/_line.html")]
struct Sent {
    line: Line,
}

impl Done {
    /// `verb` is what was done to those that changed: *Changed*.
    pub fn new(
        shell: Shell,
        table: &'static Table,
        (verb, stay): (&'static str, bool),
        outcomes: Vec<Outcome>,
        back: String,
    ) -> Self {
        let count = outcomes.iter().filter(|outcome| outcome.done.is_ok()).count();
        let line = |outcome| Line::new(table, (verb, stay), outcome);
        let mut lines: Vec<Line> = outcomes.into_iter().map(line).collect();
        // What needs a look comes first.
        lines.sort_by_key(|line| line.tone != "bad");
        Self { shell, table, title: format!("{verb} {count} of {}", lines.len()), follows: false, lines, back }
    }

    /// Does `each` to all rows, a few at a time, and sends the page meanwhile. Whoever leaves the page stops it. `title`:
    /// *Testing 3 credentials*.
    pub fn sent_as_it_goes<Row: 'static, Doing: Future<Output = Line> + 'static>(
        (shell, table, back): (Shell, &'static Table, String),
        title: String,
        rows: Vec<Row>,
        each: impl Fn(Row) -> Doing + 'static,
    ) -> Result<HttpResponse, Error> {
        let page = Self { shell, table, title, follows: true, lines: Vec::new(), back }.render()?;
        let (head, tail) = page.split_once(LINES).ok_or(Error::Internal)?;
        let body = streamed([head.to_owned(), tail.to_owned()], rows, each);
        Ok(HttpResponse::Ok().content_type(ContentType::html()).streaming(body))
    }
}

fn streamed<Row: 'static, Doing: Future<Output = Line> + 'static>(
    [head, tail]: [String; 2],
    rows: Vec<Row>,
    each: impl Fn(Row) -> Doing + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let (good, all) = (Rc::new(Cell::new(0)), rows.len());
    let works = good.clone();
    let lines = stream::iter(rows).map(move |row| {
        let (good, doing) = (good.clone(), each(row));
        async move {
            let line = doing.await;
            good.set(good.get() + usize::from(line.tone == "good"));
            Sent { line }.render().unwrap_or_default()
        }
    });
    let sum =
        stream::once(async move { format!("<tr data-sum><td colspan=\"3\">{} of {all} work.</td></tr>", works.get()) });
    let tail = stream::once(async move { tail });
    let text = stream::once(async move { head }).chain(lines.buffer_unordered(AT_ONCE)).chain(sum).chain(tail);
    text.map(|text| Ok(Bytes::from(text)))
}

impl Line {
    fn new(table: &Table, (verb, stays): (&'static str, bool), outcome: Outcome) -> Self {
        let Outcome { id, name, done } = outcome;
        let gone = !stays && done == Ok(true);
        let (tone, word, detail) = match done {
            Ok(true) => ("good", verb, String::new()),
            Ok(false) => ("off", "No change", String::new()),
            Err(why) => ("bad", "Not done", why),
        };
        Self { href: (!gone).then(|| format!("{}/{id}", table.path)), name, tone, word, detail }
    }
}
