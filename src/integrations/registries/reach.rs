//! How a scan reaches one server of a registry, with the progress, the stop and the audit of its call.

use url::Url;

use crate::integrations::context::Context;
use crate::providers::ProviderError;
use crate::providers::egress::Tls;
use crate::providers::oci_registry::{Login, Registry};
use crate::providers::probe::{Finding, Verdict};

/// A right that is missing, in the words of the vendor's own rules: what is so, in lower case, and what to do.
pub(super) fn denied(sentence: &str, remedy: &str) -> ProviderError {
    ProviderError::SignIn(Finding::new(Verdict::Denied, sentence, remedy).into())
}

/// A line to the server at `address`, which may have a path. Nothing is sent yet.
pub(super) fn reach(cx: &Context<'_>, tls: Tls, address: &Url, login: Login) -> Result<Registry, ProviderError> {
    let report = cx.report.clone();
    let registry = Registry::new(cx.outside.egress.client(tls)?, address, login, cx.stop.clone());
    Ok(registry.listing(cx.sent_to.clone()).telling(Box::new(move |until| report.pause(until))))
}
