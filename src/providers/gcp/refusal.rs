//! What only Google refuses, in our words: which API or permission a call needs and lacks. What an answer means stands
//! in [`super::line`].

/// One of Google's APIs.
#[derive(Debug, PartialEq, Eq)]
pub struct Api {
    /// As the console names it: `Cloud Run Admin API`.
    pub name: &'static str,
    pub host: &'static str,
}

/// What a call needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Right {
    pub api: &'static Api,
    /// `run.services.list`
    pub permission: &'static str,
    /// A role of Google's that has it, and no more than reading: `Cloud Run Viewer (roles/run.viewer)`.
    pub role: &'static str,
}

/// A call that Google refused for something other than its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub why: Why,
    /// What the call needs.
    pub right: &'static Right,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The permission is missing, or there is no such project: Google does not tell which.
    Denied,
    /// In the project that Google names, which may be the one that is asked about or the service account's own.
    /// `projects/123456789012`, for comparing; empty when Google named none.
    ApiOff {
        consumer: String,
    },
    /// A perimeter of VPC Service Controls.
    Perimeter,
    NoBilling,
}

impl Refusal {
    /// What happened, beginning in lower case, and what to do about it.
    pub fn parts(&self) -> (String, String) {
        let Right { api, permission, role } = self.right;
        match self.why {
            Why::Denied => (
                format!("the service account lacks the permission {permission} there, or there is no such project."),
                format!("Grant it, for example with the role {role}. The credential's page has the exact commands."),
            ),
            Why::ApiOff { .. } => (
                format!("the {} is switched off in the project.", api.name),
                format!("Switch it on there: gcloud services enable {}.", api.host),
            ),
            Why::Perimeter => (
                "a perimeter of VPC Service Controls keeps Strongroom out of the project.".to_owned(),
                "Add an ingress rule or an access level for the service account and the address of Strongroom."
                    .to_owned(),
            ),
            Why::NoBilling => (
                format!("the project has no active billing account, without which the {} does not answer.", api.name),
                "Link a billing account, or leave the project out.".to_owned(),
            ),
        }
    }
}
