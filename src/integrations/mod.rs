//! What we do with a credential. A family is a folder with a list; a provider is a file in it with one literal of
//! [`Spec`], and a line in the list. Nothing here knows the database or the web: a scan runs from settings, a credential's
//! values and the egress client, so that it can be tested against a peer alone.

use inventory::Inventory;

mod address;
pub mod alerts;
pub mod aws;
pub mod azure;
pub mod ca_certificate;
pub mod cloud;
pub mod context;
pub mod cover;
pub mod deployments;
mod family;
mod faults;
pub mod functions;
mod gitlab;
pub mod google;
pub mod identities;
pub mod inventory;
pub mod issue;
pub mod patterns;
pub mod progress;
pub mod registries;
pub mod scan;
pub mod spec;
pub mod stores;

pub(crate) use address::service_address;
pub use family::Family;
pub use spec::Spec;

impl Family {
    /// How its items read; `None` for a family that has none.
    pub fn inventory(self) -> Option<&'static Inventory> {
        match self {
            Self::RegistryScan => Some(&registries::image::INVENTORY),
            Self::ServerlessScan => Some(&functions::function::INVENTORY),
            Self::CloudScan => Some(&cloud::found::INVENTORY),
            Self::DaemonSet => Some(&deployments::INVENTORY),
            Self::SecretSync => Some(&deployments::syncs::INVENTORY),
            Self::SecretStore => Some(&stores::INVENTORY),
            Self::AlertProfile => None,
        }
    }

    /// Everything that the family can be set up with, in the order of the form's list.
    pub fn providers(self) -> &'static [&'static Spec] {
        match self {
            Self::RegistryScan => registries::VERSIONS,
            Self::ServerlessScan => functions::VERSIONS,
            Self::CloudScan => cloud::VERSIONS,
            Self::DaemonSet => deployments::VERSIONS,
            Self::SecretSync => deployments::syncs::VERSIONS,
            Self::SecretStore => stores::VERSIONS,
            Self::AlertProfile => alerts::CHANNELS,
        }
    }
}

impl Spec {
    /// The provider of that slug in any family; `None` for one that this release does not know.
    pub fn find(slug: &str) -> Option<&'static Self> {
        Family::ALL.iter().flat_map(|family| family.providers()).copied().find(|spec| spec.slug == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Control;
    use crate::pasted;

    #[test]
    fn every_field_takes_the_example_that_it_shows() {
        let of_specs = Family::ALL.iter().flat_map(|family| family.providers()).flat_map(|spec| spec.fields);
        let fields = of_specs.chain(issue::FORMS.iter().flat_map(|form| form.fields));
        let shown = |field: &&crate::form::Field| field.control == Control::Text || field.control == Control::Document;
        for field in fields.filter(shown) {
            let refused = pasted::mistaken(field.placeholder, field.wanted, field.label, "");
            assert_eq!(refused, None, "{}: {}", field.name, field.placeholder);
        }
    }
}
