//! What every version of a registry does, by the function that signs in to it: the inventory of its images, and the
//! connection test.

use futures_util::future::BoxFuture;

use super::catalogue::Open;
use super::driver;
use super::selection::Selection;
use crate::form::Values;
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Scanner, Selects};
use crate::providers::Failure;

/// The inventory of a registry's images, by the function that signs in to it.
pub(super) struct Images(pub Open);

impl Scanner for Images {
    fn family(&self) -> Family {
        Family::RegistryScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(driver::scan(self.0, cx))
    }

    fn selects(&self, settings: &Values) -> Selects {
        let selection = Selection::of(settings);
        Box::new(move |repository, tag| selection.names.take(repository) && selection.tags.take(tag))
    }
}

/// *Test connection* of a registry: signs in and reads one page of a list.
pub(super) fn check<'a>(open: Open, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, Failure>> {
    Box::pin(async move { Ok(Some(driver::check(open, cx).await?)) })
}
