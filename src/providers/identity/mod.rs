//! Workload identities: proofs by which a program shows who it is without a secret of ours. Each proof was signed by
//! somebody whom an administrator has named: a Kubernetes cluster, an OpenID Connect issuer, AWS. What a proof must say
//! is decided by the caller; who asks is never told why a proof was refused, the console's administrators are.

use super::ProviderError;

pub mod aws;
pub mod issuer;
pub mod jwt;
pub mod kubernetes;

/// Why a proof does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be read as what it should be.
    Malformed,
    /// Signed by another algorithm than RS256 and ES256, or with a key that is not for it.
    Algorithm,
    /// The issuer has no key of this ID.
    UnknownKey,
    Signature,
    /// It is of another issuer.
    Issuer,
    /// It was made for somebody else.
    Audience,
    /// It has ended.
    Expired,
    /// It does not count yet.
    Early,
    /// It is good for longer than [`jwt::LONGEST`].
    LivesTooLong,
    /// This claim is missing or says something else.
    Claim(String),
    /// It belongs to this other identity.
    Other(String),
    /// What the client signed is another request than GetCallerIdentity.
    NotThatRequest,
    /// The header that names this console is missing, unsigned or says something else.
    ServerId,
    /// The keys of the issuer are at another host.
    KeysElsewhere(String),
    /// Whoever must judge the proof could not be asked. Holds the sentence.
    Unasked(String),
}

impl Refused {
    fn unasked(error: &ProviderError, who: &str) -> Self {
        Self::Unasked(error.sentence(who))
    }

    /// A whole sentence for administrators.
    pub fn sentence(&self) -> String {
        match self {
            Self::Malformed => "The proof cannot be read: it is not of the kind that this login expects.".to_owned(),
            Self::Algorithm => "The token is not signed with RS256 or ES256.".to_owned(),
            Self::UnknownKey => "The token names a key that its issuer does not have.".to_owned(),
            Self::Signature => "The signature is wrong.".to_owned(),
            Self::Issuer => "The token is from another issuer.".to_owned(),
            Self::Audience => "The token is for another audience.".to_owned(),
            Self::Expired => "The proof has expired.".to_owned(),
            Self::Early => "The proof is not valid yet. Check the clocks.".to_owned(),
            Self::LivesTooLong => {
                "The token is valid for more than a day. Let its issuer make shorter ones.".to_owned()
            }
            Self::Claim(name) => format!("The claim “{name}” is missing or has another value."),
            Self::Other(identity) => format!("It was {identity}, which this login does not allow."),
            Self::NotThatRequest => "The signed request is not a plain sts:GetCallerIdentity.".to_owned(),
            Self::ServerId => "The signed request does not name this console as its server ID.".to_owned(),
            Self::KeysElsewhere(host) => {
                format!(
                    "The issuer's keys are at {host}, another host than its own. Paste them into the login instead."
                )
            }
            Self::Unasked(sentence) => sentence.clone(),
        }
    }
}

/// What came from outside, fit for a sentence: at most 200 visible characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
