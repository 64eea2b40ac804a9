//! A scan of some places says nothing of the others: what an earlier scan could not read there is still unread.

use crate::models::run_ends::{self, Gap};
use crate::models::{Conn, DbError, IntegrationId};

/// The gaps of the inventory in places that a scan does not read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    pub count: i32,
    /// Those that are named.
    pub named: Vec<Gap>,
    /// A sentence about the first one; `None` without any.
    pub error: Option<String>,
}

/// What the last scan that left an inventory could not read outside of these places.
pub fn unread(conn: &mut Conn, integration: IntegrationId, places: &[String]) -> Result<Elsewhere, DbError> {
    let (count, named, error) = run_ends::last_gaps(conn, integration)?;
    Ok(Elsewhere::of(count, named, error, places))
}

impl Elsewhere {
    /// A deployment that needs attention.
    pub fn of_deployment(error: Option<String>) -> Self {
        Self { count: i32::from(error.is_some()), named: Vec::new(), error }
    }

    fn of(count: i32, mut named: Vec<Gap>, error: Option<String>, places: &[String]) -> Self {
        let before = named.len();
        named.retain(|gap| !places.iter().any(|place| is_in(&gap.at, place)));
        let count = count - i32::try_from(before - named.len()).unwrap_or(i32::MAX);
        let error = match named.first() {
            Some(first) if first.at.is_empty() => Some(first.reason.clone()),
            Some(first) => Some(format!("{}: {}", first.at, first.reason)),
            None => error.filter(|_| count > 0),
        };
        Self { count, named, error }
    }
}

/// Whether a gap is a place, or an item of it: `team/app`, `team/app:1.0`.
fn is_in(at: &str, place: &str) -> bool {
    at.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(at: &str) -> Gap {
        Gap { at: at.to_owned(), reason: "It failed.".to_owned() }
    }

    #[test]
    fn gaps_of_other_places_stay_and_those_of_the_read_ones_go() {
        let places = ["team/app".to_owned()];
        let of = |gaps: Vec<Gap>, count| Elsewhere::of(count, gaps, Some("All failed.".to_owned()), &places);
        let left = of(vec![gap("team/app"), gap("team/app:1.0"), gap("team/apple"), gap("")], 4);
        assert_eq!((left.count, left.named), (2, vec![gap("team/apple"), gap("")]));
        assert_eq!(left.error.as_deref(), Some("team/apple: It failed."));
        assert_eq!(of(vec![gap("team/app:1.0")], 1), Elsewhere::default());
        assert_eq!(of(vec![gap("team/app")], 3).error.as_deref(), Some("All failed."), "two that are not named");
    }
}
