//! Whom a registry scan trusts, and what it says of whom it does not.

use std::net::SocketAddr;

use serde_json::json;
use strongroom::providers::ProviderError;
use strongroom::providers::tls_faults::{CertificateFault, HandshakeFault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::{Call, Receiver, Said};

/// A registry without images.
fn registry(call: &Call) -> Said {
    match call.target.split('?').next() {
        Some("/v2/_catalog") => Said::json(200, &json!({"repositories": []})),
        _ => Said::json(200, &json!({})),
    }
}

fn behind(pair: &(String, String)) -> Receiver {
    Receiver::start_tls_as(&Authority::new(), pair.clone(), registry)
}

async fn fault(scan: Scan) -> CertificateFault {
    match scan.run().await.unwrap_err().cause {
        ProviderError::Certificate { fault, .. } => fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn field_t01_a_registry_is_trusted_by_its_pasted_self_signed_certificate() {
    let pair = Authority::self_signed("127.0.0.1");
    let peer = behind(&pair);
    let error = Scan::of(peer.url()).run().await.unwrap_err().to_string();
    assert!(error.contains("is not trusted: it is self-signed. "), "{error}");
    assert!(error.ends_with("paste that certificate itself under CA certificate."), "{error}");
    Scan::of(peer.url()).with("ca_certificate", &pair.0).run().await.unwrap();

    // Another one of the same name is another one.
    let other = Authority::self_signed("127.0.0.1").0;
    let scan = Scan::of(peer.url()).with("ca_certificate", &other);
    assert_eq!(fault(scan).await, CertificateFault::SelfSigned { pasted: true });
}

#[tokio::test]
async fn field_t01_a_pasted_certificate_counts_for_its_names_and_dates_only() {
    let pair = Authority::self_signed("registry.internal");
    let peer = behind(&pair);
    let scan = Scan::of(peer.url()).with("ca_certificate", &pair.0);
    assert_eq!(fault(scan).await, CertificateFault::OtherName { names: vec!["registry.internal".into()] });
    let pair = Authority::self_signed_and_expired("127.0.0.1");
    let peer = behind(&pair);
    let scan = Scan::of(peer.url()).with("ca_certificate", &pair.0);
    assert_eq!(fault(scan).await, CertificateFault::Expired { on: "2002-01-01".into() });
    assert!(peer.calls().is_empty());
}

#[tokio::test]
async fn field_t01_a_pasted_certificate_that_is_no_authority_vouches_for_no_other() {
    let (pasted, issued) = Authority::no_authority("127.0.0.1");
    let peer = behind(&issued);
    fault(Scan::of(peer.url()).with("ca_certificate", &pasted)).await;
    assert!(peer.calls().is_empty());
}

#[tokio::test]
async fn field_t02_a_server_that_does_not_know_the_name_says_so() {
    let address = refusing_handshakes().await;
    let error = Scan::of(format!("https://{address}")).run().await.unwrap_err();
    let expected = ProviderError::Handshake { host: address.to_string(), fault: HandshakeFault::UnknownName };
    assert_eq!(error.cause, expected);
    assert!(error.to_string().contains("does not know this name. Check the host name"), "{error}");
}

#[tokio::test]
async fn field_t05_a_missing_intermediate_is_named() {
    let root = Authority::new();
    let intermediate = root.intermediate("Field Intermediate");
    let peer = behind(&intermediate.server("127.0.0.1"));
    let scan = Scan::of(peer.url()).with("ca_certificate", &root.pem);
    assert_eq!(fault(scan).await, CertificateFault::MissingIntermediate { issuer: "Field Intermediate".into() });
    let error = Scan::of(peer.url()).with("ca_certificate", &root.pem).run().await.unwrap_err().to_string();
    assert!(error.contains("add the certificate of “Field Intermediate” under CA certificate."), "{error}");
    let both = format!("{}{}", root.pem, intermediate.pem);
    Scan::of(peer.url()).with("ca_certificate", &both).run().await.unwrap();
}

#[tokio::test]
async fn an_unknown_authority_and_another_name_are_told_apart() {
    let authority = Authority::new();
    let peer = behind(&authority.server("127.0.0.1"));
    let issuer = || "Test authority".to_owned();
    assert_eq!(fault(Scan::of(peer.url())).await, CertificateFault::UnknownAuthority { issuer: issuer() });
    let renewed = Scan::of(peer.url()).with("ca_certificate", &Authority::new().pem);
    assert_eq!(fault(renewed).await, CertificateFault::OtherKey { issuer: issuer() });
    let peer = behind(&authority.server("registry.example"));
    let scan = Scan::of(peer.url()).with("ca_certificate", &authority.pem);
    assert_eq!(fault(scan).await, CertificateFault::OtherName { names: vec!["registry.example".into()] });
}

/// What nginx does with `ssl_reject_handshake on`: the fatal alert unrecognized_name (RFC 6066, section 3).
async fn refusing_handshakes() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut hello = [0; 4096];
            let _ = stream.read(&mut hello).await;
            let _ = stream.write_all(&[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70]).await;
        }
    });
    address
}
