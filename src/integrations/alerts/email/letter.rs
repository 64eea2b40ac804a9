//! A letter, and the message that becomes of it (RFC 5322, RFC 2045): every header that mail programs and servers look
//! at, and both bodies. Nothing here decides what a letter says.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use url::{Host, Url};
use uuid::Uuid;

use super::super::text::clean;
use crate::form::Values;

/// What one recipient gets, rendered. Any text in it may hold what people typed; it cannot end a header or a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Of the delivery: the same at every attempt, and so is the Message-ID.
    pub id: Uuid,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The console's host name, under which ids are unique.
    pub host: String,
    /// The address, as [`address`] returned it.
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Where one POST unsubscribes (RFC 8058). `None`: the letter belongs to no subscription.
    pub unsubscribe: Option<Url>,
}

impl Letter {
    /// `0190…@console.example.com`, without the angle brackets.
    pub fn message_id(&self) -> String {
        format!("{}@{}", self.id, self.host)
    }
}

/// The console's host, under which ids of mails are unique. An IPv6 address keeps its digits only: a domain has no room
/// for more.
pub fn host(console: &Url) -> String {
    match console.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => format!("{}.ipv6", address.segments().map(|s| format!("{s:x}")).join("-")),
        None => "localhost".to_owned(),
    }
}

/// An address that mail can be sent to, in its canonical form: the domain in lower case and in ASCII (RFC 5890). Local
/// parts in quotes or beyond ASCII are refused, since many servers do not take them.
pub fn address(text: &str) -> Result<String, String> {
    let wrong = || "Enter one e-mail address, such as ops@example.com, without a name around it.".to_owned();
    let (local, domain) = text.trim().rsplit_once('@').ok_or_else(wrong)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if local.is_empty() || !local.chars().all(plain) {
        return Err(wrong());
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain.trim_end_matches('.')) else { return Err(wrong()) };
    if !domain.split('.').all(is_label) {
        return Err(wrong());
    }
    let address = Address::new(local, domain).map_err(|_| wrong())?;
    let address = address.to_string();
    if address.len() > 254 { Err(wrong()) } else { Ok(address) }
}

/// Whether relays take it as the name of a host in a greeting: of two parts or more, none of them odd.
pub fn is_whole_host_name(name: &str) -> bool {
    let local = name == "localhost.localdomain" || name.ends_with(".localhost");
    name.contains('.') && !local && name.split('.').all(is_label)
}

/// A part of a domain (RFC 5321, 4.1.2): letters, digits and hyphens, none of these at an end.
fn is_label(label: &str) -> bool {
    let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plain && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

/// Ready for the wire.
pub(super) struct Mail {
    pub from: Address,
    pub to: Address,
    pub bytes: Vec<u8>,
}

impl Mail {
    /// The error is a sentence.
    pub fn new(letter: &Letter, settings: &Values) -> Result<Self, &'static str> {
        let from: Address =
            settings.get("from").parse().map_err(|_| "The sender address is not usable. Edit the profile.")?;
        let to: Address = letter.to.parse().map_err(|_| "The recipient's address is not usable. Remove it.")?;
        let name = match settings.get("from_name") {
            "" => "Strongroom".to_owned(),
            name => clean(name, 64),
        };
        let envelope = Envelope::new(Some(from.clone()), vec![to.clone()]);
        let mut builder = Message::builder()
            .envelope(envelope.map_err(|_| "The recipient's address is not usable. Remove it.")?)
            .date(SystemTime::from(letter.at))
            .from(Mailbox::new(Some(name), from.clone()))
            .to(Mailbox::new(None, to.clone()))
            .subject(letter.subject.as_str())
            .raw_header(written("Message-ID", format!("<{}>", letter.message_id())))
            // RFC 3834, and what Exchange looks at instead: nobody's absence is to be told to us.
            .raw_header(written("Auto-Submitted", "auto-generated".to_owned()))
            .raw_header(written("X-Auto-Response-Suppress", "All".to_owned()))
            // RFC 2919: what people sort their mail by.
            .raw_header(written("List-Id", format!("Strongroom <alerts.{}>", letter.host)));
        if let Some(url) = &letter.unsubscribe {
            builder = builder
                .raw_header(written("List-Unsubscribe", format!("<{url}>")))
                .raw_header(written("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let part = |kind: ContentType, body: &str| SinglePart::builder().header(kind).body(body.to_owned());
        let parts = MultiPart::alternative()
            .singlepart(part(ContentType::TEXT_PLAIN, &letter.text))
            .singlepart(part(ContentType::TEXT_HTML, &letter.html));
        let message = builder.multipart(parts).map_err(|_| "The letter could not be written.")?;
        Ok(Self { from, to, bytes: message.formatted() })
    }
}

/// A header of our own words. An id or a link must stand in one piece, where an encoder would cut it; so what is not
/// printable ASCII is left out, and nothing can end the line.
fn written(name: &'static str, value: String) -> HeaderValue {
    let value: String = value.chars().filter(|c| matches!(c, ' '..='~')).collect();
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}
