//! One conversation with a mail server (RFC 5321, RFC 3207, RFC 4954), step by step, so that each refusal becomes a
//! sentence of its own. A server's own words are read for their number and dropped.

use std::sync::{Arc, Mutex, PoisonError};

use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use url::Url;

use super::super::{Again, GoAhead, SendError};
use super::letter::Mail;
use super::streams::{Clear, Encrypted};
use crate::credentials::basic;
use crate::credentials::checks::authority;
use crate::form::Values;
use crate::providers::connection::{secure, trust};
use crate::providers::egress::Egress;
use crate::providers::tls_faults::Form;
use crate::providers::{ProviderError, Sent};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Asked for in clear, and demanded: without it nothing is said.
    Starttls,
    Implicit,
    None,
}

impl Encryption {
    pub fn of(settings: &Values) -> Self {
        match settings.get("tls") {
            "implicit" => Self::Implicit,
            "none" => Self::None,
            _ => Self::Starttls,
        }
    }

    pub fn scheme(self) -> &'static str {
        match self {
            Self::Starttls => "smtp",
            Self::Implicit => "smtps",
            Self::None => "smtp-clear",
        }
    }
}

/// Where to, by which rules, and as whom.
pub(super) struct Server<'a> {
    pub egress: &'a Egress,
    pub address: Url,
    pub encryption: Encryption,
    pub ca_certificate: &'a str,
    pub login: Option<basic::Payload>,
    /// Our own name, for the greeting.
    pub hello: &'a str,
}

impl Server<'_> {
    /// As sentences name it.
    pub fn name(&self) -> String {
        authority(&self.address)
    }

    fn hello(&self) -> ClientId {
        match self.hello.parse() {
            Ok(std::net::IpAddr::V4(address)) => ClientId::Ipv4(address),
            Ok(std::net::IpAddr::V6(address)) => ClientId::Ipv6(address),
            Err(_) => ClientId::Domain(self.hello.to_owned()),
        }
    }

    pub fn call(&self, error: &ProviderError) -> SendError {
        SendError::call(error, &format!("the mail server {}", self.name()))
    }
}

/// What became of a letter.
pub(super) enum Failed {
    /// The connection ended before any of the letter was on its way: it may be sent over another one.
    Before,
    /// The server said no. Whether the connection can be used on.
    Refused(SendError, bool),
    /// The connection ended while the letter was on its way; nobody knows whether it arrived.
    During,
}

/// The step at which a server refuses one recipient and no other.
const RECIPIENT: &str = "the recipient's address";

/// A connection that has been greeted, encrypted and logged in.
pub(super) struct Session {
    smtp: AsyncSmtpConnection,
    /// The letter itself is on its way: the server may have it, whatever comes of this.
    pub begun: bool,
}

impl Session {
    pub async fn open(server: &Server<'_>) -> Result<Self, SendError> {
        let stream = server.egress.connect(&server.address).await.map_err(|error| server.call(&error))?;
        let mut smtp = match server.encryption {
            Encryption::None => greet(server, Box::new(Clear::new(Arc::new(Mutex::new(stream))))).await?,
            Encryption::Implicit => greet(server, Box::new(encrypt(server, stream, b"").await?)).await?,
            Encryption::Starttls => {
                let stream = ask_for_tls(server, stream).await?;
                // The library waits for a greeting, which a server does not repeat after STARTTLS.
                greet(server, Box::new(encrypt(server, stream, b"220 encrypted\r\n").await?)).await?
            }
        };
        if let Some(login) = &server.login {
            log_in(server, &mut smtp, login).await?;
        }
        Ok(Self { smtp, begun: false })
    }

    /// Hands one letter over. `Ok` only when the server took the whole of it. A server delivers nothing before it has
    /// seen the end of a letter (RFC 5321, 4.1.1.4), so all but the letter itself is said before the go-ahead.
    pub async fn send(&mut self, server: &Server<'_>, mail: &Mail, go_ahead: Option<&GoAhead>) -> Result<(), Failed> {
        let no = |step: &'static str| move |error: smtp::Error| refused(server, step, &error).ok_or(Failed::Before);
        self.begun = false;
        let from = MailFrom::new(Some(mail.from.clone()), Vec::new());
        if let Err(error) = self.smtp.command(from).await {
            return Err(self.after(no("the sender address")(error)?).await);
        }
        if let Err(error) = self.smtp.command(Rcpt::new(mail.to.clone(), Vec::new())).await {
            return Err(self.after(no(RECIPIENT)(error)?).await);
        }
        if let Err(error) = self.smtp.command(Data).await {
            return Err(self.after(no("the letter")(error)?).await);
        }
        if let Some(go_ahead) = go_ahead {
            // What was begun ends with the connection.
            go_ahead.given().await.map_err(|error| Failed::Refused(error, false))?;
        }
        self.begun = true;
        match self.smtp.message(&mail.bytes).await {
            Ok(_) => Ok(()),
            Err(error) => match refused(server, "the letter", &error) {
                Some(refusal) => Err(self.after(refusal).await),
                None => Err(Failed::During),
            },
        }
    }

    /// After a refusal the next letter starts anew, if the server still listens.
    async fn after(&mut self, refusal: SendError) -> Failed {
        let stays = refusal.again != Again::WhenItIsBack && self.smtp.command(Rset).await.is_ok();
        Failed::Refused(refusal, stays)
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let _ = self.smtp.quit().await;
    }
}

async fn greet(server: &Server<'_>, stream: Box<dyn AsyncTokioStream>) -> Result<AsyncSmtpConnection, SendError> {
    let greeted = AsyncSmtpConnection::connect_with_transport(stream, &server.hello()).await;
    greeted.map_err(|error| match error.status() {
        Some(code) => SendError {
            sentence: format!("The mail server {} takes no mail at the moment (it answered {code}).", server.name()),
            again: Again::WhenItIsBack,
        },
        None => dropped(server),
    })
}

/// Has the server switch to TLS, and takes the bare connection back. What it said in clear is forgotten with the
/// library's connection: also what somebody on the way may have put behind the answer.
async fn ask_for_tls(server: &Server<'_>, stream: TcpStream) -> Result<TcpStream, SendError> {
    let shared = Arc::new(Mutex::new(stream));
    let mut smtp = greet(server, Box::new(Clear::new(Arc::clone(&shared)))).await?;
    if !smtp.can_starttls() {
        let _ = smtp.quit().await;
        return Err(SendError::never(format!(
            "The mail server {} does not offer STARTTLS; nothing was sent. Choose TLS from the start, as on port 465, \
             or ask its administrator to offer STARTTLS.",
            server.name()
        )));
    }
    if let Err(error) = smtp.command(Starttls).await {
        return Err(refused(server, "to encrypt the connection", &error).unwrap_or_else(|| dropped(server)));
    }
    drop(smtp);
    let stream = Arc::into_inner(shared).ok_or_else(|| dropped(server))?;
    Ok(stream.into_inner().unwrap_or_else(PoisonError::into_inner))
}

async fn encrypt(server: &Server<'_>, stream: TcpStream, first: &'static [u8]) -> Result<Encrypted, SendError> {
    let trust = trust(server.ca_certificate).map_err(|error| server.call(&error))?;
    match secure(stream, &server.address, trust, Form::CA_FIELD).await {
        Ok(stream) => Ok(Encrypted::new(stream, first)),
        Err(ProviderError::NotTls { .. }) if first.is_empty() => Err(SendError::never(format!(
            "The mail server {} does not encrypt from the start on this port. Choose STARTTLS, as on port 587, or \
             another port.",
            server.name()
        ))),
        Err(ProviderError::NotTls { .. }) => Err(dropped(server)),
        Err(error) => Err(server.call(&error)),
    }
}

async fn log_in(server: &Server<'_>, smtp: &mut AsyncSmtpConnection, login: &basic::Payload) -> Result<(), SendError> {
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    if smtp.server_info().get_auth_mechanism(&mechanisms).is_none() {
        return Err(SendError::never(format!(
            "The mail server {} offers no login with a password. Choose no credential, or another port.",
            server.name()
        )));
    }
    let credentials = Credentials::new(login.username.clone(), login.password.expose_secret().to_owned());
    let Err(error) = smtp.auth(&mechanisms, &credentials).await else { return Ok(()) };
    Err(match error.status().map(u16::from) {
        Some(534 | 535) => server.call(&ProviderError::Unauthorized { sent: Sent::Password }),
        _ => refused(server, "the login", &error).unwrap_or_else(|| dropped(server)),
    })
}

/// A reply that says no, in words; `None` when there was no reply.
fn refused(server: &Server<'_>, what: &str, error: &smtp::Error) -> Option<SendError> {
    let code: u16 = error.status()?.into();
    if error.is_transient() {
        return Some(away_or_later(server, code, what));
    }
    let name = server.name();
    // What the account may not do says nothing about one recipient (RFC 3463, 3.8).
    let policy = code == 530 || says_policy(error);
    let again = if what == RECIPIENT && !policy { Again::NeverThisOne } else { Again::Never };
    let sentence = match (code, what) {
        (530, _) => format!("The mail server {name} wants a login (it answered 530). Choose a credential for it."),
        (552 | 523, "the letter") => {
            format!(
                "The mail server {name} refused the letter (it answered {code}): it is too large, or the mailbox is full."
            )
        }
        (_, "the sender address") => format!(
            "The mail server {name} refused the sender address (it answered {code}). Check that the account may send as it."
        ),
        (_, RECIPIENT) if policy => format!(
            "The mail server {name} does not let this account send to that recipient (it answered {code}). Check the login, \
             and that the server relays for it."
        ),
        (_, RECIPIENT) => format!(
            "The mail server {name} refused the recipient's address (it answered {code}). Check it, or remove the recipient."
        ),
        _ => format!("The mail server {name} refused {what} (it answered {code}). Its log says why."),
    };
    Some(SendError { sentence, again })
}

/// Whether the enhanced status at the start of the words is X.7.X, security or policy.
fn says_policy(error: &smtp::Error) -> bool {
    let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    words.split_whitespace().next().is_some_and(|status| status.starts_with("5.7."))
}

/// A 4xx: of the server as a whole, which then hangs up, or of this letter.
fn away_or_later(server: &Server<'_>, code: u16, what: &str) -> SendError {
    let name = server.name();
    if code == 421 {
        let sentence = format!("The mail server {name} takes no mail at the moment (it answered 421).");
        return SendError { sentence, again: Again::WhenItIsBack };
    }
    SendError::later(format!("The mail server {name} put off {what} (it answered {code})."))
}

/// The connection ended, or what came is not SMTP.
pub(super) fn dropped(server: &Server<'_>) -> SendError {
    let sentence = format!(
        "The mail server {} closed the connection, or does not speak SMTP there. Check the port and the encryption.",
        server.name()
    );
    SendError { sentence, again: Again::WhenItIsBack }
}

pub(super) fn too_slow(server: &Server<'_>) -> SendError {
    server.call(&ProviderError::Timeout { host: server.name() })
}
