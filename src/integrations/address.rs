//! The address of a self-hosted service, as people type it.

use url::Url;

use crate::hosts;

/// The address of a service as people type it: `registry.example.com` or a whole address, which may have a path; blanks
/// around it do not count. The error is a sentence that doesn't quote the address. Plain http is left to the rules of
/// the way out.
pub(crate) fn service_address(text: &str) -> Result<Url, &'static str> {
    const WRONG: &str = "Enter a host or an https address, without a user name, a ? or a #.";
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = hosts::parse(&whole)?;
    let bare = url.query().is_none() && url.fragment().is_none();
    if bare && matches!(url.scheme(), "https" | "http") { Ok(url) } else { Err(WRONG) }
}
