//! A channel and how it is doing, as one line.

use chrono::{DateTime, Utc};

use crate::integrations::Spec;
use crate::models::delivery_list::ChannelState;
use crate::web::credentials::view::Badge;
use crate::web::page::{When, when};

pub struct ChannelView {
    pub page: String,
    pub name: String,
    pub label: &'static str,
    pub state: Badge,
    pub away: Option<When>,
    pub waiting: i64,
    pub parked: i64,
}

impl ChannelView {
    pub fn new(channel: ChannelState, now: DateTime<Utc>) -> Self {
        Self {
            page: format!("/integrations/{}", channel.id),
            label: Spec::find(&channel.version).map_or("Unknown channel", |spec| spec.label),
            state: match channel {
                ChannelState { active: false, .. } => ("off", "Switched off"),
                ChannelState { failing_since: Some(_), .. } => ("warn", "Unreachable"),
                ChannelState { parked: 1.., .. } => ("bad", "Undelivered"),
                ChannelState { waiting: 1.., .. } => ("info", "Sending"),
                _ => ("good", "Delivering"),
            },
            away: channel.failing_since.filter(|_| channel.active).map(|at| when(at, now)),
            name: channel.name,
            waiting: channel.waiting,
            parked: channel.parked,
        }
    }
}
