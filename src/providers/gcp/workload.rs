//! What runs without servers at Google: a function of Cloud Functions or a service of Cloud Run. Their environment
//! variables come with every list, in the clear: no struct has a member for them, and the bytes of a list are wiped once
//! it is read.

use chrono::{DateTime, Utc};

use super::line::{Listed, is_location};
use crate::providers::ProviderError;

/// A function or a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    pub kind: Kind,
    /// `europe-west3`
    pub location: String,
    pub name: String,
    /// `nodejs24`; `None` for a container image.
    pub runtime: Option<String>,
    /// What is deployed, as Google names it: `pay-00007-abc`; blank where it names nothing.
    pub revision: String,
    /// `Active`
    pub state: String,
    pub modified: Option<DateTime<Utc>>,
    /// E-mail address of the service account that it runs as.
    pub account: String,
    /// The service of Cloud Run that runs it; `None` for a function of the first generation.
    pub service: Option<String>,
    /// Of a service: Cloud Functions deployed it.
    pub is_managed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of Cloud Functions, first generation.
    FirstGeneration,
    /// Of Cloud Functions, on Cloud Run.
    Function,
    /// Of Cloud Run alone.
    Service,
}

impl Kind {
    pub fn label(self) -> &'static str {
        match self {
            Self::FirstGeneration => "Cloud Functions (1st gen)",
            Self::Function => "Cloud Functions",
            Self::Service => "Cloud Run",
        }
    }
}

/// An entry of a list that is not described as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Location and name; `None` where not even they could be read.
    pub place: Option<(String, String)>,
}

/// What a project has, as far as it could be read.
#[derive(Debug, Default)]
pub struct Found {
    pub workloads: Vec<Workload>,
    pub unreadable: Vec<Unreadable>,
    /// Locations that Google could not ask.
    pub unreachable: Vec<String>,
    /// Locations that were asked by themselves, and why they could not be read.
    pub failed: Vec<(String, ProviderError)>,
    /// Why entries are missing, if some are.
    pub rest: Option<ProviderError>,
}

/// An entry as an API writes it.
pub(super) trait Written {
    /// `projects/p/locations/europe-west3/functions/pay`
    fn name(&self) -> &str;

    /// `None` where something in it cannot be.
    fn read(self, location: String, name: String) -> Option<Workload>;
}

impl Found {
    /// `collection` is `functions` or `services`.
    pub(super) fn of<W: Written>(listed: Listed<W>, collection: &str) -> Self {
        let mut found = Self { unreachable: listed.unreachable, rest: listed.rest, ..Self::default() };
        for entry in listed.entries {
            let place = place(entry.name(), collection);
            match place.clone().and_then(|(location, name)| entry.read(location, name)) {
                Some(workload) => found.workloads.push(workload),
                None => found.unreadable.push(Unreadable { place }),
            }
        }
        found
    }

    pub(super) fn add(&mut self, other: Self) {
        self.workloads.extend(other.workloads);
        self.unreadable.extend(other.unreadable);
        self.unreachable.extend(other.unreachable);
        self.failed.extend(other.failed);
        self.rest = self.rest.take().or(other.rest);
    }
}

/// Location and name, of a resource's whole name.
fn place(whole: &str, collection: &str) -> Option<(String, String)> {
    let (_, rest) = whole.strip_prefix("projects/")?.split_once("/locations/")?;
    let (location, rest) = rest.split_once('/')?;
    let name = rest.strip_prefix(collection)?.strip_prefix('/')?;
    let good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let is_name = (1..=128).contains(&name.len()) && name.chars().all(good);
    (is_location(location) && is_name).then(|| (location.to_owned(), name.to_owned()))
}

/// A text that can be shown, of at most so many bytes.
pub(super) fn plain(text: String, most: usize) -> Option<String> {
    (text.len() <= most && text.bytes().all(|b| b.is_ascii_graphic())).then_some(text)
}

/// One of Google's constants in a word: `ACTIVE` is `Active`, and what is not specified is blank.
pub(super) fn word(constant: &str) -> Option<String> {
    let fits = constant.len() <= 64 && constant.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let text = if constant == "STATE_UNSPECIFIED" { "" } else { constant };
    fits.then(|| crate::providers::capital(&text.to_ascii_lowercase().replace('_', " ")))
}

pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_tells_location_and_name_and_nothing_odd() {
        let of = |whole: &str| place(whole, "functions");
        let pay = Some(("europe-west3".to_owned(), "pay".to_owned()));
        assert_eq!(of("projects/shop/locations/europe-west3/functions/pay"), pay);
        assert_eq!(of("projects/123/locations/europe-west3/functions/pay"), pay);
        for odd in [
            "",
            "pay",
            "projects/shop/locations/europe-west3/services/pay",
            "projects/shop/locations/../functions/pay",
            "projects/shop/locations/europe-west3/functions/a/b",
            "projects/shop/locations/europe-west3/functions/<b>",
            "projects/shop/locations/europe-west3/functions/",
        ] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }

    #[test]
    fn constants_of_google_are_words() {
        assert_eq!(word("ACTIVE").as_deref(), Some("Active"));
        assert_eq!(word("DETACH_FAILED").as_deref(), Some("Detach failed"));
        assert_eq!((word("STATE_UNSPECIFIED").as_deref(), word("").as_deref()), (Some(""), Some("")));
        assert_eq!(word("<b>"), None);
    }
}
