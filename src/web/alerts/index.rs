//! The list: grouped by trigger, the worst first; one group, or what is closed, a page at a time. Below stand the
//! channels and the messages that wait for a person; above, the warning that nobody is notified.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::asked::{self, NAMES, NOBODY, PATH, SEVERITIES};
use super::channels::ChannelView;
use super::groups::GroupView;
use super::view::{self, DeliveryView};
use crate::alerting::{self, words};
use crate::integrations::alerts::Trigger;
use crate::models::alert_list::{self, Filter, Group, Line, Owner, Place, State};
use crate::models::cloud_keys::Count;
use crate::models::delivery_list::{self, ChannelState, Shown};
use crate::models::views::{self, List, View};
use crate::models::{self, Conn, DbError, UserId};
use crate::services::Services;
use crate::vault::Vault;
use crate::web::chip::Chip;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::shown::bounded;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use crate::web::views::Bar;

/// Alerts of one group, or closed ones, on a page.
const PAGE: usize = 50;
/// Alerts of each group, where there are several.
const EACH: i64 = 25;
/// Parked messages on the page; more are on their channels' pages.
const MOST_PARKED: usize = 3;

#[derive(Template)]
#[template(path = "alerts/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    /// (name, value) of what the forms keep of the address.
    kept: Vec<(&'static str, String)>,
    search: String,
    views: Bar,
    severities: Vec<(&'static str, &'static str)>,
    severity: String,
    /// (slug, label)
    triggers: Vec<(&'static str, &'static str)>,
    trigger: String,
    owners: Vec<String>,
    owner: String,
    nobody: &'static str,
    state: &'static str,
    chips: Vec<Chip>,
    groups: Vec<GroupView>,
    filtered: bool,
    /// The page of all groups, from that of one.
    up: Option<String>,
    first: Option<String>,
    further: Option<String>,
    csv: String,
    channels: Vec<ChannelView>,
    parked: Vec<DeliveryView>,
    more_parked: bool,
    /// Where the forms of parked messages lead back to.
    next: String,
    /// Whether anybody is notified.
    told: bool,
    watched: String,
    /// When the whole store was last verified, in words; `late` if that is too long ago.
    verified: String,
    late: bool,
    /// The alert settings do not count.
    settings_doubt: bool,
}

/// Everything that the page is made of.
struct Read {
    /// Of [`State::ALL`].
    counts: [Count; 4],
    groups: Vec<Group>,
    lines: Vec<Line>,
    more: bool,
    owners: Vec<String>,
    channels: Vec<ChannelState>,
    parked: Vec<Shown>,
    told: bool,
    views: Vec<View>,
    now: DateTime<Utc>,
}

/// Closed alerts, and those of one trigger, are turned page by page.
fn is_paged(filter: &Filter) -> bool {
    filter.state == State::Closed || !filter.trigger.is_empty()
}

fn read(
    conn: &mut Conn,
    (vault, user): (&Vault, UserId),
    filter: &Filter,
    after: Option<Place>,
) -> Result<Read, DbError> {
    let (groups, mut lines) = if filter.state == State::Closed {
        (Vec::new(), alert_list::page(conn, filter, after, PAGE as i64 + 1)?)
    } else {
        let groups = alert_list::groups(conn, filter)?;
        let lines = match is_paged(filter) {
            true => alert_list::page(conn, filter, after, PAGE as i64 + 1)?,
            false => alert_list::worst(conn, filter, &groups, EACH)?,
        };
        (groups, lines)
    };
    let more = is_paged(filter) && lines.len() > PAGE;
    if more {
        lines.truncate(PAGE);
    }
    Ok(Read {
        counts: alert_list::counts(conn)?,
        owners: alert_list::owners(conn)?,
        channels: delivery_list::channels(conn)?,
        parked: delivery_list::parked(conn, MOST_PARKED as i64 + 1)?,
        told: alerting::has_audience(conn, vault)?,
        views: views::of(conn, user, Some(List::Alerts))?,
        now: models::clock(conn)?,
        groups,
        lines,
        more,
    })
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (filter, after) = (asked::filter(|name| params.get(name))?, asked::place(params.get("after"))?);
    let (wanted, vault, user) = (filter.clone(), services.vault.clone(), visitor.user_id);
    let mut read = services.db.run(move |conn| read(conn, (&vault, user), &wanted, after)).await?;
    let views = Bar::new(List::Alerts, &params, std::mem::take(&mut read.views), &visitor.principal());
    // The sidebar says what the chip says.
    let [open, ..] = read.counts;
    services.alerts.set_open(open);
    let index = Index::new(&services, (Shell::new(&request, &visitor, "alerts"), views), &params, filter, read);
    if htmx::asked(&request) { page::html(&index.as_results()) } else { page::html(&index) }
}

impl Index {
    fn new(services: &Services, (shell, views): (Shell, Bar), params: &Params, filter: Filter, read: Read) -> Self {
        let (now, paged) = (read.now, is_paged(&filter));
        let last = read.lines.last().filter(|_| read.more);
        let place =
            last.map(|line| Place { severity: line.severity, at: line.closed_at.unwrap_or(line.since), id: line.id });
        let mut parked = read.parked;
        let more_parked = parked.len() > MOST_PARKED;
        parked.truncate(MOST_PARKED);
        let search = filter.search.trim().to_owned();
        Self {
            kept: NAMES.map(|name| (name, params.get(name).to_owned())).into_iter().collect(),
            views,
            severities: SEVERITIES.to_vec(),
            severity: params.get("severity").to_owned(),
            triggers: Trigger::ALL.map(|trigger| (trigger.slug(), words::group(trigger))).to_vec(),
            owners: owners(read.owners, &filter.owner, &shell.user),
            owner: params.get("owner").to_owned(),
            nobody: NOBODY,
            state: asked::word(filter.state),
            chips: chips(params, filter.state, read.counts),
            groups: groups(&read.groups, &read.lines, (&filter, now), params),
            filtered: !(search.is_empty() && filter.trigger.is_empty())
                || filter.severity != 0
                || filter.owner != Owner::Any,
            up: (paged && filter.state != State::Closed).then(|| params.link(PATH, &[("trigger", ""), ("after", "")])),
            first: Some(params.link(PATH, &[("after", "")])).filter(|_| !params.get("after").is_empty()),
            csv: params.link("/alerts.csv", &[("after", "")]),
            further: place.map(|place| params.link(PATH, &[("after", &asked::written(place))])),
            channels: read.channels.into_iter().map(|channel| ChannelView::new(channel, now)).collect(),
            parked: parked.into_iter().map(|shown| DeliveryView::new(shown, now)).collect(),
            more_parked,
            next: params.link(PATH, &[]),
            watched: view::watched(&services.limits()),
            verified: view::verified(services.alerts.verified()),
            late: services.alerts.verified().is_some_and(|verified| verified.is_late()),
            settings_doubt: services.alerts.settings().doubt.is_some(),
            told: read.told,
            trigger: filter.trigger,
            search,
            shell,
        }
    }
}

/// Those to choose from: whoever looks at the page, and the one that is chosen, are always there.
fn owners(mut names: Vec<String>, chosen: &Owner, me: &str) -> Vec<String> {
    if let Owner::Name(name) = chosen {
        names.push(name.clone());
    }
    names.push(me.to_owned());
    names.sort();
    names.dedup();
    names
}

fn groups(
    groups: &[Group],
    lines: &[Line],
    (filter, now): (&Filter, DateTime<Utc>),
    params: &Params,
) -> Vec<GroupView> {
    let at = (filter.state, now);
    if !is_paged(filter) {
        return GroupView::list(groups, lines, at, params);
    }
    if lines.is_empty() {
        return Vec::new();
    }
    let count = groups.first().map(Group::count).unwrap_or_default();
    vec![GroupView::new(&filter.trigger, count, &lines.iter().collect::<Vec<_>>(), at)]
}

fn chips(params: &Params, chosen: State, counts: [Count; 4]) -> Vec<Chip> {
    let chip = |(state, count): (State, Count)| {
        let label = match state {
            State::Open => "Open",
            State::Soon => "Soon",
            State::Snoozed => "Snoozed",
            State::Closed => "Closed",
        };
        let href = params.link(PATH, &[("state", asked::word(state)), ("after", "")]);
        Chip::new(label, bounded(count), href, state == chosen)
    };
    State::ALL.into_iter().zip(counts).map(chip).collect()
}
