//! Why an encrypted connection did not come about, in words. Which error of TLS means which fault stands in `tls_causes`;
//! who is trusted is decided in `trust`.

/// What the form that an address stands in has room for: a sentence names no field that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Where a certificate is given that is to be trusted: `under CA certificate`. `None`: nowhere.
    pub authority: Option<&'static str>,
    /// What to do when the server wants another client certificate, in a whole sentence. `None`: none is ever sent.
    pub client: Option<&'static str>,
}

impl Form {
    /// A form with the field *CA certificate* and no client certificates.
    pub const CA_FIELD: Self = Self { authority: Some("under CA certificate"), client: None };

    fn how_to_trust(self, then: impl FnOnce(&'static str) -> String) -> String {
        self.authority.map_or_else(
            || {
                "If a proxy on the way replaces certificates, add its authority to those of the machine that Strongroom \
                 runs on; SSL_CERT_FILE names the file of them."
                    .to_owned()
            },
            then,
        )
    }

    fn client_certificate(self) -> &'static str {
        self.client.unwrap_or("Strongroom sends none here. Have the server take connections without one.")
    }
}

/// What is wrong with a server's certificate. Names are cleaned, and empty where there is none to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate is not trusted")]
pub enum CertificateFault {
    /// It leads to an authority that nobody here trusts.
    UnknownAuthority {
        issuer: String,
    },
    /// An authority of that name is trusted, and has another key: it was renewed, or is another one.
    OtherKey {
        issuer: String,
    },
    /// The server does not send the certificate of its issuer.
    MissingIntermediate {
        issuer: String,
    },
    /// It is its own issuer. `pasted`: other certificates are trusted for this connection.
    SelfSigned {
        pasted: bool,
    },
    /// It is for these names and no other; at most three.
    OtherName {
        names: Vec<String>,
    },
    /// `on`: its last day, as 2026-11-26.
    Expired {
        on: String,
    },
    NotYetValid {
        from: String,
    },
    /// It is the certificate of an authority.
    IsAuthority,
    /// Damaged, for another purpose, or signed in a way that is no longer safe.
    Unusable,
}

/// Why a handshake ended, other than by a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeFault {
    /// The server has no site of that name (alert unrecognized_name).
    UnknownName,
    /// The alert internal_error, which some servers send instead of that.
    ServerFault,
    /// TLS 1.0 or 1.1 only.
    OldVersion,
    /// No way of encrypting in common.
    NothingInCommon,
    Other,
}

/// Why a server did not take our client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientFault {
    /// It got none.
    Missing,
    UnknownAuthority,
    Expired,
    Revoked,
    Other,
}

impl CertificateFault {
    /// What is wrong, and what to do.
    pub fn told(&self, host: &str, form: Form) -> (String, String) {
        let cause = |why: &str| format!("the certificate of {host} is not trusted: {why}.");
        match self {
            Self::UnknownAuthority { issuer } => (
                cause(&format!("it was issued by {}, an authority that is unknown here", quoted(issuer))),
                form.how_to_trust(|place| format!("Paste the certificate of that authority {place}.")),
            ),
            Self::OtherKey { issuer } => (
                cause(&format!(
                    "the authority {} that is trusted here has another key than the one that issued it",
                    quoted(issuer)
                )),
                form.how_to_trust(|place| format!("Paste the present certificate of that authority {place}.")),
            ),
            Self::MissingIntermediate { issuer } => {
                let issuer = quoted(issuer);
                (
                    cause(&format!(
                        "the server does not send the intermediate certificate of {issuer}, which issued it"
                    )),
                    match form.authority {
                        Some(place) => {
                            format!("Have the server send its whole chain, or add the certificate of {issuer} {place}.")
                        }
                        None => "Have the server send its whole chain.".to_owned(),
                    },
                )
            }
            Self::SelfSigned { pasted } => {
                let place = form.authority.filter(|_| *pasted);
                let other = place.map(|place| format!(", and it is not the one {place}")).unwrap_or_default();
                (
                    cause(&format!("it is self-signed{other}")),
                    form.how_to_trust(|place| {
                        format!("Make sure that it is the server's own, and paste that certificate itself {place}.")
                    }),
                )
            }
            Self::OtherName { names } if names.is_empty() => (
                cause("it names no host (no subject alternative name)"),
                "Have it issued again with the host among its subject alternative names; a common name alone no longer \
                 counts."
                    .to_owned(),
            ),
            Self::OtherName { names } => (
                cause(&format!("it is for another name ({})", names.join(", "))),
                "Enter the host by a name of the certificate, or have one issued for this name.".to_owned(),
            ),
            Self::Expired { on } => (
                cause(&format!("it expired{}", day(" on", on))),
                "Have it renewed at the server. If it is good, set the clock of the machine that Strongroom runs on."
                    .to_owned(),
            ),
            Self::NotYetValid { from } => (
                cause(&format!("it is not valid yet{}", day(", but from", from))),
                "Set the clock of the machine that Strongroom runs on, or have the server renew its certificate."
                    .to_owned(),
            ),
            Self::IsAuthority => (
                cause("it is made as a certificate authority (CA:TRUE) and not for a server"),
                match form.authority {
                    Some(place) => format!(
                        "Have one issued with basicConstraints=CA:FALSE, or paste that certificate itself {place}."
                    ),
                    None => "Have one issued with basicConstraints=CA:FALSE.".to_owned(),
                },
            ),
            Self::Unusable => (
                cause("it is damaged, made for another purpose, or signed in a way that is no longer safe"),
                "Have a new certificate issued for the server.".to_owned(),
            ),
        }
    }
}

fn quoted(name: &str) -> String {
    if name.is_empty() { "an unnamed issuer".to_owned() } else { format!("“{name}”") }
}

fn day(before: &str, day: &str) -> String {
    if day.is_empty() { String::new() } else { format!("{before} {day}") }
}

impl HandshakeFault {
    /// What happened, and what to do.
    pub fn told(self, host: &str) -> (String, String) {
        let (cause, remedy) = match self {
            Self::UnknownName => (
                "does not know this name",
                "Check the host name: the server that answers there serves other names. Where an IP address was entered, \
                 enter the name instead.",
            ),
            Self::ServerFault => (
                "broke off the encryption with an internal error",
                "Some servers do so for a name that they do not know: check the host name first, then the server's log.",
            ),
            Self::OldVersion => ("supports only an old version of TLS", "Have TLS 1.2 or 1.3 switched on there."),
            Self::NothingInCommon => (
                "offers no encryption that Strongroom accepts",
                "Have TLS 1.2 or 1.3 with current ciphers switched on there; some servers also end this way when they want \
                 a client certificate.",
            ),
            Self::Other => ("broke off the encryption", "The server's log says why."),
        };
        (format!("{host} {cause}."), remedy.to_owned())
    }
}

impl ClientFault {
    /// What happened, and what to do.
    pub fn told(self, host: &str, form: Form) -> (String, String) {
        let cause = match self {
            Self::Missing => format!("{host} demands a client certificate."),
            Self::UnknownAuthority => {
                format!("{host} refused the client certificate: it does not know the authority that issued it.")
            }
            Self::Expired => format!("{host} refused the client certificate: it has expired."),
            Self::Revoked => format!("{host} refused the client certificate: it was revoked."),
            Self::Other => format!("{host} refused the client certificate."),
        };
        (cause, form.client_certificate().to_owned())
    }
}

/// A connection that was closed without an answer: so end some that lack a client certificate.
pub(super) fn dropped(host: &str, form: Form) -> (String, String) {
    let remedy = match form.client {
        Some(remedy) => format!("It may demand a client certificate. {remedy}"),
        None => {
            "Try again later. If it stays so, look into the server's log: it may demand a client certificate, which \
                 Strongroom does not send here."
                .to_owned()
        }
    };
    (format!("{host} closed the connection without an answer."), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_only_fields_that_the_form_has() {
        let faults = [
            CertificateFault::UnknownAuthority { issuer: "A. Inc. CA".into() },
            CertificateFault::OtherKey { issuer: "A".into() },
            CertificateFault::MissingIntermediate { issuer: String::new() },
            CertificateFault::SelfSigned { pasted: true },
            CertificateFault::OtherName { names: Vec::new() },
            CertificateFault::OtherName { names: vec!["a.example".into()] },
            CertificateFault::Expired { on: "2026-01-01".into() },
            CertificateFault::NotYetValid { from: String::new() },
            CertificateFault::IsAuthority,
            CertificateFault::Unusable,
        ];
        let kubeconfig = Form { authority: Some("in the kubeconfig"), client: None };
        for fault in faults {
            for form in [Form::default(), kubeconfig] {
                let (cause, remedy) = fault.told("h.example", form);
                assert!(!cause.contains("CA certificate") && !remedy.contains("CA certificate"), "{cause} {remedy}");
                assert!(cause.ends_with('.') && remedy.ends_with('.'), "{cause} {remedy}");
            }
        }
    }
}
