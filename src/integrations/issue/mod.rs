//! What a client is given of a credential: a session or a token that ends by itself, or the stored value. A stand-in for
//! the forms themselves, with their names and shapes.

use crate::credentials::Kind;
use crate::form::{Errors, Field, Values};

/// Every form, in the order of the list on a rule's page.
pub static FORMS: &[&Form] = &[&AWS_SESSION, &VALUE_FORM];

/// The slug of the form that gives the stored value itself.
pub const VALUE: &str = "value";

static AWS_SESSION: Form = Form {
    slug: "aws_session",
    label: "AWS session",
    help: "Temporary credentials: access key ID, secret access key and session token.",
    gives: "aws_session",
    kinds: &["aws"],
    fields: &[
        Field::text("role", "Role to assume").optional().placeholder("arn:aws:iam::123456789012:role/deploy").max(512),
        Field::number("minutes", "Session length in minutes", 15, 720).optional().default("60"),
    ],
    suits: |_, _| Ok(()),
};

static VALUE_FORM: Form = Form {
    slug: VALUE,
    label: "Stored value",
    help: "The stored secret itself, which does not end by itself.",
    gives: VALUE,
    kinds: &[],
    fields: &[],
    suits: |_, _| Ok(()),
};

/// One way to issue something, as data.
pub struct Form {
    /// Stable identifier, stored with every rule.
    pub slug: &'static str,
    pub label: &'static str,
    /// One sentence for the list of forms: what a client gets.
    pub help: &'static str,
    /// What programs are told that it is.
    pub gives: &'static str,
    /// Slugs of the credential kinds that it issues from; empty for all.
    pub kinds: &'static [&'static str],
    /// The settings of a rule.
    pub fields: &'static [Field],
    /// Whether the settings go with a credential, as far as its values that are no secrets tell.
    pub suits: fn(&Values, &Values) -> Result<(), Errors>,
}

impl Form {
    /// The form of that slug; `None` for one that this release does not know.
    pub fn find(slug: &str) -> Option<&'static Self> {
        FORMS.iter().copied().find(|form| form.slug == slug)
    }

    /// The forms for a credential of that kind.
    pub fn of_kind(kind: &str) -> impl Iterator<Item = &'static Self> {
        FORMS.iter().copied().filter(move |form| form.takes(kind))
    }

    pub fn takes(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether it gives the stored value rather than something that ends by itself.
    pub fn is_value(&self) -> bool {
        self.slug == VALUE
    }

    /// The checked settings of a rule. `credential` are the credential's values that are no secrets.
    pub fn check(&self, kind: &Kind, posted: &Values, credential: &Values) -> Result<Values, Errors> {
        if !self.takes(kind.slug) {
            return Err(Errors::one("form", format!("{} can't be issued from this credential.", self.label)));
        }
        let settings = crate::form::check(self.fields, posted, None)?;
        (self.suits)(&settings, credential)?;
        Ok(settings)
    }
}
