//! The lists of a region, a page at a time, as all services hand them out: entries, and a token for the next page.

use std::collections::HashSet;

use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::oci_registry::{Lenient, Pages};

/// The bounds of one list.
const MAX_PAGES: usize = 1_000;
const MAX_ENTRIES: usize = 200_000;
/// Longest token that is sent back, in bytes.
const MAX_TOKEN: usize = 8_192;

/// What a list holds, as far as it could be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed<T> {
    pub found: Vec<T>,
    /// Why there is not all of it, if there is not: pages are missing at the end, or entries were not what they should
    /// be.
    pub rest: Option<ProviderError>,
}

/// Whether a text is no longer than that, and can be shown as it is.
pub fn is_plain(text: &str, most: usize) -> bool {
    text.len() <= most && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether a text can be the name of a cluster.
pub fn is_name(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    (1..=255).contains(&text.len()) && text.chars().all(good)
}

/// Asks `page` with no token for the first page, then with the token of each page for the next. Pages after the first
/// may be missing.
pub async fn listed<T, F>(pages: Pages, mut page: impl FnMut(Option<String>) -> F) -> Result<Listed<T>, ProviderError>
where
    F: Future<Output = Result<(Vec<Lenient<T>>, Option<String>), ProviderError>>,
{
    let (mut found, mut rest, mut tokens, mut next) = (Vec::new(), None, HashSet::new(), None::<String>);
    for number in 0..MAX_PAGES {
        let (entries, token) = match page(next).await {
            Ok(page) => page,
            Err(cause) if number == 0 => return Err(cause),
            Err(cause) => return Ok(Listed { found, rest: Some(cause) }),
        };
        for entry in entries {
            match entry {
                Lenient::Read(entry) => found.push(entry),
                Lenient::Odd(_) => rest = Some(BadAnswer),
            }
        }
        let Some(token) = token.filter(|token| !token.is_empty() && pages == Pages::All) else {
            return Ok(Listed { found, rest });
        };
        if found.len() >= MAX_ENTRIES {
            break;
        }
        // Pages that lead in a circle have no end.
        if token.len() > MAX_TOKEN || !tokens.insert(token.clone()) {
            return Ok(Listed { found, rest: Some(BadAnswer) });
        }
        next = Some(token);
    }
    Ok(Listed { found, rest: Some(ProviderError::TooLarge) })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(pages: Vec<Result<(&str, Option<&str>), ProviderError>>) -> Result<Listed<u32>, ProviderError> {
        let mut pages = pages.into_iter();
        listed(Pages::All, |_| {
            let page = pages.next().unwrap_or(Err(ProviderError::NotFound));
            let page = page.map(|(entries, token)| (serde_json::from_str(entries).unwrap(), token.map(str::to_owned)));
            async move { page }
        })
        .await
    }

    #[tokio::test]
    async fn a_list_ends_with_its_last_page_or_with_what_is_wrong() {
        let whole = read(vec![Ok(("[1]", Some("a"))), Ok(("[2]", Some("")))]).await;
        assert_eq!(whole, Ok(Listed { found: vec![1, 2], rest: None }));
        let odd = read(vec![Ok(("[1, null, \"x\", 2]", None))]).await;
        assert_eq!(odd, Ok(Listed { found: vec![1, 2], rest: Some(BadAnswer) }));
        let circle = read(vec![Ok(("[1]", Some("a"))), Ok(("[2]", Some("a")))]).await;
        assert_eq!(circle, Ok(Listed { found: vec![1, 2], rest: Some(BadAnswer) }));
        let cut = read(vec![Ok(("[1]", Some("a"))), Err(ProviderError::Forbidden)]).await;
        assert_eq!(cut, Ok(Listed { found: vec![1], rest: Some(ProviderError::Forbidden) }));
        assert_eq!(read(vec![Err(ProviderError::Forbidden)]).await, Err(ProviderError::Forbidden));
        let long = "t".repeat(MAX_TOKEN + 1);
        assert_eq!(read(vec![Ok(("[]", Some(&long)))]).await.unwrap().rest, Some(BadAnswer));
    }
}
