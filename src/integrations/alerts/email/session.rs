//! One conversation with a mail server (RFC 5321, RFC 3207, RFC 4954), step by step, so that each refusal becomes a
//! sentence of its own (`replies.rs`) and each wait has its own limit (`limits.rs`).

use lettre::transport::smtp;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::super::{Failure, GoAhead, Retry};
use super::letter::Mail;
use super::limits::Limits;
use super::replies::{Parties, Reply, Step};
use super::server::{Server, broken};
use super::streams::Endless;
use super::talk;

/// What became of a letter.
pub(super) enum Failed {
    /// The connection ended before any of the letter was on its way: it may be sent over another one.
    Before,
    /// The server said no. Whether the connection can be used on.
    Refused(Failure, bool),
    /// The connection ended while the letter was on its way; nobody knows whether it arrived.
    During,
    /// No answer in time.
    Slow,
}

/// A connection that has been greeted, encrypted and logged in.
pub(super) struct Session {
    smtp: AsyncSmtpConnection,
    hello: ClientId,
    limits: Limits,
    /// The letter itself is on its way: the server may have it, whatever comes of this.
    pub begun: bool,
}

impl Session {
    pub async fn open(server: &Server<'_>, limits: Limits) -> Result<Self, Failure> {
        let (smtp, hello) = talk::open(server, limits).await?;
        Ok(Self { smtp, hello, limits, begun: false })
    }

    /// Hands one letter over. `Ok` only when the server took the whole of it. A server delivers nothing before it has
    /// seen the end of a letter (RFC 5321, 4.1.1.4), so all but the letter itself is said before the go-ahead.
    pub async fn send(&mut self, server: &Server<'_>, mail: &Mail, go_ahead: Option<&GoAhead>) -> Result<(), Failed> {
        self.begun = false;
        let (limits, sender) = (self.limits, mail.from.as_ref());
        let from = MailFrom::new(Some(mail.from.clone()), Vec::new());
        let said = timeout(limits.command, self.smtp.command(from)).await;
        self.accepted(server, Step::Sender, sender, said).await?;
        let said = timeout(limits.command, self.smtp.command(Rcpt::new(mail.to.clone(), Vec::new()))).await;
        self.accepted(server, Step::Recipient, sender, said).await?;
        let said = timeout(limits.data, self.smtp.command(Data)).await;
        self.accepted(server, Step::Letter, sender, said).await?;
        if let Some(go_ahead) = go_ahead {
            // What was begun ends with the connection.
            go_ahead.given().await.map_err(|error| Failed::Refused(error, false))?;
        }
        self.begun = true;
        let said = timeout(limits.block + limits.dot, self.smtp.message(&mail.bytes)).await;
        self.accepted(server, Step::Letter, sender, said).await
    }

    /// What follows from an answer. After a refusal the next letter starts anew, if the server still listens.
    async fn accepted<T>(
        &mut self,
        server: &Server<'_>,
        step: Step,
        sender: &str,
        said: Result<Result<T, smtp::Error>, tokio::time::error::Elapsed>,
    ) -> Result<(), Failed> {
        let error = match said {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => return Err(Failed::Slow),
        };
        let Some(reply) = Reply::of(&error) else {
            if !self.begun && Endless::ended(&error) {
                return Err(Failed::Refused(broken(server, &error), false));
            }
            return Err(if self.begun { Failed::During } else { Failed::Before });
        };
        let (server, hello) = (server.name(), self.hello.to_string());
        let refusal = reply.told(step, &Parties { server: &server, hello: &hello, sender });
        let listens = async { matches!(timeout(self.limits.visit, self.smtp.command(Rset)).await, Ok(Ok(_))) };
        let stays = refusal.retry != Retry::ReceiverDown && listens.await;
        Err(Failed::Refused(refusal, stays))
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        let _ = self.smtp.quit().await;
    }
}
