//! The beginning of a conversation with a mail server: greeted, encrypted, logged in. What is said after that is in
//! `session.rs`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::Starttls;
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::super::Failure;
use super::limits::Limits;
use super::replies::{Parties, Reply, Step};
use super::server::{Encryption, Login, Server, broken, dropped, too_slow};
use super::streams::{Clear, Encrypted, Helo};
use crate::providers::ProviderError;
use crate::providers::connection::{secure, trust};
use crate::providers::tls_faults::Form;

/// Why there is no session.
enum Closed {
    /// The server may only know the greeting of old.
    Ehlo(Failure),
    Failed(Failure),
}

impl From<Failure> for Closed {
    fn from(error: Failure) -> Self {
        Self::Failed(error)
    }
}

/// A connection that is greeted, encrypted and logged in, and the name that it was greeted by. A server that refuses
/// EHLO is greeted as of old, over another connection.
pub(super) async fn open(server: &Server<'_>, limits: Limits) -> Result<(AsyncSmtpConnection, ClientId), Failure> {
    match begin(server, limits, false).await {
        Ok(begun) => Ok(begun),
        Err(Closed::Failed(error)) => Err(error),
        Err(Closed::Ehlo(_)) => begin(server, limits, true).await.map_err(|closed| match closed {
            Closed::Ehlo(error) | Closed::Failed(error) => error,
        }),
    }
}

/// `old` says HELO instead of EHLO.
async fn begin(server: &Server<'_>, limits: Limits, old: bool) -> Result<(AsyncSmtpConnection, ClientId), Closed> {
    let stream = server.egress.connect(&server.address).await.map_err(|error| server.call(&error))?;
    let hello = server.hello(stream.local_addr().ok().map(|address| address.ip()));
    let talk = Talk { server, hello: &hello, limits, old };
    let mut smtp = match server.encryption {
        Encryption::None => talk.greet(Clear::new(Arc::new(Mutex::new(stream)))).await?,
        Encryption::Implicit => talk.greet(talk.encrypt(stream, b"").await?).await?,
        Encryption::Starttls => {
            let stream = talk.ask_for_tls(stream).await?;
            // The library waits for a greeting, which a server does not repeat after STARTTLS.
            talk.greet(talk.encrypt(stream, b"220 encrypted\r\n").await?).await?
        }
    };
    if let Some(login) = &server.login {
        talk.log_in(&mut smtp, login).await?;
    }
    Ok((smtp, hello))
}

/// The beginning of a conversation.
struct Talk<'a> {
    server: &'a Server<'a>,
    hello: &'a ClientId,
    limits: Limits,
    /// HELO instead of EHLO.
    old: bool,
}

impl Talk<'_> {
    /// The answer within that time; a connection that ends is one that was dropped.
    async fn answer<T>(
        &self,
        step: Step,
        limit: Duration,
        said: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<T, Failure> {
        match timeout(limit, said).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                Err(Reply::of(&error).map_or_else(|| broken(self.server, &error), |no| self.told(&no, step)))
            }
            Err(_) => Err(too_slow(self.server)),
        }
    }

    fn told(&self, reply: &Reply, step: Step) -> Failure {
        let (server, hello) = (self.server.name(), self.hello.to_string());
        let sender = self.server.login.as_ref().map_or("", Login::user);
        reply.told(step, &Parties { server: &server, hello: &hello, sender })
    }

    async fn greet(&self, stream: impl AsyncTokioStream + 'static) -> Result<AsyncSmtpConnection, Closed> {
        let stream: Box<dyn AsyncTokioStream> = if self.old { Box::new(Helo::new(stream)) } else { Box::new(stream) };
        // The greeting, and the answer to ours.
        let greeted = AsyncSmtpConnection::connect_with_transport(stream, self.hello);
        match timeout(self.limits.command * 2, greeted).await {
            Ok(Ok(smtp)) => Ok(smtp),
            Ok(Err(error)) => Err(match Reply::of(&error) {
                Some(no) if no.may_be_about_ehlo() => Closed::Ehlo(self.told(&no, Step::Greeting)),
                Some(no) => Closed::Failed(self.told(&no, Step::Greeting)),
                None => Closed::Failed(broken(self.server, &error)),
            }),
            Err(_) => Err(too_slow(self.server).into()),
        }
    }

    /// Has the server switch to TLS, and takes the bare connection back. What it said in clear is forgotten with the
    /// library's connection: also what somebody on the way may have put behind the answer.
    async fn ask_for_tls(&self, stream: TcpStream) -> Result<TcpStream, Closed> {
        let shared = Arc::new(Mutex::new(stream));
        let mut smtp = self.greet(Clear::new(Arc::clone(&shared))).await?;
        if !smtp.can_starttls() {
            let _ = timeout(self.limits.visit, smtp.quit()).await;
            let error = Failure::never(format!(
                "The mail server {} does not offer STARTTLS; nothing was sent. Choose TLS from the start, as on port 465, \
                 or ask its administrator to offer STARTTLS.",
                self.server.name()
            ));
            return Err(error.into());
        }
        self.answer(Step::Encryption, self.limits.command, smtp.command(Starttls)).await?;
        drop(smtp);
        let stream = Arc::into_inner(shared).ok_or_else(|| dropped(self.server))?;
        Ok(stream.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    async fn encrypt(&self, stream: TcpStream, first: &'static [u8]) -> Result<Encrypted, Failure> {
        let server = self.server;
        let trust = trust(server.ca_certificate).map_err(|error| server.call(&error))?;
        let secured = timeout(self.limits.handshake, secure(stream, &server.address, trust, Form::CA_FIELD)).await;
        match secured.map_err(|_| too_slow(server))? {
            Ok(stream) => Ok(Encrypted::new(stream, first)),
            Err(ProviderError::NotTls { .. }) if first.is_empty() => Err(Failure::never(format!(
                "The mail server {} does not encrypt from the start on this port. Choose STARTTLS, as on port 587, or \
                 another port.",
                server.name()
            ))),
            Err(ProviderError::NotTls { .. }) => Err(dropped(server)),
            Err(error) => Err(server.call(&error)),
        }
    }

    async fn log_in(&self, smtp: &mut AsyncSmtpConnection, login: &Login) -> Result<(), Failure> {
        let offers = |mechanisms: &[Mechanism]| smtp.server_info().get_auth_mechanism(mechanisms).is_some();
        let by_token: &[Mechanism] = &[Mechanism::Xoauth2];
        let (mechanisms, step, secret): (&[_], _, _) = match login {
            Login::Password { password, .. } => (&[Mechanism::Plain, Mechanism::Login], Step::Login, password),
            Login::Token { token, .. } => (by_token, Step::TokenLogin, token),
        };
        if !offers(mechanisms) {
            let rest = match login {
                Login::Token { .. } => {
                    "login with an access token (XOAUTH2). Choose a Basic authentication credential, or another port."
                }
                Login::Password { .. } if offers(by_token) => {
                    "login with a password. It accepts access tokens: choose an Azure or Google Cloud credential."
                }
                Login::Password { .. } => "login with a password. Choose no credential, or another port.",
            };
            return Err(Failure::never(format!("The mail server {} offers no {rest}", self.server.name())));
        }
        let credentials = Credentials::new(login.user().to_owned(), secret.expose_secret().to_owned());
        let logged_in = timeout(self.limits.command, smtp.auth(mechanisms, &credentials)).await;
        match logged_in.map_err(|_| too_slow(self.server))? {
            Ok(_) => Ok(()),
            Err(error) => Err(match Reply::of(&error) {
                Some(no) => self.told(&no, step),
                // The reasons for which a token is refused come as a challenge, which the library does not answer.
                None if step == Step::TokenLogin && error.is_client() => self.told(&Reply::refused_token(), step),
                None => broken(self.server, &error),
            }),
        }
    }
}
