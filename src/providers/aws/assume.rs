//! The role that a session goes on into, and what it is called there.

use crate::credentials::aws::RoleArn;

/// Length of an assumed session, in minutes: the most that every role allows, and the most of all when a role goes on
/// into another ("role chaining").
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
pub const HOUR: u16 = 60;
/// What STS takes, in minutes.
pub const SHORTEST: u16 = 15;
pub const LONGEST: u16 = 12 * 60;

/// The role that a session goes on into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assume {
    pub role: String,
    /// Empty when the role asks for none.
    pub external_id: String,
    /// As it will stand in the trail of the role's account.
    pub session_name: String,
    /// From [`SHORTEST`] to [`LONGEST`].
    pub minutes: u16,
}

impl Assume {
    pub fn new(role: &RoleArn, external_id: &str, name: &str) -> Self {
        Self {
            role: role.as_str().to_owned(),
            external_id: external_id.to_owned(),
            session_name: session_name(name),
            minutes: HOUR,
        }
    }

    /// The same for so many minutes.
    #[must_use]
    pub fn lasting(self, minutes: u16) -> Self {
        Self { minutes: minutes.clamp(SHORTEST, LONGEST), ..self }
    }
}

/// `strongroom-` and the name of an integration, as STS takes it: letters, digits and `+=,.@-_`, 64 at most.
pub fn session_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "+=,.@_-".contains(c) { c } else { '-' };
    "strongroom-".chars().chain(name.chars().map(plain)).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_after_its_integration_in_the_letters_that_sts_takes() {
        assert_eq!(session_name("Prod registry (EU) é"), "strongroom-Prod-registry--EU---");
        assert_eq!(session_name(&"x".repeat(200)).len(), 64);
        assert_eq!(session_name(""), "strongroom-");
    }
}
