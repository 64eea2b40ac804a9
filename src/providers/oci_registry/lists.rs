//! Lists over several pages: by the header `Link`, or by whatever a vendor's own interface has instead. Each page is
//! asked for on the host of the first one; a list without end is cut off, and the names that came are kept.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;
use zeroize::Zeroize;

use super::Pages;
use super::links::{next_page, on_host};
use super::session::{Ask, Session, Sign};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;

/// Bounds of one list. A registry with more needs a narrower question.
const MAX_PAGES: usize = 1000;
const MAX_NAMES: usize = 100_000;

/// Where the next page of a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Where the header `Link` says (RFC 8288), if it is there.
    Link,
    /// At this page's address with another value of a parameter: a page's number, a token to go on with.
    Parameter(&'static str, String),
    /// At an address that the answer names, on the same host.
    Address(String),
    /// There is none.
    End,
}

impl Next {
    /// A parameter of that name, or the end where an answer gives no value or a blank one.
    pub fn parameter(name: &'static str, value: Option<String>) -> Self {
        value.filter(|value| !value.is_empty()).map_or(Self::End, |value| Self::Parameter(name, value))
    }

    fn address(self, answer: &Answer, current: &Url) -> Result<Option<Url>, ProviderError> {
        match self {
            Self::Link => next_page(answer, current),
            Self::Address(target) => on_host(&target, current).map(Some),
            Self::Parameter(name, value) => {
                let others = current.query_pairs().filter(|(other, _)| other != name);
                let others: Vec<(String, String)> = others.map(|(n, v)| (n.into_owned(), v.into_owned())).collect();
                let mut next = current.clone();
                next.query_pairs_mut().clear().extend_pairs(others).append_pair(name, &value);
                Ok(Some(next))
            }
            Self::End => Ok(None),
        }
    }
}

/// An entry of a list. One that cannot be read costs itself and no others.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Lenient<T> {
    Read(T),
    Odd(IgnoredAny),
}

/// The entries of a list, and why there are no more, if there should be.
pub type Entries<T> = (Vec<T>, Option<ProviderError>);

/// Entries, and the address of the next page or why it is not asked for.
type Page<T> = (Vec<Lenient<T>>, Result<Option<Url>, ProviderError>);

impl Session {
    /// Reads a page, and the pages that follow it. `read` gives the entries of one and says where the next one is.
    /// Pages after the first may be missing: then the reason comes with the entries of those before.
    pub async fn pages<T, R>(
        &self,
        first: Url,
        sign: Sign<'_>,
        pages: Pages,
        read: R,
    ) -> Result<Entries<T>, ProviderError>
    where
        R: Fn(&Answer) -> Result<(Vec<Lenient<T>>, Next), ProviderError>,
    {
        let (mut found, mut seen, mut next, mut odd) = (Vec::new(), HashSet::new(), Some(first), None);
        while let Some(url) = next {
            let (entries, after) = match self.page(&url, sign, &read).await {
                Ok(page) => page,
                Err(cause) if seen.is_empty() || cause == ProviderError::Stopped => return Err(cause),
                Err(cause) => return Ok((found, Some(cause))),
            };
            for entry in entries {
                match entry {
                    Lenient::Read(entry) => found.push(entry),
                    Lenient::Odd(_) => odd = Some(ProviderError::BadAnswer),
                }
            }
            seen.insert(url);
            next = match after {
                Err(cause) => return Ok((found, Some(cause))),
                Ok(_) if pages == Pages::First => return Ok((found, odd)),
                // A list that leads back into itself would never end.
                Ok(Some(next)) if seen.contains(&next) => return Ok((found, Some(ProviderError::BadAnswer))),
                Ok(Some(_)) if seen.len() >= MAX_PAGES => return Ok((found, Some(ProviderError::TooLarge))),
                Ok(next) => next,
            };
            if found.len() > MAX_NAMES {
                found.truncate(MAX_NAMES);
                return Ok((found, Some(ProviderError::TooLarge)));
            }
        }
        Ok((found, odd))
    }

    /// The entries of one page, and the address of the next.
    async fn page<T, R>(&self, url: &Url, sign: Sign<'_>, read: &R) -> Result<Page<T>, ProviderError>
    where
        R: Fn(&Answer) -> Result<(Vec<Lenient<T>>, Next), ProviderError>,
    {
        let mut answer = self.get(url, sign, Ask::LIST).await?;
        let read = read(&answer);
        // Lists of functions come with their environment variables.
        answer.body.zeroize();
        let (entries, next) = read?;
        Ok((entries, next.address(&answer, url)))
    }
}
