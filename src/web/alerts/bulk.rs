//! *Acknowledge* and *Snooze* of the alerts that are ticked, or of a whole group of the page.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::asked::{self, NAMES};
use super::told;
use crate::integrations::alerts::Trigger;
use crate::models::AlertId;
use crate::models::alert_list::Filter;
use crate::services::Services;
use crate::usecases::alerts::{self, Act, Several, Snooze};
use crate::web::error::Error;
use crate::web::page;
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

/// How the name of a row's checkbox begins, before the id.
const TICK: &str = "pick-";

pub async fn act(services: Data<Services>, visitor: As<Operator>, posted: Posted) -> Result<HttpResponse, Error> {
    let ticks: Vec<&str> = posted.0.names().filter(|name| name.starts_with(TICK)).collect();
    posted.only(NAMES.into_iter().chain(["do", "days"]).chain(ticks.iter().copied()))?;
    let filter = asked::filter(|name| posted.get(name))?;
    let back = Params::default().link("/alerts", &NAMES.map(|name| (name, posted.get(name))));
    let ticked: Option<Vec<AlertId>> = ticks.iter().map(|name| name[TICK.len()..].parse().ok()).collect();
    let (act, group) = asked_for(posted.get("do"), posted.get("days")).ok_or(Error::Malformed)?;
    let several = several(filter, group, ticked.ok_or(Error::Malformed)?);
    if several == Several::These(Vec::new()) {
        return Ok(page::see_other(&back, told::NOTHING));
    }
    let done = alerts::act(&services, &visitor.principal(), several, act).await?;
    Ok(page::see_other(&back, &told::word(act, done)))
}

fn several(filter: Filter, group: Option<Trigger>, ticked: Vec<AlertId>) -> Several {
    match group {
        Some(trigger) => Several::Group(Filter { trigger: trigger.slug().to_owned(), ..filter }),
        None => Several::These(ticked),
    }
}

/// `acknowledge` and `snooze` are for what is ticked; `acknowledge:stale` and `snooze:stale:7` for a group.
fn asked_for(button: &str, days: &str) -> Option<(Act, Option<Trigger>)> {
    let lasting = |snooze: &Snooze| !matches!(snooze, Snooze::Quarter | Snooze::Not);
    let snooze = |days: &str| Snooze::find(days).filter(lasting).map(Act::Snooze);
    let parts: Vec<&str> = button.split(':').collect();
    match parts.as_slice() {
        ["acknowledge"] => Some((Act::Acknowledge, None)),
        ["acknowledge", slug] => Some((Act::Acknowledge, Some(Trigger::find(slug)?))),
        ["snooze"] => Some((snooze(days)?, None)),
        ["unsnooze"] => Some((Act::Snooze(Snooze::Not), None)),
        ["snooze", slug, days] => Some((snooze(days)?, Some(Trigger::find(slug)?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_is_for_what_is_ticked_or_for_a_group() {
        assert_eq!(asked_for("acknowledge", ""), Some((Act::Acknowledge, None)));
        assert_eq!(asked_for("snooze:stale:7", ""), Some((Act::Snooze(Snooze::Week), Some(Trigger::Stale))));
        for (button, days) in
            [("", ""), ("snooze", ""), ("snooze", "90"), ("snooze:stale:2", ""), ("acknowledge:x", "")]
        {
            assert_eq!(asked_for(button, days), None, "{button} {days}");
        }
    }
}
