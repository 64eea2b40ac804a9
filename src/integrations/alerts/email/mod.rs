//! E-mail: one letter for each recipient, over a connection that is encrypted unless the operator's own network carries
//! it. The letter is rendered before, by `mail`; here it becomes a message and is handed to the server. The
//! conversation is in `session.rs`, what is kept between two letters in `connections.rs`.

use futures_util::future::BoxFuture;
use url::{Host, Url};

use super::{Channel, Job, Receipt, SendError};
use crate::credentials::{self, basic};
use crate::form::{Errors, Field, Values};
use crate::integrations::{Spec, ca_certificate};
use crate::names;
use crate::pasted::Wanted;

mod connections;
mod letter;
mod session;
mod streams;

pub use connections::Connections;
pub use letter::{Letter, address, host};

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
        .help("The server must let the credential's account send as this address.")
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
        &["basic"]
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

    fn send<'a>(&'a self, job: Job<'a>) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(async move {
            let address = self.address(job.settings);
            let address =
                address.ok_or_else(|| SendError::never("The mail server's address is not usable. Edit it."))?;
            let login = match job.credential {
                None => None,
                Some((_, values)) => Some(credentials::payload::<basic::Payload>(values).ok_or_else(|| {
                    SendError::never("The credential cannot be used here. Choose a Basic authentication.")
                })?),
            };
            let encryption = Encryption::of(job.settings);
            if login.is_some() && encryption == Encryption::None {
                return Err(SendError::never(
                    "A password is never sent without encryption. Choose STARTTLS or TLS, or no credential.",
                ));
            }
            let ca_certificate = job.settings.get("ca_certificate");
            let hello = &host(&job.message.console);
            let server = Server { egress: job.egress, address, encryption, ca_certificate, login, hello };
            match job.letter {
                Some(letter) => {
                    let mail = Mail::new(letter, job.settings).map_err(SendError::never)?;
                    job.smtp.deliver(&server, job.stored, &mail, job.go_ahead).await?;
                }
                // A profile on its form has nobody to write to yet.
                None if job.message.test => job.smtp.knock(&server).await?,
                None => return Err(SendError::never("There is nobody to send this to. Add a recipient.")),
            }
            Ok(Receipt::default())
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
        Ok(host) if plain && !matches!(&host, Host::Domain(name) if name.starts_with('.')) => Ok(host.to_string()),
        _ => Err("Enter the name of the mail server alone, such as smtp.example.com.".to_owned()),
    }
}
