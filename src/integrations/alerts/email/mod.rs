//! E-mail: one letter for each recipient, over a connection that is encrypted unless the operator's own network carries
//! it. The letter is rendered before, by `mail`; here it becomes a message and is handed to the server. The
//! conversation is in `session.rs`, what is kept between two letters in `connections.rs`.

use futures_util::future::BoxFuture;
use url::{Host, Url};

use super::{Channel, Dispatch, Failure, Receipt, Retry, call};
use crate::form::{Errors, Field, Values};
use crate::hosts;
use crate::integrations::ca_certificate;
use crate::integrations::context::Context;
use crate::integrations::spec::{self, Does, Spec, Use, no_grants};
use crate::names;
use crate::pasted::Wanted;

pub(crate) mod connections;
pub(crate) mod letter;
mod limits;
mod logins;
mod replies;
mod server;
mod session;
mod streams;
mod talk;

pub use connections::Connections;
pub use letter::{Letter, address, host, is_whole_host_name};
pub use limits::Limits;
pub use replies::known_refusals;

use letter::Mail;
use server::{Encryption, Server};

/// The checkbox of the one channel that also writes to users about their accounts.
pub const FOR_ACCOUNTS: &str = "accounts";

/// Who is told of what stands with each recipient, not here.
static FIELDS: [Field; 7] = [
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
        "STARTTLS is usual on port 587, TLS from the start on port 465. None is only for your own \
         network, and works without a credential.",
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
    Field::checkbox(FOR_ACCOUNTS, "Also for accounts")
        .after_credential()
        .help("Sends invitations and password resets to users. One channel can do this.")
        .summary(|value| (value == "on").then(|| "Invitations and password resets".to_owned())),
];

pub static EMAIL: Spec = Spec {
    slug: "email",
    label: "E-mail",
    fields: &FIELDS,
    uses: &[Use::main(&["basic", "azure", "gcp"]).optional()],
    host: spec::Host::Chosen(server),
    suits,
    grants: no_grants,
    check: Some(|cx| call::checked(check(cx))),
    // What is more is counted in the letter, with a link: one letter for each recipient and run.
    does: Does::Channel(&Channel {
        lines_at_once: 1000,
        has_recipients: true,
        patience: Limits::LETTER,
        send,
        peer: None,
    }),
};

fn suits(settings: &Values, _: &str, _: &Values) -> Result<(), Errors> {
    match Encryption::of(settings) {
        Encryption::None => {
            let text = "A password is never sent without encryption: choose STARTTLS or TLS, or no credential.";
            Err(Errors::one("tls", text))
        }
        _ => Ok(()),
    }
}

/// `smtp://` for STARTTLS, `smtps://` for TLS from the start, `smtp-clear://` for neither; always with a port.
fn server(settings: &Values) -> Option<Url> {
    let scheme = Encryption::of(settings).scheme();
    let (host, port) = (settings.get("host"), settings.get("port"));
    let url = Url::parse(&format!("{scheme}://{host}:{port}")).ok()?;
    url.port().and(url.host_str()).is_some().then_some(url)
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let mail = dispatch.letter.map(|letter| Mail::new(letter, cx.settings)).transpose().map_err(Failure::never)?;
        let console = host(&dispatch.message.console);
        let server = reach(cx, &console).await?;
        let sent = match mail {
            Some(mail) => cx.outside.smtp.deliver(&server, cx.stored(), &mail, dispatch.go_ahead).await,
            // A profile on its form has nobody to write to yet.
            None if dispatch.message.test => cx.outside.smtp.knock(&server).await,
            None => Err(Failure::never("This has no recipient. Add one.")),
        };
        forget_refused(cx, &sent);
        sent.map(|()| Receipt::default())
    })
}

/// Greets, encrypts, logs in and goes.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let knocked = cx.outside.smtp.knock(&reach(cx, "localhost.localdomain").await?).await;
    forget_refused(cx, &knocked);
    knocked?;
    let what = if cx.main().is_some() { "accepted the login" } else { "answered; no login was tried" };
    Ok(format!("The mail server {what}."))
}

/// The server of the settings, with the login of the credential. `console` greets where the operator chose no name.
async fn reach<'a>(cx: &'a Context<'_>, console: &'a str) -> Result<Server<'a>, Failure> {
    let unusable = || Failure::never("The mail server's address is not usable. Edit it.");
    let address = server(cx.settings).ok_or_else(unusable)?;
    let encryption = Encryption::of(cx.settings);
    if cx.main().is_some() && encryption == Encryption::None {
        return Err(Failure::never(
            "A password is never sent without encryption. Choose STARTTLS or TLS, or no credential.",
        ));
    }
    let login = logins::login(cx).await?;
    let (egress, ca_certificate) = (cx.outside.egress, cx.settings.get("ca_certificate"));
    let hello = cx.outside.smtp.hello(console);
    Ok(Server { egress, address, encryption, ca_certificate, login, hello })
}

/// A token keeps the permissions of the hour in which it was given: after a refusal it is not used again.
fn forget_refused<T>(cx: &Context<'_>, result: &Result<T, Failure>) {
    if let (Err(error), Some(stored)) = (result, cx.stored())
        && error.retry == Retry::ChannelRejected
    {
        cx.outside.tokens.forget(stored.credential);
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
