//! From an error of TLS to its cause. What each is called stands in [`super::tls_faults`].

use rustls::{AlertDescription, CertificateError, InvalidMessage, OtherError, PeerIncompatible};

use super::ProviderError;
use super::tls_faults::{CertificateFault, ClientFault, Form, HandshakeFault};

/// The cause of an error of TLS. `certificate_sent`: whether a client certificate of ours was at hand.
pub(super) fn explain(error: &rustls::Error, host: String, form: Form, certificate_sent: bool) -> ProviderError {
    let handshake = |host, fault| ProviderError::Handshake { host, fault };
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            let fault = inner.downcast_ref::<CertificateFault>().cloned().unwrap_or(CertificateFault::Unusable);
            ProviderError::Certificate { host, fault, form }
        }
        rustls::Error::InvalidCertificate(_) => {
            ProviderError::Certificate { host, fault: CertificateFault::Unusable, form }
        }
        // The first bytes are no TLS record.
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => ProviderError::NotTls { host },
        rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            handshake(host, HandshakeFault::OldVersion)
        }
        rustls::Error::PeerIncompatible(_) => handshake(host, HandshakeFault::NothingInCommon),
        rustls::Error::AlertReceived(alert) => match meaning(*alert) {
            Alert::Handshake(fault) => handshake(host, fault),
            Alert::Client(why) => {
                let why = if certificate_sent { why } else { ClientFault::Missing };
                ProviderError::ClientCertificate { host, why, form }
            }
        },
        _ => handshake(host, HandshakeFault::Other),
    }
}

enum Alert {
    Handshake(HandshakeFault),
    Client(ClientFault),
}

/// RFC 8446, section 6.2.
fn meaning(alert: AlertDescription) -> Alert {
    use AlertDescription as A;
    match alert {
        A::UnrecognisedName => Alert::Handshake(HandshakeFault::UnknownName),
        A::InternalError => Alert::Handshake(HandshakeFault::ServerFault),
        A::ProtocolVersion => Alert::Handshake(HandshakeFault::OldVersion),
        A::HandshakeFailure | A::InsufficientSecurity | A::NoApplicationProtocol => {
            Alert::Handshake(HandshakeFault::NothingInCommon)
        }
        A::CertificateRequired | A::NoCertificate => Alert::Client(ClientFault::Missing),
        A::UnknownCA => Alert::Client(ClientFault::UnknownAuthority),
        A::CertificateExpired => Alert::Client(ClientFault::Expired),
        A::CertificateRevoked => Alert::Client(ClientFault::Revoked),
        A::BadCertificate | A::UnsupportedCertificate | A::CertificateUnknown | A::AccessDenied | A::DecryptError => {
            Alert::Client(ClientFault::Other)
        }
        _ => Alert::Handshake(HandshakeFault::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(alert: AlertDescription, form: Form, sent: bool) -> String {
        explain(&rustls::Error::AlertReceived(alert), "h.example".into(), form, sent).sentence("the server")
    }

    #[test]
    fn field_t02_an_alert_is_told_by_its_meaning() {
        let any = Form::default();
        assert!(told(AlertDescription::UnrecognisedName, any, false).contains("h.example does not know this name"));
        assert!(told(AlertDescription::InternalError, any, false).contains("a name that they do not know"));
        assert!(told(AlertDescription::ProtocolVersion, any, false).contains("old version of TLS"));
        assert!(told(AlertDescription::UnknownCA, any, true).contains("does not know the authority"));
        assert!(told(AlertDescription::UnknownCA, any, false).contains("demands a client certificate"));
        assert!(told(AlertDescription::CertificateExpired, any, true).contains("has expired"));
        assert!(!told(AlertDescription::CertificateRequired, Form::default(), false).contains("credential"));
    }
}
