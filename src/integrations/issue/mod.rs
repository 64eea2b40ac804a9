//! What a client is given of a credential: a session or a token that ends by itself, or the stored value; or an entry of
//! a secret store. A form is a file with one literal of [`Form`], and a line in [`FORMS`]. The settings are those of a
//! client's rule. Nothing here knows clients, the database or the web; who may ask is decided in `usecases::clients`.

mod acr_login;
mod aks_token;
mod aws_session;
mod azure_token;
pub mod delivery;
mod ecr_login;
mod eks_token;
mod entries;
pub mod entry;
mod form;
mod gke_token;
mod google_login;
mod google_token;
mod ibm_login;
mod ibm_token;
mod kept;
mod kubernetes_token;
mod role;
mod value;

pub use crate::integrations::stores::Entry;
pub use delivery::Delivery;
pub use entries::{Age, Entries, Key as EntryKey, Read};
pub use form::{ENTRY, Form, Issue, Issued, Order, VALUE};
pub use kept::{Kept, Key};

/// Every form, in the order of the list on a rule's page.
pub static FORMS: &[&Form] = &[
    &aws_session::FORM,
    &azure_token::FORM,
    &google_token::FORM,
    &ibm_token::FORM,
    &ecr_login::FORM,
    &acr_login::FORM,
    &google_login::FORM,
    &ibm_login::FORM,
    &eks_token::FORM,
    &gke_token::FORM,
    &aks_token::FORM,
    &kubernetes_token::FORM,
    &entry::FORM,
    &value::FORM,
];

impl Form {
    /// The form of that slug; `None` for one that this release does not know.
    pub fn find(slug: &str) -> Option<&'static Self> {
        FORMS.iter().copied().find(|form| form.slug == slug)
    }

    /// The forms for a credential of that kind.
    pub fn of_kind(kind: &str) -> impl Iterator<Item = &'static Self> {
        FORMS.iter().copied().filter(move |form| form.takes(kind))
    }
}

#[cfg(test)]
mod tests;
