//! A page of the help as data: shown by one template, and searched as it is shown.

/// A page.
pub struct Topic {
    pub href: String,
    /// Heading of its sort on the index.
    pub group: &'static str,
    /// Slug of its mark; empty: none.
    pub mark: &'static str,
    pub title: String,
    /// One sentence.
    pub lead: String,
    pub sections: Vec<Section>,
    /// Where one is added, and what the link says; for who may edit.
    pub add: Option<(String, &'static str)>,
}

pub struct Section {
    /// Its anchor.
    pub id: &'static str,
    pub heading: &'static str,
    pub blocks: Vec<Block>,
}

/// Closed: the template matches every arm.
pub enum Block {
    Text(String),
    Steps(Vec<String>),
    Points(Vec<String>),
    /// Term and meaning.
    Terms(Vec<(String, String)>),
    /// Caption and text, ready to copy.
    Code(String, String),
    Links(Vec<Link>),
    /// A page beyond the console.
    Source(&'static str),
}

pub struct Link {
    pub href: String,
    pub mark: &'static str,
    pub text: String,
}

impl Link {
    pub fn new(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self { href: href.into(), mark: "", text: text.into() }
    }
}

impl Section {
    pub fn new(id: &'static str, heading: &'static str, blocks: Vec<Block>) -> Self {
        Self { id, heading, blocks }
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.heading).chain(self.blocks.iter().flat_map(Block::texts))
    }
}

impl Block {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn points(points: &[&str]) -> Self {
        Self::Points(points.iter().map(|point| (*point).to_owned()).collect())
    }

    pub fn terms<A: Into<String>, B: Into<String>>(terms: impl IntoIterator<Item = (A, B)>) -> Self {
        Self::Terms(terms.into_iter().map(|(term, meaning)| (term.into(), meaning.into())).collect())
    }

    /// Addresses and what each is called.
    pub fn links(list: &[(&str, &str)]) -> Self {
        Self::Links(list.iter().map(|(href, text)| Link::new(*href, *text)).collect())
    }

    /// Failures, each a whole sentence that is followed by what to do.
    pub fn faults(faults: impl IntoIterator<Item = String>) -> Self {
        let apart = |fault: String| match fault.find(". ") {
            Some(end) => (fault[..=end].to_owned(), fault[end + 2..].to_owned()),
            None => (fault, String::new()),
        };
        Self::Terms(faults.into_iter().map(apart).collect())
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => vec![text],
            Self::Steps(list) | Self::Points(list) => list.iter().map(String::as_str).collect(),
            Self::Terms(terms) => terms.iter().flat_map(|(term, meaning)| [term.as_str(), meaning]).collect(),
            Self::Code(caption, text) => vec![caption, text],
            Self::Links(links) => links.iter().map(|link| link.text.as_str()).collect(),
            Self::Source(_) => Vec::new(),
        }
    }
}

impl Topic {
    /// One that is about no type and no provider.
    pub fn concept(href: &str, title: &str, lead: &str, sections: Vec<Section>) -> Self {
        let (href, title, lead) = (href.to_owned(), title.to_owned(), lead.to_owned());
        Self { href, group: "How it works", mark: "", title, lead, sections, add: None }
    }

    /// All that is read on the page, piece by piece.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        [self.title.as_str(), self.lead.as_str()].into_iter().chain(self.sections.iter().flat_map(Section::texts))
    }
}
