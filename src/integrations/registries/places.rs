//! Registries that keep their repositories in places of their own: projects, groups, namespaces. Their lists are read a
//! few at a time and put together; one that cannot be read is a gap.

use std::pin::pin;

use futures_util::{Stream, StreamExt, stream};
use serde::de::DeserializeOwned;

use super::catalogue::{Listing, Pages};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{AT_ONCE, Lenient, is_repository};

/// The repositories of all places, added to what is known already. An error when nothing could be read.
pub(super) async fn gather<P, F>(
    known: Listing<String>,
    places: impl IntoIterator<Item = P>,
    pages: Pages,
    read: impl FnMut(P) -> F,
) -> Result<Listing<String>, ProviderError>
where
    F: Future<Output = Result<Listing<String>, ProviderError>>,
{
    let at_once = if pages == Pages::First { 1 } else { AT_ONCE };
    put_together(known, pages, stream::iter(places).map(read).buffered(at_once)).await
}

async fn put_together(
    mut listing: Listing<String>,
    pages: Pages,
    parts: impl Stream<Item = Result<Listing<String>, ProviderError>>,
) -> Result<Listing<String>, ProviderError> {
    let mut parts = pin!(parts);
    while let Some(part) = parts.next().await {
        match part {
            Ok(part) => listing.add(part),
            Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
            Err(cause @ (ProviderError::Forbidden | ProviderError::NotFound | ProviderError::SignIn(_))) => {
                listing.rest.get_or_insert(cause);
            }
            Err(cause) if listing.good.is_empty() => return Err(cause),
            Err(cause) => {
                listing.rest = Some(cause);
                break;
            }
        }
        if pages == Pages::First && !listing.good.is_empty() {
            break;
        }
    }
    match listing.rest {
        Some(cause) if listing.good.is_empty() && listing.odd.is_empty() => Err(cause),
        _ => Ok(listing),
    }
}

/// What an error of the first call of a vendor's own interface means: where that is not found, it is not there.
pub(super) fn missing(of: &'static str) -> impl Fn(ProviderError) -> ProviderError {
    move |cause| match cause {
        ProviderError::NotFound => ProviderError::NoInterface { of },
        cause => cause,
    }
}

/// Names as they came, sorted by whether each can be a repository's.
pub(super) fn repositories(names: Vec<String>, rest: Option<ProviderError>) -> Listing<String> {
    Listing::sorted_out((names, rest), String::as_str, is_repository)
}

/// The entries of an answer that is nothing but a list.
pub(super) fn list<T: DeserializeOwned>(answer: &Answer) -> Result<Vec<Lenient<T>>, ProviderError> {
    answer.json()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Result<Listing<String>, ProviderError> {
        Ok(repositories(vec![name.to_owned()], None))
    }

    async fn gathered(parts: Vec<Result<Listing<String>, ProviderError>>) -> Result<Listing<String>, ProviderError> {
        gather(Listing::default(), parts, Pages::All, |part| async { part }).await
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_read_is_a_gap_beside_the_others() {
        let found = gathered(vec![named("a/x"), Err(ProviderError::Forbidden), named("b/y")]).await.unwrap();
        assert_eq!((found.good, found.rest), (vec!["a/x".into(), "b/y".into()], Some(ProviderError::Forbidden)));
        assert_eq!(gathered(vec![Err(ProviderError::NotFound)]).await, Err(ProviderError::NotFound));
        assert_eq!(gathered(vec![named("a/x"), Err(ProviderError::Stopped)]).await, Err(ProviderError::Stopped));
        assert_eq!(gathered(vec![]).await, Ok(Listing::default()));
    }
}
