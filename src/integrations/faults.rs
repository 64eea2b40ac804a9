//! The failures of a provider that users may see: the sentences of its scans and messages, which the help lists.
//! Refused credentials are described with their type, see [`crate::providers::refusals`].

use super::alerts::email;
use super::spec::{Does, Spec};
use super::{Family, deployments, registries};
use crate::providers::gcp::{Refusal, Why, projects};
use crate::providers::{ProviderError, Sent};

impl Spec {
    /// Each as a page shows it: what happened, and what to do.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = match self.does {
            Does::Channel(channel) if channel.has_recipients => email::known_refusals(),
            Does::Channel(channel) => channel.known_refusals().into_iter().map(str::to_owned).collect(),
            Does::Scan(_) if self.family() == Family::RegistryScan => registries::known_faults(&self.sends()),
            Does::Deploy(_) | Does::Sync(_) => deployments::known_faults(),
            Does::Store(store) => store.known_faults(),
            Does::Scan(_) => Vec::new(),
        };
        if self.scanner().is_some() && self.credential_kinds().contains(&"gcp") {
            faults.extend(of_google());
        }
        faults
    }

    /// The kinds of secrets that a call of this provider can send.
    fn sends(&self) -> Vec<Sent> {
        let by_kind = [
            (Sent::Password, "basic"),
            (Sent::Token, "api_token"),
            (Sent::Token, "github_token"),
            (Sent::Token, "gitlab_token"),
            (Sent::Certificate, "certificate"),
        ];
        let mut sent: Vec<Sent> = Vec::new();
        if !self.needs_credential() {
            sent.push(Sent::Nothing);
        }
        for (what, _) in by_kind.into_iter().filter(|(_, kind)| self.credential_kinds().contains(kind)) {
            if !sent.contains(&what) {
                sent.push(what);
            }
        }
        sent
    }
}

/// Of a call that only Google refuses; which permission or API, the page of the scan names.
fn of_google() -> Vec<String> {
    let why = [Why::Denied, Why::ApiOff { consumer: String::new() }, Why::Perimeter, Why::NoBilling];
    let refused = |why| ProviderError::Google(Refusal { why, right: &projects::SEES }).told("Google");
    why.map(refused).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_channels_name_what_they_fail_with() {
        for spec in Family::ALL.iter().flat_map(|family| family.providers()) {
            let faults = spec.faults();
            let own = matches!(spec.family(), Family::RegistryScan | Family::DaemonSet | Family::AlertProfile);
            assert!(!own || faults.len() > 3, "{}", spec.slug);
            for fault in faults {
                assert!(fault.ends_with('.') && fault.starts_with(char::is_uppercase), "{}: {fault}", spec.slug);
            }
        }
    }
}
