//! What a mail server's refusal means: its code, its enhanced status code (RFC 3463, RFC 4954, RFC 7372) and, where
//! vendors give one code to several causes, the words that tell them apart. The words are read here and shown nowhere.

use lettre::transport::smtp;

use super::super::{Failure, Retry};

/// Where in the conversation it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Greeting,
    Encryption,
    /// With a password.
    Login,
    /// With an access token.
    TokenLogin,
    Sender,
    Recipient,
    Letter,
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Self::Greeting => "the greeting",
            Self::Encryption => "to encrypt the connection",
            Self::Login | Self::TokenLogin => "the login",
            Self::Sender => "the sender address",
            Self::Recipient => "the recipient's address",
            Self::Letter => "the letter",
        }
    }
}

/// A reply that says no.
#[derive(Debug)]
pub(super) struct Reply {
    code: u16,
    /// Class, subject and detail: `5.7.139`.
    status: Option<(u16, u16, u16)>,
    /// In lower case.
    words: String,
}

/// Whom a refusal is about.
pub(super) struct Parties<'a> {
    pub server: &'a str,
    /// The name in our greeting, as it was sent.
    pub hello: &'a str,
    /// The sender's address; empty before it was said.
    pub sender: &'a str,
}

/// Why a server says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It does not take the name by which we greet it.
    Hello,
    EncryptionWanted,
    LoginWanted,
    /// SMTP AUTH is off, for everybody or for this mailbox.
    LoginSwitchedOff,
    /// Passwords are not taken any more, or a rule of the organisation forbids this login.
    PasswordsRefused,
    AppPasswordWanted,
    WrongPassword,
    WrongToken,
    NotThisSender,
    /// SPF, DKIM or DMARC of the sender's domain.
    SenderUnproven,
    MailboxFull,
    MailboxOff,
    TooLarge,
    TooLargeOrFull,
    NoRelaying,
    UnknownRecipient,
    Policy,
    /// The server as a whole takes nothing now.
    Away,
    PutOff,
    Other,
}

/// Usual refusals of mail servers: the step, the reply code, and the text of the reply. The help lists them.
const KNOWN: [(Step, u16, &str); 11] = [
    (Step::Greeting, 550, "5.7.1 helo command rejected"),
    (Step::Sender, 530, "5.7.0 must issue a starttls command first"),
    (Step::Recipient, 530, "5.7.0 authentication required"),
    (Step::Login, 535, "5.7.139 smtpclientauthentication is disabled for the tenant"),
    (Step::Login, 535, "5.7.139 the request did not meet the criteria"),
    (Step::Login, 534, "5.7.9 application-specific password required"),
    (Step::Login, 535, "5.7.8 username and password not accepted"),
    (Step::TokenLogin, 535, "5.7.3 authentication unsuccessful"),
    (Step::Sender, 550, "5.7.60 client does not have permissions to send as this sender"),
    (Step::Letter, 550, "5.7.26 unauthenticated mail is prohibited"),
    (Step::Recipient, 550, "5.1.1 no such user"),
];

/// The sentences that a user sees for these replies.
pub fn known_refusals() -> Vec<String> {
    let parties = Parties { server: "smtp.example.com", hello: "strongroom.local", sender: "strongroom@example.com" };
    let said = |(step, code, words): (Step, u16, &str)| Reply::new(code, words).told(step, &parties).to_string();
    KNOWN.map(said).into()
}

impl Reply {
    /// `None`: the connection failed, and the server did not say no.
    pub fn of(error: &smtp::Error) -> Option<Self> {
        let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        Some(Self::new(error.status()?.into(), &words))
    }

    /// For a token that is refused by a challenge instead of a code.
    pub fn refused_token() -> Self {
        Self::new(535, "")
    }

    fn new(code: u16, words: &str) -> Self {
        let words = words.to_ascii_lowercase();
        let status = words.split_whitespace().next().and_then(|first| {
            let mut parts = first.splitn(3, '.').map(|part| part.parse::<u16>().ok());
            Some((parts.next()??, parts.next()??, parts.next()??))
        });
        Self { code, status, words }
    }

    /// Whether it may be the command EHLO that is refused, and HELO might do (RFC 5321, 3.2).
    pub fn may_be_about_ehlo(&self) -> bool {
        matches!(self.code, 500 | 501 | 502 | 504 | 550)
    }

    fn says(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.words.contains(word))
    }

    fn is_transient(&self) -> bool {
        self.code < 500
    }

    /// Subject and detail of the enhanced code.
    fn about(&self) -> Option<(u16, u16)> {
        self.status.map(|(_, subject, detail)| (subject, detail))
    }

    fn meaning(&self, step: Step) -> Meaning {
        let names_greeting = self.says(&["helo command", "ehlo command", "helo name", "ehlo name", "invalid helo"])
            || (step == Step::Greeting && self.says(&["helo", "ehlo", "hostname"]));
        match (self.code, self.about()) {
            (421, _) => Meaning::Away,
            _ if names_greeting => Meaning::Hello,
            // After HELO was tried as well.
            (501 | 504 | 550, _) if step == Step::Greeting => Meaning::Hello,
            (530, _) if self.says(&["starttls"]) => Meaning::EncryptionWanted,
            _ if step == Step::Greeting => Meaning::Away,
            (_, Some((2, 2))) => Meaning::MailboxFull,
            _ if matches!(step, Step::Login | Step::TokenLogin) => self.of_login(step),
            _ if self.is_transient() => Meaning::PutOff,
            (530, _) => Meaning::LoginWanted,
            (_, Some((7, 60) | (2, 252) | (1, 7 | 8))) => Meaning::NotThisSender,
            _ if self.says(&["send as", "sendas", "not owned by user", "address is not verified"]) => {
                Meaning::NotThisSender
            }
            (_, Some((7, 20..=27))) => Meaning::SenderUnproven,
            _ if step == Step::Sender => Meaning::Other,
            (_, Some((2, 1))) => Meaning::MailboxOff,
            (_, Some((3, 4) | (2, 3))) => Meaning::TooLarge,
            (552 | 523, None) if step == Step::Letter => Meaning::TooLargeOrFull,
            (_, Some((7, _))) if step == Step::Recipient => Meaning::NoRelaying,
            (_, Some((7, _))) => Meaning::Policy,
            (_, Some((1, _))) => Meaning::UnknownRecipient,
            // The server does not follow: that is not this recipient's fault.
            (500 | 502..=504, _) => Meaning::Other,
            _ if step == Step::Recipient => Meaning::UnknownRecipient,
            _ => Meaning::Other,
        }
    }

    fn of_login(&self, step: Step) -> Meaning {
        let for_token = step == Step::TokenLogin;
        if self.says(&["smtpclientauthentication is disabled", "smtp_auth_disabled", "smtp auth is disabled"]) {
            return Meaning::LoginSwitchedOff;
        }
        if self.is_transient() && self.code != 432 {
            return Meaning::PutOff;
        }
        match (self.code, self.about()) {
            _ if for_token => Meaning::WrongToken,
            _ if self.says(&["application-specific", "app password", "application password"]) => {
                Meaning::AppPasswordWanted
            }
            _ if self.says(&["basic authentication is disabled", "security defaults", "did not meet the criteria"]) => {
                Meaning::PasswordsRefused
            }
            (_, Some((7, 139))) => Meaning::PasswordsRefused,
            (538 | 530, _) | (_, Some((7, 11))) => Meaning::EncryptionWanted,
            (534, Some((7, 9))) => Meaning::AppPasswordWanted,
            (534 | 535, _) => Meaning::WrongPassword,
            _ => Meaning::Other,
        }
    }

    fn answered(&self) -> String {
        match self.status {
            Some((class, subject, detail)) => format!("(it answered {} {class}.{subject}.{detail})", self.code),
            None => format!("(it answered {})", self.code),
        }
    }

    /// The refusal in words, and what follows from it.
    pub fn told(&self, step: Step, parties: &Parties<'_>) -> Failure {
        let meaning = self.meaning(step);
        Failure::new(self.sentence(meaning, step, parties), self.retry(meaning, step))
    }

    fn retry(&self, meaning: Meaning, step: Step) -> Retry {
        match meaning {
            Meaning::Away => Retry::ReceiverDown,
            _ if self.is_transient() => Retry::Postponed(None),
            Meaning::MailboxFull | Meaning::MailboxOff | Meaning::UnknownRecipient => Retry::MessageRejected,
            Meaning::TooLargeOrFull if step == Step::Letter => Retry::MessageRejected,
            _ => Retry::ChannelRejected,
        }
    }

    fn sentence(&self, meaning: Meaning, step: Step, parties: &Parties<'_>) -> String {
        let Parties { server, hello, sender } = parties;
        let (answered, what) = (self.answered(), step.words());
        let said = match meaning {
            Meaning::Hello => format!(
                "does not take the name {hello} in Strongroom's greeting {answered}. Set STRONGROOM_SMTP_HELLO, or \
                 STRONGROOM_PUBLIC_URL, to a whole host name, such as strongroom.example.com."
            ),
            Meaning::EncryptionWanted => format!(
                "wants the connection encrypted {answered}. Choose STARTTLS, or TLS from the start, as Encryption."
            ),
            Meaning::LoginWanted => format!("wants a login {answered}. Choose a credential for it."),
            Meaning::LoginSwitchedOff => format!(
                "has SMTP login switched off for this account {answered}. Have its administrator switch on authenticated \
                 SMTP (SMTP AUTH) for this mailbox, or send through another server."
            ),
            Meaning::PasswordsRefused => format!(
                "no longer accepts a password from this account, by a rule of its organisation {answered}. Choose an \
                Azure \
                 credential, which logs in by OAuth, or have the administrator allow the login."
            ),
            Meaning::AppPasswordWanted => format!(
                "wants an application password {answered}, because the account has two-step verification. Create one in \
                 the account's security settings, and store it in the credential."
            ),
            Meaning::WrongPassword => format!(
                "refused the user name or password {answered}. Check the credential, and edit it if it has changed. \
                 Accounts with two-step verification need an application password."
            ),
            Meaning::WrongToken => format!(
                "refused the access token for {sender} {answered}. Check that the sender address is a mailbox there, and \
                 that the application of the credential may send mail as it: the guide of the credential's type says \
                 how."
            ),
            Meaning::NotThisSender => format!(
                "does not let this account send as {sender} {answered}. Enter the account's own address as Sender \
                 address, or have it allowed to send as this one."
            ),
            Meaning::SenderUnproven => format!(
                "does not believe that this mail comes from the domain of {sender} {answered}. Send through a server that \
                 the domain's SPF or DKIM record names."
            ),
            Meaning::MailboxFull => format!("says that the recipient's mailbox is full {answered}. Have it emptied."),
            Meaning::MailboxOff => format!(
                "says that the recipient's mailbox is switched off {answered}. Check it, or remove the recipient."
            ),
            Meaning::TooLarge => format!("refused the letter {answered}: it is too large for it."),
            Meaning::TooLargeOrFull => {
                format!("refused the letter {answered}: it is too large, or the mailbox is full.")
            }
            Meaning::NoRelaying => format!(
                "does not let this account send to that recipient {answered}. Check the login, and that the server relays \
                 for it."
            ),
            Meaning::UnknownRecipient => {
                format!("refused the recipient's address {answered}. Check it, or remove the recipient.")
            }
            Meaning::Policy => {
                format!("refused {what} by a rule of its own {answered}, as spam for instance. Its log says why.")
            }
            Meaning::Away => format!("accepts no mail at the moment {answered}."),
            Meaning::PutOff => format!("put off {what} {answered}."),
            Meaning::Other if step == Step::Sender => {
                format!("refused the sender address {answered}. Check that the account may send as it.")
            }
            Meaning::Other => format!("refused {what} {answered}. Its log says why."),
        };
        format!("The mail server {server} {said}")
    }
}

#[cfg(test)]
mod tests;
