//! Equal events as one line: a key that four webhooks use every minute is four lines with a number, not two hundred.

use chrono::{DateTime, Utc};

use crate::models::events::Event;

/// One line: the newest of equal events, how many they are, and when the first of them was.
#[derive(Clone, Debug)]
pub struct Folded {
    pub event: Event,
    pub times: usize,
    pub first: DateTime<Utc>,
}

/// Folds events, newest first, into at most so many lines; also says how many events those lines hold. Equal events
/// become one line when only events of the same action stand between them, so that the order of what people did stays.
pub fn fold(events: &[Event], lines: usize) -> (Vec<Folded>, usize) {
    let mut folded: Vec<Folded> = Vec::new();
    // Where the stretch of events with one action begins.
    let mut stretch = 0;
    for (taken, event) in events.iter().enumerate() {
        if folded.last().is_some_and(|last| last.event.action != event.action) {
            stretch = folded.len();
        }
        if let Some(line) = folded[stretch..].iter_mut().find(|line| same(&line.event, event)) {
            line.times += 1;
            line.first = event.at;
        } else if folded.len() == lines {
            return (folded, taken);
        } else {
            folded.push(Folded { event: event.clone(), times: 1, first: event.at });
        }
    }
    (folded, events.len())
}

/// Every event as a line of its own.
pub fn each(events: &[Event], lines: usize) -> (Vec<Folded>, usize) {
    let taken = &events[..events.len().min(lines)];
    let line = |event: &Event| Folded { event: event.clone(), times: 1, first: event.at };
    (taken.iter().map(line).collect(), taken.len())
}

fn same(one: &Event, other: &Event) -> bool {
    fn told(event: &Event) -> [&str; 5] {
        [&event.actor, &event.action, &event.subject_name, &event.detail, &event.address]
    }
    one.subject_id == other.subject_id && told(one) == told(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(of: &[(&str, &str)]) -> Vec<Event> {
        let event = |(number, (action, detail)): (usize, &(&str, &str))| Event {
            lane: 0,
            seq: number as i64,
            at: DateTime::from_timestamp(1_800_000_000 - number as i64, 0).unwrap(),
            actor: "Strongroom".to_owned(),
            action: (*action).to_owned(),
            subject_kind: "credential".to_owned(),
            subject_id: None,
            subject_name: "prod".to_owned(),
            detail: (*detail).to_owned(),
            address: String::new(),
            mac: Vec::new(),
            subject_version: None,
        };
        of.iter().enumerate().map(event).collect()
    }

    fn told(lines: &[Folded]) -> Vec<(&str, usize)> {
        lines.iter().map(|line| (line.event.detail.as_str(), line.times)).collect()
    }

    #[test]
    fn equal_events_of_one_stretch_are_one_line_with_their_number() {
        let all = events(&[("use", "a"), ("use", "b"), ("use", "a"), ("edit", "name"), ("use", "a"), ("use", "a")]);
        let (lines, taken) = fold(&all, 50);
        assert_eq!((told(&lines), taken), (vec![("a", 2), ("b", 1), ("name", 1), ("a", 2)], 6));
        assert_eq!(lines[0].first, all[2].at);
        assert_eq!(told(&each(&all, 3).0), [("a", 1), ("b", 1), ("a", 1)]);
    }

    #[test]
    fn a_page_ends_before_the_event_that_needs_a_further_line() {
        let all = events(&[("use", "a"), ("use", "b"), ("use", "a"), ("use", "c"), ("use", "a")]);
        let (lines, taken) = fold(&all, 2);
        assert_eq!((told(&lines), taken), (vec![("a", 2), ("b", 1)], 3));
    }
}
