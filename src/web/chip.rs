//! A filter of one click, as `ui::chip` draws it.

/// One filter with the number of rows that it shows.
pub struct Chip {
    pub label: &'static str,
    /// `12`, or `2,000+`.
    pub count: String,
    pub href: String,
    pub chosen: bool,
    /// Of the number: `bad`, `warn` or nothing.
    pub tone: &'static str,
}

impl Chip {
    pub fn new(label: &'static str, count: String, href: String, chosen: bool) -> Self {
        Self { label, count, href, chosen, tone: "" }
    }
}
