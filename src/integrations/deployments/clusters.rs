//! The clusters that a credential can see, to choose one from.

/// A cluster of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The fields of the form that are filled in when this one is chosen.
    pub fills: Vec<(&'static str, String)>,
    pub name: String,
    /// Region, location or subscription.
    pub place: String,
    /// `1.33`; blank where the list does not tell.
    pub version: String,
    /// In the vendor's word; blank where the list does not tell.
    pub state: String,
    /// Who reaches it: `Public`, `Private` …
    pub access: String,
}

/// The clusters, as far as they could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    pub found: Vec<Seen>,
    /// Why there may be more, in whole sentences.
    pub missing: Vec<String>,
}

/// Most clusters that are listed.
pub const MOST: usize = 500;

impl Clusters {
    /// Changes every text that may hold what the cloud answered.
    pub fn for_each_text(&mut self, change: impl Fn(&mut String)) {
        self.missing.iter_mut().for_each(&change);
        for Seen { fills, name, place, version, state, access } in &mut self.found {
            fills.iter_mut().for_each(|(_, value)| change(value));
            [name, place, version, state, access].into_iter().for_each(&change);
        }
    }

    /// In the order of their places, no more than a page can show.
    pub(super) fn sorted(mut self) -> Self {
        self.found.sort_by(|a, b| (&a.place, &a.name).cmp(&(&b.place, &b.name)));
        if self.found.len() > MOST {
            self.found.truncate(MOST);
            self.missing.push(format!("Only the first {MOST} are listed. Enter the name of another."));
        }
        self
    }
}
