//! What the address of the page asks for, and the hidden fields of its forms: the same names in both.

use chrono::{DateTime, Utc};

use crate::integrations::alerts::Trigger;
use crate::models::alert_list::{Filter, Owner, Place, State};
use crate::web::error::Error;

/// Of the page.
pub const PATH: &str = "/alerts";
/// Longest search, in characters.
const LONGEST_SEARCH: usize = 200;
/// In an address: owned by nobody.
pub const NOBODY: &str = "-";

/// The names of a filter, in addresses and in forms.
pub const NAMES: [&str; 5] = ["state", "trigger", "severity", "owner", "q"];

/// (word in the address, label)
pub const SEVERITIES: [(&str, &str); 3] = [("1", "Critical"), ("2", "High"), ("3", "Medium")];

/// The word of a state in the address.
pub fn word(state: State) -> &'static str {
    match state {
        State::Open => "",
        State::Soon => "soon",
        State::Snoozed => "snoozed",
        State::Closed => "closed",
    }
}

fn unknown() -> Error {
    Error::Unacceptable("The address asks for something that this list does not have.".to_owned())
}

/// The filter of these values.
pub fn filter<'a>(value: impl Fn(&str) -> &'a str) -> Result<Filter, Error> {
    let state = match value("state") {
        "open" => Some(State::Open),
        other => State::ALL.into_iter().find(|state| word(*state) == other),
    };
    let severity = match value("severity") {
        "" => Some(0),
        other => SEVERITIES.iter().find(|(word, _)| *word == other).and_then(|(word, _)| word.parse().ok()),
    };
    Ok(Filter {
        state: state.ok_or_else(unknown)?,
        trigger: match value("trigger") {
            "" => String::new(),
            slug => Trigger::find(slug).ok_or_else(unknown)?.slug().to_owned(),
        },
        severity: severity.ok_or_else(unknown)?,
        owner: match value("owner") {
            "" => Owner::Any,
            NOBODY => Owner::Nobody,
            name => Owner::Name(name.to_owned()),
        },
        search: value("q").chars().take(LONGEST_SEARCH).collect(),
    })
}

/// Where a page begins, as the address has it: severity, microseconds and id.
pub fn written(place: Place) -> String {
    format!("{}.{}.{}", place.severity, place.at.timestamp_micros(), place.id)
}

/// The place that the address names.
pub fn place(text: &str) -> Result<Option<Place>, Error> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some).ok_or_else(unknown) }
}

fn read(text: &str) -> Option<Place> {
    let (severity, rest) = text.split_once('.')?;
    let (micros, id) = rest.split_once('.')?;
    let at = DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)?;
    let in_range = (0..=4_102_444_800).contains(&at.timestamp());
    Some(Place { severity: severity.parse().ok()?, at, id: id.parse().ok()? }).filter(|_| in_range)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::models::AlertId;

    #[test]
    fn the_place_of_a_page_survives_the_address_and_nothing_else_is_one() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let there = Place { severity: 2, at, id: AlertId(Uuid::from_u128(7)) };
        assert_eq!(read(&written(there)), Some(there));
        for bad in ["1", "1.2", "x.1.00000000-0000-0000-0000-000000000007", "1.-5.00000000-0000-0000-0000-000000000007"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_filter_is_what_the_page_has_and_nothing_else() {
        let of = |name: &'static str, value: &'static str| filter(|asked| if asked == name { value } else { "" });
        assert_eq!(of("state", "snoozed").unwrap().state, State::Snoozed);
        assert_eq!(of("severity", "3").unwrap().severity, 3);
        assert_eq!(of("owner", NOBODY).unwrap().owner, Owner::Nobody);
        assert_eq!(of("owner", "olga").unwrap().owner, Owner::Name("olga".to_owned()));
        for (name, odd) in [("state", "x"), ("severity", "4"), ("trigger", "x")] {
            assert!(of(name, odd).is_err(), "{name}");
        }
    }
}
