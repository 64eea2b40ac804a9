//! The alerts of a trigger as one group of the page: a line each, the worst first.

use chrono::{DateTime, Utc};

use super::view::{self, severity};
use crate::alerting::words;
use crate::integrations::alerts::Trigger;
use crate::models::AlertId;
use crate::models::alert_list::{Group, Line, State};
use crate::models::cloud_keys::Count;
use crate::web::credentials::view::{Badge, date};
use crate::web::integrations::shown::{bounded, grouped};
use crate::web::page::{When, brief};
use crate::web::params::Params;

/// Groups that are unfolded when the page comes.
const UNFOLDED: usize = 4;

pub struct GroupView {
    /// Slug of the trigger; empty for closed alerts of all triggers.
    pub slug: String,
    pub title: &'static str,
    pub count: String,
    /// Of the worst of them; closed ones have none.
    pub badge: Option<Badge>,
    pub rows: Vec<RowView>,
    /// All of the group, where it has more than are shown.
    pub all: Option<String>,
    pub unfolded: bool,
}

/// A line.
pub struct RowView {
    pub id: AlertId,
    /// The subject, and what is wrong with it in a few words and as a sentence.
    pub name: String,
    pub short: String,
    pub sentence: String,
    /// Of the subject; empty: the icon of the trigger stands instead.
    pub mark: String,
    pub icon: &'static str,
    /// Where it is not that of the group.
    pub badge: Option<Badge>,
    /// `4 usages`; empty where the subject cannot have any.
    pub usages: String,
    pub owner: Option<String>,
    /// Until when it is snoozed, and by whom.
    pub snoozed: Option<(When, String)>,
    /// Since when it is wrong; of a closed one, when it was closed.
    pub at: When,
}

impl GroupView {
    /// The groups, that of the worst alert first. `lines` come in the order of all.
    pub fn list(groups: &[Group], lines: &[Line], (state, now): (State, DateTime<Utc>), params: &Params) -> Vec<Self> {
        let mut order: Vec<&str> = Vec::new();
        for line in lines {
            if !order.contains(&line.trigger.as_str()) {
                order.push(&line.trigger);
            }
        }
        let group = |(place, slug): (usize, &str)| {
            let count = groups.iter().find(|group| group.trigger == slug).map(Group::count).unwrap_or_default();
            let lines: Vec<&Line> = lines.iter().filter(|line| line.trigger == slug).collect();
            let all = params.link("/alerts", &[("trigger", slug), ("after", "")]);
            let shown = i64::try_from(lines.len()).unwrap_or(i64::MAX);
            let all = (count.more || count.number > shown).then_some(all);
            Self { all, unfolded: place < UNFOLDED, ..Self::new(slug, count, &lines, (state, now)) }
        };
        order.into_iter().enumerate().map(group).collect()
    }

    /// One group: a page of all its alerts, or of closed ones.
    pub fn new(slug: &str, count: Count, lines: &[&Line], (state, now): (State, DateTime<Utc>)) -> Self {
        let badge = lines.first().filter(|_| state != State::Closed).map(|line| severity(line));
        Self {
            slug: slug.to_owned(),
            title: Trigger::find(slug).map_or("Alerts", words::group),
            count: bounded(count),
            badge,
            rows: lines.iter().map(|line| RowView::new(line, badge, now)).collect(),
            all: None,
            unfolded: true,
        }
    }
}

impl RowView {
    fn new(line: &Line, group: Option<Badge>, now: DateTime<Utc>) -> Self {
        let said = view::said(line, now);
        let open = line.closed_at.is_none();
        let until = line.snoozed_until.filter(|until| open && *until > now);
        Self {
            id: line.id,
            name: line.subject_name.clone(),
            short: said.map_or_else(|| line.words.clone(), |said| words::short(&said)),
            sentence: said.map_or_else(|| line.subject_name.clone(), |said| words::title(&said)),
            mark: line.mark.clone(),
            icon: Trigger::find(&line.trigger).map_or("bell", view::icon),
            badge: Some(severity(line)).filter(|badge| group.is_some_and(|group| group != *badge)),
            usages: match (line.kind.as_str(), line.usages) {
                ("", _) => String::new(),
                (_, 0) => "not used".to_owned(),
                (_, 1) => "1 usage".to_owned(),
                (_, several) => format!("{} usages", grouped(i64::from(several))),
            },
            owner: line.acknowledged_by.clone(),
            snoozed: until.map(|until| (date(until), line.snoozed_by.clone().unwrap_or_default())),
            at: brief(line.closed_at.unwrap_or(line.since), now),
        }
    }
}
