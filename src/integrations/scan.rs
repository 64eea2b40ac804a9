//! What a scan of any family brings home: items, and gaps where something could not be read. A gap costs what it names
//! and nothing else; only a service that answers no more, and a scan that reads nothing at all, fail.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cover::Cover;
use super::inventory::Facts;
use super::patterns::is_below;
use super::progress::Step;
use crate::providers::oci_registry::AT_ONCE;
use crate::providers::{Failure, ProviderError, finding};

/// One thing that a scan found: an image, a function. Place and name are its own within the integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub place: String,
    pub name: String,
    /// Another one is a change of the item.
    pub fingerprint: String,
    /// JSON: as text it takes a third of the memory, which counts with 200,000 of them.
    pub facts: String,
}

impl Item {
    pub fn new(place: String, name: String, fingerprint: String, facts: &impl Facts) -> Self {
        Self { place, name, fingerprint, facts: serde_json::to_string(facts).unwrap_or_default() }
    }
}

/// Items and gaps, of all that is scanned or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pub items: Vec<Item>,
    pub gaps: Vec<Gap>,
    /// The places that the settings ask for, where other scans may discover them: those that were read, and those that
    /// could not be read this time.
    pub covers: Vec<Cover>,
}

/// A part of a scan that failed: which step, on what, and why. As the error of a scan it is its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub step: Step,
    /// The part, as people name it: `team/app:1.0`, `eu-central-1`; empty when it was the service as a whole.
    pub at: String,
    pub cause: ProviderError,
    /// The cause and the way out, in whole sentences of which the first begins in lower case.
    pub because: String,
    pub hides: Hides,
    /// How many other parts could not be read either.
    pub others: u32,
}

/// Which items of an earlier scan may still be there, unseen because of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hides {
    Nothing,
    All,
    Place(String),
    /// What is in a place below it: `shop/europe-west3` below `shop`.
    PlacesBelow(String),
    Items {
        place: String,
        names: Vec<String>,
    },
    /// The items whose names are one of these or begin with it and a slash: `eks/eu-central-1`.
    Below {
        place: String,
        paths: Vec<String>,
    },
}

impl Scan {
    /// Nothing but one gap.
    pub fn gap(gap: Gap) -> Self {
        Self { gaps: vec![gap], ..Self::default() }
    }

    pub fn add(&mut self, other: Self) {
        self.items.extend(other.items);
        self.gaps.extend(other.gaps);
        self.covers.extend(other.covers);
    }

    /// In the order of their places. An error, the first gap, when nothing at all was read: there are gaps and no items,
    /// and no `empty` part was read that has none.
    pub fn finished(mut self, empty: bool) -> Result<Self, Gap> {
        self.items.sort_by(|a, b| (&a.place, &a.name).cmp(&(&b.place, &b.name)));
        self.gaps.sort_by(|a, b| (a.step, &a.at).cmp(&(b.step, &b.at)));
        match self.gaps.first() {
            Some(first) if self.items.is_empty() && !empty => Err(first.clone().with_others(self.gaps.len() - 1)),
            _ => Ok(self),
        }
    }
}

impl Hides {
    /// Whether an item of that place and name may be there.
    pub fn may_be(&self, place: &str, name: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::Place(hidden) => hidden == place,
            Self::PlacesBelow(above) => is_below(place, above),
            Self::Items { place: hidden, names } => hidden == place && names.iter().any(|one| one == name),
            Self::Below { place: hidden, paths } => {
                hidden == place && paths.iter().any(|path| name == path || is_below(name, path))
            }
        }
    }
}

impl Gap {
    /// `because` as in the field, from the words of a family. It hides everything.
    pub fn new(step: Step, at: impl Into<String>, cause: ProviderError, because: String) -> Self {
        Self { step, at: at.into(), cause, because, hides: Hides::All, others: 0 }
    }

    /// The same, where other items may be hidden.
    #[must_use]
    pub fn hiding(self, hides: Hides) -> Self {
        Self { hides, ..self }
    }

    /// The same, for a scan in which so many other parts could not be read either.
    #[must_use]
    pub fn with_others(self, others: usize) -> Self {
        Self { others: others.try_into().unwrap_or(u32::MAX), ..self }
    }

    /// The failure without its place: `Listing the tags failed: the registry …`.
    pub fn reason(&self) -> String {
        format!("{} failed: {}", self.step.doing, self.because)
    }
}

impl fmt::Display for Gap {
    /// `Listing the tags of team/app failed: the registry refused the user name or password. …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cause == ProviderError::Stopped {
            return f.write_str("The scan was stopped.");
        }
        f.write_str(self.step.doing)?;
        if !self.at.is_empty() {
            write!(f, " of {}", self.at)?;
        }
        write!(f, " failed: {}", self.because)?;
        match self.others {
            0 => Ok(()),
            1 => f.write_str(" One other part could not be read either."),
            others => write!(f, " {others} other parts could not be read either."),
        }
    }
}

impl std::error::Error for Gap {}

impl From<Gap> for Failure {
    /// All that the gap says, as one sentence of the failure.
    fn from(gap: Gap) -> Self {
        let mut found = finding(&gap.cause, "the service");
        (found.sentence, found.remedy) = (gap.to_string(), String::new());
        found.into()
    }
}

/// Tells a gap from the end of the scan: a service of which so many answers in a row do not come is away.
#[derive(Default)]
pub struct Judge {
    silent: AtomicUsize,
}

impl Judge {
    /// The gap that a failed part of the scan leaves; an error, when it ends the scan.
    pub fn gap(&self, gap: Gap) -> Result<Gap, Gap> {
        if gap.cause == ProviderError::Stopped {
            return Err(gap);
        }
        if !gap.cause.is_silence() {
            self.answered();
            return Ok(gap);
        }
        let silent = self.silent.fetch_add(1, Ordering::Relaxed) + 1;
        if silent >= AT_ONCE { Err(gap) } else { Ok(gap) }
    }

    /// The outcome of one part: its value, or the gap that it leaves.
    pub fn judged<T>(
        &self,
        result: Result<T, ProviderError>,
        failed: impl FnOnce(ProviderError) -> Gap,
    ) -> Result<Result<T, Gap>, Gap> {
        match result {
            Ok(value) => {
                self.answered();
                Ok(Ok(value))
            }
            Err(cause) => self.gap(failed(cause)).map(Err),
        }
    }

    pub fn answered(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: Step = Step { label: "Listing", doing: "Listing the parts" };
    const READING: Step = Step { label: "Reading", doing: "Reading the part" };

    fn gap(step: Step, at: &str, cause: ProviderError) -> Gap {
        Gap::new(step, at, cause, "it failed.".to_owned())
    }

    #[test]
    fn a_gap_hides_the_items_of_its_own_place_and_no_others() {
        let item = Hides::Items { place: "a".to_owned(), names: vec!["1".to_owned()] };
        let seen = |hides: &Hides| [("a", "1"), ("a", "2"), ("b", "1")].map(|(place, name)| hides.may_be(place, name));
        assert_eq!(seen(&item), [true, false, false]);
        assert_eq!(seen(&Hides::Place("a".to_owned())), [true, true, false]);
        let below = Hides::Below { place: "a".to_owned(), paths: vec!["eks/x".to_owned()] };
        assert!(below.may_be("a", "eks/x") && below.may_be("a", "eks/x/prod"));
        assert!(!below.may_be("a", "eks/xy") && !below.may_be("b", "eks/x"));
        assert_eq!((seen(&Hides::All), seen(&Hides::Nothing)), ([true; 3], [false; 3]));
        let places = Hides::PlacesBelow("shop".to_owned());
        assert!(places.may_be("shop/eu", "1") && !places.may_be("shop", "1") && !places.may_be("shop2/eu", "1"));
    }

    #[test]
    fn a_service_is_away_when_eight_answers_in_a_row_do_not_come() {
        let (judge, silence) = (Judge::default(), ProviderError::Timeout { host: "r.example".to_owned() });
        let silent = || judge.gap(gap(LISTING, "a", silence.clone()));
        assert!((0..7).all(|_| silent().is_ok()));
        judge.answered();
        assert!((0..7).all(|_| silent().is_ok()) && silent().is_err());
        assert!(judge.gap(gap(LISTING, "a", ProviderError::Forbidden)).is_ok() && silent().is_ok());
        assert!(judge.gap(gap(LISTING, "a", ProviderError::Stopped)).is_err());
    }

    #[test]
    fn a_scan_that_reads_nothing_fails_and_counts_the_rest() {
        let mut scan = Scan::gap(gap(READING, "b:1", ProviderError::BadAnswer));
        scan.add(Scan::gap(gap(LISTING, "a", ProviderError::Forbidden)));
        let error = scan.clone().finished(false).unwrap_err();
        assert_eq!((error.step, error.at.as_str()), (LISTING, "a"));
        assert!(error.to_string().ends_with("One other part could not be read either."), "{error}");
        assert_eq!(scan.finished(true).map(|scan| scan.gaps.len()), Ok(2), "another part was read, and is empty");
        assert_eq!(Scan::default().finished(false), Ok(Scan::default()));
    }
}
