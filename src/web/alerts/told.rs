//! What came of an act on several alerts, as one sentence of the next page. A cookie carries its numbers there.

use crate::models::alert_acts::Acted;
use crate::usecases::alerts::{Act, Done, MOST_AT_ONCE, Snooze};
use crate::web::numbers::{counted, grouped};

/// Nothing was ticked.
pub const NOTHING: &str = "alerts.nothing";

/// What came of it, as the cookie of the notice carries it.
pub fn word(act: Act, Done { acted, more }: Done) -> String {
    let what = match act {
        Act::Acknowledge => "acknowledged",
        Act::Snooze(Snooze::Not) => "unsnoozed",
        Act::Snooze(_) => "snoozed",
    };
    let Acted { done, owned, closed, altered } = acted;
    format!("alerts.{what}.{done}.{owned}.{closed}.{altered}.{}", u8::from(more))
}

/// The tone and the sentence of such a word.
pub fn sentence(word: &str) -> Option<(&'static str, String)> {
    if word == NOTHING {
        return Some(("info", "No alert was selected. Nothing was changed.".to_owned()));
    }
    let mut parts = word.strip_prefix("alerts.")?.split('.');
    let verb = match parts.next()? {
        "acknowledged" => "Acknowledged",
        "unsnoozed" => "No longer snoozed:",
        "snoozed" => "Snoozed",
        _ => return None,
    };
    let numbers: Vec<u32> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [done, owned, closed, altered, more] = *numbers.as_slice() else { return None };
    let mut text = format!("{verb} {}.", counted(i64::from(done), "alert"));
    for (number, why) in [
        (owned, "already had another owner"),
        (closed, "had been closed"),
        (altered, "had been tampered with in the database and stayed as it was"),
    ] {
        if number > 0 {
            text.push_str(&format!(" {} {why}.", grouped(i64::from(number))));
        }
    }
    if more > 0 {
        text.push_str(&format!(
            " There are more: {} are done at once. Do it again for the next.",
            grouped(MOST_AT_ONCE)
        ));
    }
    let whole = [owned, closed, altered, more] == [0; 4];
    Some((if whole { "good" } else { "info" }, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_what_was_done_and_what_was_not() {
        let acted = Acted { done: 22, owned: 3, ..Acted::default() };
        let (_, said) = sentence(&word(Act::Acknowledge, Done { acted, more: false })).unwrap();
        assert_eq!(said, "Acknowledged 22 alerts. 3 already had another owner.");
        let acted = Acted { done: 1, ..Acted::default() };
        let said = sentence(&word(Act::Snooze(Snooze::Week), Done { acted, more: false })).unwrap();
        assert_eq!(said, ("good", "Snoozed 1 alert.".to_owned()));
        for bad in ["alerts.x.1.0.0.0.0", "alerts.snoozed.1", "alerts.snoozed.<b>.0.0.0.0", "saved"] {
            assert_eq!(sentence(bad), None, "{bad}");
        }
    }
}
