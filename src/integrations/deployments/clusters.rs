//! The clusters that a credential can see, so that the user can choose one.

/// A cluster in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The form fields, with values, that choosing this cluster fills in.
    pub fills: Vec<(&'static str, String)>,
    pub name: String,
    /// Region, location or subscription.
    pub place: String,
    /// `1.33`; blank if the list does not include it.
    pub version: String,
    /// The vendor's word for it; blank if the list does not include it.
    pub state: String,
    /// From where its API server can be reached: `Public`, `Private` …
    pub access: String,
}

/// The clusters, as far as they could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    pub found: Vec<Seen>,
    /// Sentences that say why the list may be incomplete.
    pub missing: Vec<String>,
}

/// Most clusters that are listed.
pub const MOST: usize = 500;

impl Clusters {
    /// Applies `change` to every text that may contain the cloud's own words.
    pub fn for_each_text(&mut self, change: impl Fn(&mut String)) {
        self.missing.iter_mut().for_each(&change);
        for Seen { fills, name, place, version, state, access } in &mut self.found {
            fills.iter_mut().for_each(|(_, value)| change(value));
            [name, place, version, state, access].into_iter().for_each(&change);
        }
    }

    /// Sorts by place and name, and keeps at most [`MOST`].
    pub(super) fn sorted(mut self) -> Self {
        self.found.sort_by(|a, b| (&a.place, &a.name).cmp(&(&b.place, &b.name)));
        if self.found.len() > MOST {
            self.found.truncate(MOST);
            self.missing.push(format!("Only the first {MOST} clusters are listed. Enter another one by name."));
        }
        self
    }
}
