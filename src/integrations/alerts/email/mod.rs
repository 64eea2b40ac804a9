//! E-mail: one letter for each recipient, over a connection that is encrypted unless the operator's own network carries
//! it. The letter is rendered before, by `mail`; here it becomes a message and is handed to the server. The
//! conversation is in `session.rs`, what is kept between two letters in `connections.rs`.

use std::time::Duration;

use futures_util::future::BoxFuture;
use url::{Host, Url};

use super::{Again, Channel, Dispatch, Receipt, SendError};
use crate::form::{Errors, Field, Values};
use crate::hosts;
use crate::integrations::context::Context;
use crate::integrations::{Spec, ca_certificate};
use crate::names;
use crate::pasted::Wanted;

mod connections;
mod letter;
mod limits;
mod logins;
mod replies;
mod session;
mod streams;
mod talk;

pub use connections::Connections;
pub use letter::{Letter, address, host, is_whole_host_name};
pub use limits::Limits;

use letter::Mail;
use session::{Encryption, Server};

/// The line in the list of channels.
pub struct Email;

/// Who is told of what stands with each recipient, not here.
static FIELDS: [Field; 6] = [
    Field::text("host", "Mail server")
        .placeholder("smtp.example.com")
        .help("Its name or address alone; the port has a field of its own.")
        .max(253)
        .check(server_name)
        .identity(),
    Field::number("port", "Port", 1, 65_535).default("587"),
    Field::choice(
        "tls",
        "Encryption",
        &[
            ("starttls", "STARTTLS"),
            ("implicit", "TLS from the start"),
            ("none", "None"),
        ],
    )
    .help(
        "STARTTLS is usual on port 587, TLS from the start on port 465. None is for a network of your own only, and takes no \
         credential.",
    ),
    Field::text("from", "Sender address")
        .placeholder("strongroom@example.com")
        .help(
            "The server must let the credential's account send as this address. An Azure or Google Cloud credential logs in \
             as this mailbox.",
        )
        .max(254)
        .check(address),
    Field::text("from_name", "Sender name")
        .wants(Wanted::Name)
        .optional()
        .default("Strongroom")
        .max(64)
        .check(sender_name),
    ca_certificate::FIELD,
];

impl Spec for Email {
    fn slug(&self) -> &'static str {
        "email"
    }

    fn label(&self) -> &'static str {
        "E-mail"
    }

    fn fields(&self) -> &'static [Field] {
        &FIELDS
    }

    fn suits(&self, settings: &Values, _: &str, _: &Values) -> Result<(), Errors> {
        match Encryption::of(settings) {
            Encryption::None => {
                let text = "A password is never sent without encryption: choose STARTTLS or TLS, or no credential.";
                Err(Errors::one("tls", text))
            }
            _ => Ok(()),
        }
    }

    fn credential_kinds(&self) -> &'static [&'static str] {
        &["basic", "azure", "gcp"]
    }

    fn needs_credential(&self) -> bool {
        false
    }

    /// `smtp://` for STARTTLS, `smtps://` for TLS from the start, `smtp-clear://` for neither; always with a port.
    fn address(&self, settings: &Values) -> Option<Url> {
        let scheme = Encryption::of(settings).scheme();
        let (host, port) = (settings.get("host"), settings.get("port"));
        let url = Url::parse(&format!("{scheme}://{host}:{port}")).ok()?;
        url.port().and(url.host_str()).is_some().then_some(url)
    }

    fn host(&self, settings: &Values) -> Option<String> {
        let address = self.address(settings)?;
        let clear = if Encryption::of(settings) == Encryption::None { "smtp-clear://" } else { "" };
        Some(format!("{clear}{}:{}", address.host_str()?, address.port()?))
    }
}

impl Channel for Email {
    /// What is more is counted in the letter, with a link: one letter for each recipient and run.
    fn lines_at_once(&self) -> usize {
        1000
    }

    fn has_recipients(&self) -> bool {
        true
    }

    fn patience(&self) -> Duration {
        Limits::LETTER
    }

    fn send<'a>(&'a self, cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(async move {
            let address = self.address(cx.settings);
            let address =
                address.ok_or_else(|| SendError::never("The mail server's address is not usable. Edit it."))?;
            let encryption = Encryption::of(cx.settings);
            if cx.main().is_some() && encryption == Encryption::None {
                return Err(SendError::never(
                    "A password is never sent without encryption. Choose STARTTLS or TLS, or no credential.",
                ));
            }
            let mail =
                dispatch.letter.map(|letter| Mail::new(letter, cx.settings)).transpose().map_err(SendError::never)?;
            let login = logins::login(cx).await?;
            let ca_certificate = cx.settings.get("ca_certificate");
            let console = host(&dispatch.message.console);
            let hello = cx.outside.smtp.hello(&console);
            let server = Server { egress: cx.outside.egress, address, encryption, ca_certificate, login, hello };
            let sent = match mail {
                Some(mail) => cx.outside.smtp.deliver(&server, cx.stored(), &mail, dispatch.go_ahead).await,
                // A profile on its form has nobody to write to yet.
                None if dispatch.message.test => cx.outside.smtp.knock(&server).await,
                None => Err(SendError::never("There is nobody to send this to. Add a recipient.")),
            };
            if let (Err(error), Some(stored)) = (&sent, cx.stored())
                && error.again == Again::Never
            {
                // A token keeps the permissions of the hour in which it was given.
                cx.outside.tokens.forget(stored.credential);
            }
            sent.map(|()| Receipt::default())
        })
    }
}

/// A name as other names are: nothing in it may hide or reverse what a mail program shows.
fn sender_name(text: &str) -> Result<String, String> {
    names::label(text, 64)
}

/// A host name or address, in its canonical form.
fn server_name(text: &str) -> Result<String, String> {
    let name = text.trim_end_matches('.');
    let bare = if name.matches(':').count() > 1 && !name.starts_with('[') { format!("[{name}]") } else { name.into() };
    let plain =
        !bare.is_empty() && !bare.contains(['/', '@', '%', '?', '#']) && (bare.starts_with('[') || !bare.contains(':'));
    match Host::parse(&bare) {
        Ok(Host::Domain(name)) if plain && let Some(reason) = hosts::impossible_name(&name) => Err(reason.to_owned()),
        Ok(host) if plain => Ok(host.to_string()),
        _ => Err("Enter the name of the mail server alone, such as smtp.example.com.".to_owned()),
    }
}
