//! What only AWS refuses, in our words. Which answer means which refusal stands in `answers`.

use crate::providers::probe::Verdict;

/// Refusals that only AWS knows. Roles are as entered, never as answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Deleted, inactive, mistyped, or of another partition: AWS does not tell which.
    UnknownKey,
    WrongSecret,
    /// The request was signed for another time than AWS's.
    ClockSkew,
    /// Temporary credentials that have run out.
    Expired,
    /// The caller's own policy lacks `sts:AssumeRole` on the role.
    MayNotAssume {
        role: String,
    },
    /// The role's trust policy lacks the caller.
    NotTrusted {
        role: String,
    },
    /// One of the two, or there is no such role: AWS did not tell.
    NotAssumed {
        role: String,
    },
    /// The longest session that the role allows is shorter than the one asked for.
    TooLong {
        role: String,
        minutes: u16,
    },
    Denied {
        action: &'static str,
    },
    /// A service control policy of the organization denies it, whatever the policies in the account allow.
    DeniedByOrganization {
        action: &'static str,
    },
    /// The environment offers no role: no container endpoint, no web identity, no answer of IMDSv2.
    NoRole,
    /// The environment names a role in a way that does not work.
    BadRole,
    RegionOff,
}

impl Refusal {
    /// What happened, beginning in lower case or with a name, and what to do about it.
    pub fn parts(&self) -> (String, String) {
        match self {
            Self::UnknownKey => (
                "AWS does not know the access key.".to_owned(),
                "It may be mistyped, deleted or inactive, or belong to another partition (China, GovCloud). \
                     Look at it in the IAM console, and store a new one."
                    .to_owned(),
            ),
            Self::WrongSecret => (
                "the secret does not belong to the access key.".to_owned(),
                "Enter the secret access key again, or create a new key and store both.".to_owned(),
            ),
            Self::ClockSkew => (
                "AWS says that this machine's clock is wrong by more than five minutes.".to_owned(),
                "Set the clock, by NTP for instance; the key itself may be good.".to_owned(),
            ),
            Self::Expired => (
                "the temporary credentials have expired.".to_owned(),
                "Try again; if it stays so, look at the role of the machine that Strongroom runs on.".to_owned(),
            ),
            Self::MayNotAssume { role } => (
                format!("the key may not assume {role}: its own policy lacks the permission."),
                "Allow sts:AssumeRole on that role in the policy of the key's user.".to_owned(),
            ),
            Self::NotTrusted { role } => (
                format!("{role} does not trust the key."),
                "Add the key's user, and the external ID if one is asked for, to the trust policy of the \
                     role."
                    .to_owned(),
            ),
            Self::NotAssumed { role } => (
                format!("AWS doesn't let the key assume {role}, and doesn't say why."),
                "Check that the role exists, that the policy of the key's user allows sts:AssumeRole on it, \
                     and that its trust policy names that user and the external ID."
                    .to_owned(),
            ),
            // Of a role that a role goes on to, AWS gives no more than an hour; of any other, what that role allows.
            Self::TooLong { role, minutes } => (
                format!("{role} does not allow sessions of {minutes} minutes."),
                "Lower the session length of the integration (an hour always works), or raise the maximum \
                     session duration of the role in the IAM console."
                    .to_owned(),
            ),
            Self::Denied { action } => (
                format!("AWS knows the credential, but does not allow {action}."),
                "Add that action to the policy of the role or user.".to_owned(),
            ),
            Self::DeniedByOrganization { action } => (
                format!("a service control policy of the AWS organization denies {action}."),
                "Have the organization's administrator allow that action in this account and region, or leave the region \
                     out."
                    .to_owned(),
            ),
            Self::NoRole => (
                "there is no IAM role here: no container endpoint, no web identity and no instance metadata \
                     (IMDSv2) answered."
                    .to_owned(),
                "Attach a role to what Strongroom runs on, or use an access key.".to_owned(),
            ),
            Self::BadRole => (
                "the environment names an IAM role in a way that does not work.".to_owned(),
                "Check the variables AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and \
                     AWS_CONTAINER_CREDENTIALS_* of the console, and the trust policy of that role."
                    .to_owned(),
            ),
            Self::RegionOff => (
                "the region is not switched on for this account, or does not take the role.".to_owned(),
                "Choose another region, or switch it on in the AWS account settings.".to_owned(),
            ),
        }
    }

    pub fn verdict(&self) -> Verdict {
        match self {
            Self::UnknownKey | Self::WrongSecret => Verdict::BadKey,
            Self::ClockSkew | Self::RegionOff => Verdict::Unreachable,
            Self::Expired => Verdict::Expired,
            Self::NotTrusted { .. } => Verdict::NotTrusted,
            Self::MayNotAssume { .. }
            | Self::NotAssumed { .. }
            | Self::TooLong { .. }
            | Self::Denied { .. }
            | Self::DeniedByOrganization { .. } => Verdict::Denied,
            Self::NoRole | Self::BadRole => Verdict::NotHere,
        }
    }
}
