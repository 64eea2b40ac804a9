//! What every version of a registry does, by the function that signs in to it: the inventory of its images, and the
//! connection test.

use futures_util::future::BoxFuture;

use super::catalogue::Open;
use super::driver;
use super::failure::ScanError;
use super::scan::Scan;
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::spec::Scanner;

/// The inventory of a registry's images, by the function that signs in to it.
pub(super) struct Images(pub Open);

impl Scanner for Images {
    fn family(&self) -> Family {
        Family::RegistryScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, ScanError>> {
        Box::pin(driver::scan(self.0, cx))
    }
}

/// *Test connection* of a registry: signs in and reads one page of a list.
pub(super) fn check<'a>(open: Open, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Option<String>, String>> {
    Box::pin(async move { driver::check(open, cx).await.map(Some).map_err(|error| error.to_string()) })
}
