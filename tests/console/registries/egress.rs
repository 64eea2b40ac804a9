//! The way out: which addresses it takes, and what of an address it believes. Section 1.D of the security notes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use reqwest::{Method, Request};
use strongroom::providers::ProviderError;
use strongroom::providers::egress::{Answer, BODY_LIMIT, Egress, Tls};
use url::Url;

use super::loopback;
use crate::support::peers::scripted::{Reply, Scripted};

/// Spellings of inner addresses, and of hosts that are not what they seem.
const SPELLINGS: [&str; 21] = [
    "http://0x7f.1/",
    "http://2130706433/",
    "http://127.1/",
    "http://0/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://①⑥⑨.254.169.254/",
    "http://%31%36%39.254.169.254/",
    "http://１２７.0.0.1/",
    "http://169.254.169.254./",
    "http://localhost./",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[::127.0.0.1]/",
    "http://[fd00:ec2::254]/",
    "http://metadata.google.internal/",
    "http://user:pw@169.254.169.254@evil.com/",
    "http:\\\\evil.com\\@good.com/",
    "http://good.com\t.evil.com/",
    "file:///etc/passwd",
];

fn check(egress: &Egress, address: &str) -> Result<(), ProviderError> {
    egress.check_url(&address.parse().unwrap())
}

async fn get(egress: &Egress, address: &str) -> Result<Answer, ProviderError> {
    let request = Request::new(Method::GET, address.parse().unwrap());
    egress.client(Tls::default()).unwrap().send(request, BODY_LIMIT).await
}

#[tokio::test]
async fn every_spelling_of_an_inner_address_is_refused_at_save_and_at_use() {
    let closed = Egress::new(Vec::new());
    for spelling in SPELLINGS {
        for address in [spelling.to_owned(), spelling.replacen("http:", "https:", 1)] {
            // These two are public hosts once parsed, and over https nothing is wrong with them.
            if address.starts_with("https:") && (address.contains("\\@good") || address.contains('\t')) {
                assert!(address.parse::<Url>().unwrap().host_str().unwrap().ends_with("evil.com"));
                continue;
            }
            assert!(check(&closed, &address).is_err(), "{address}");
            assert!(get(&closed, &address).await.is_err(), "{address}");
        }
    }
}

#[test]
fn metadata_addresses_stay_out_of_reach_whatever_the_operator_lists() {
    let everything = Egress::new(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()])
        .allow_hosts(vec!["metadata.google.internal".to_owned()]);
    for host in [
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "[::]",
        "[::7f00:1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[2001::1]",
        "[::ffff:0:169.254.169.254]",
        "[2606:4700::5efe:a9fe:a9fe]",
        "[fd20:ce::254]",
        "[fd00:c1::a9fe:a9fe]",
        "[fd00:42::42]",
        "192.88.99.1",
        "metadata",
        "metadata.goog",
        "instance-data",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "metadata.amazonaws.com",
    ] {
        let refused = check(&everything, &format!("https://{host}/"));
        assert!(matches!(refused, Err(ProviderError::Reserved { .. })), "{host}: {refused:?}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_metadata_service_is_refused_whatever_is_listed() {
    let sink = Scripted::start(|_| Reply::status(200)).await;
    for address in ["169.254.169.254", "100.100.100.200", "168.63.129.16", "fd20:ce::254", "::ffff:0:169.254.169.254"] {
        let found: std::net::IpAddr = address.parse().unwrap();
        let everything = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
        let egress = Egress::new(everything).resolving_by(move |_| async move { Ok(vec![found]) });
        let refused = get(&egress, &format!("http://inner.example:{}/", sink.address.port())).await;
        assert!(matches!(refused, Err(ProviderError::RefusedByPolicy { .. })), "{address}");
    }
    assert!(sink.seen().is_empty());
}

#[test]
fn private_ranges_open_when_listed_and_only_these() {
    let private = [
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "[fd12::1]",
        "[fec0::1]",
        "[5f00::1]",
        "127.0.0.1",
        "[::1]",
    ];
    for host in private {
        let address = format!("https://{host}/");
        let network = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().unwrap().into();
        assert!(check(&Egress::new(Vec::new()), &address).is_err(), "{host}");
        assert!(check(&Egress::new(vec!["203.0.113.0/24".parse().unwrap()]), &address).is_err(), "{host}");
        assert_eq!(check(&Egress::new(vec![network]), &address), Ok(()), "{host}");
    }
    assert_eq!(check(&Egress::new(Vec::new()), "https://203.0.114.1/"), Ok(()));
    assert_eq!(check(&Egress::new(Vec::new()), "https://[2606:4700::1]/"), Ok(()));
}

#[test]
fn plain_http_and_unusual_ports_are_for_listed_addresses_only() {
    let closed = Egress::new(Vec::new());
    for port in [443, 5000, 6443, 8443, 9443] {
        assert_eq!(check(&closed, &format!("https://registry.example.com:{port}/")), Ok(()));
    }
    for address in ["https://x.example:22/", "https://x.example:5432/", "https://x.example:25/", "http://x.example/"] {
        assert!(matches!(check(&closed, address), Err(ProviderError::RefusedByPolicy { .. })), "{address}");
    }
    assert_eq!(check(&loopback(), "http://127.0.0.1:1234/"), Ok(()));
    assert!(check(&loopback(), "http://8.8.8.8:5000/").is_err());
    let by_name = Egress::new(Vec::new()).allow_hosts(vec!["registry.internal".to_owned()]);
    assert_eq!(check(&by_name, "http://registry.internal:5001/"), Ok(()));
    assert!(Egress::warning(&"http://127.0.0.1/".parse().unwrap()).is_some());
    assert!(Egress::warning(&"https://127.0.0.1/".parse().unwrap()).is_none());
}

#[test]
fn other_schemes_and_addresses_with_a_password_are_no_addresses() {
    for address in ["file:///etc/passwd", "gopher://x.example/", "ftp://x.example/", "https://u:p@x.example/"] {
        assert_eq!(check(&loopback(), address), Err(ProviderError::InvalidAddress), "{address}");
    }
}

#[tokio::test]
async fn a_name_that_turns_to_an_inner_address_is_never_followed_there() {
    let sink = Scripted::start(|_| Reply::status(200)).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // TEST-NET-1 leads nowhere, and quickly so by a short patience.
    let egress = Egress::new(vec!["192.0.2.0/24".parse().unwrap()])
        .within(std::time::Duration::from_millis(20), std::time::Duration::from_millis(20))
        .resolving_by(move |_| {
            let turn = count.fetch_add(1, Ordering::SeqCst);
            let address = if turn.is_multiple_of(2) { "192.0.2.1" } else { "127.0.0.1" };
            async move { Ok(vec![address.parse().unwrap()]) }
        });
    for _ in 0..50 {
        let _ = get(&egress, &format!("http://rebinding.example:{}/", sink.address.port())).await;
    }
    assert!(asked.load(Ordering::SeqCst) >= 50);
    assert!(sink.seen().is_empty() && sink.busiest() == 0);
}

#[tokio::test]
async fn one_inner_address_among_good_ones_fails_the_name() {
    let egress = Egress::new(Vec::new())
        .resolving_by(|_| async { Ok(vec!["203.0.114.1".parse().unwrap(), "10.0.0.1".parse().unwrap()]) });
    let refused = get(&egress, "https://mixed.example/").await.err();
    assert_eq!(refused, Some(ProviderError::RefusedByPolicy { host: "mixed.example".to_owned() }));
}

#[tokio::test]
async fn plain_http_to_a_name_needs_a_listed_address_behind_it() {
    let sink = Scripted::start(|_| Reply::status(200)).await;
    let address = format!("http://named.example:{}/", sink.address.port());
    let to_loopback = loopback().resolving_by(|_| async { Ok(vec!["127.0.0.1".parse().unwrap()]) });
    assert_eq!(get(&to_loopback, &address).await.map(|answer| answer.status), Ok(200));
    let to_public = loopback().resolving_by(|_| async { Ok(vec!["203.0.114.1".parse().unwrap()]) });
    assert!(matches!(get(&to_public, &address).await, Err(ProviderError::RefusedByPolicy { .. })));
}

#[tokio::test]
async fn localhost_is_this_machine_whatever_a_name_server_says() {
    let sink = Scripted::start(|_| Reply::status(200)).await;
    let egress = loopback().resolving_by(|_| async { Ok(vec!["203.0.114.1".parse().unwrap()]) });
    let answer = get(&egress, &format!("http://localhost:{}/", sink.address.port())).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(200));
    assert!(check(&Egress::new(Vec::new()), "https://sub.localhost/").is_err());
}

#[tokio::test]
async fn an_unknown_name_and_a_closed_port_are_unreachable() {
    let nowhere = loopback().resolving_by(|_| async { Err(std::io::ErrorKind::NotFound.into()) });
    let unknown = get(&nowhere, "https://unknown.example/").await;
    assert_eq!(unknown.err(), Some(ProviderError::Unreachable { host: "unknown.example".to_owned() }));
    let port = crate::support::peers::free_port();
    let closed = get(&loopback(), &format!("http://127.0.0.1:{port}/")).await;
    assert!(matches!(closed, Err(ProviderError::Unreachable { .. })));
}

#[tokio::test]
async fn an_answer_is_taken_up_to_its_limit_and_not_a_byte_further() {
    for (size, fits) in [(BODY_LIMIT, true), (BODY_LIMIT + 1, false)] {
        let body = move |_: &str| Reply::Answer { status: 200, headers: Vec::new(), body: vec![b'x'; size] };
        let peer = Scripted::start(body).await;
        assert_eq!(get(&loopback(), &peer.url()).await.is_ok(), fits);
    }
}

#[tokio::test]
async fn every_request_says_who_sends_it_and_nothing_is_decompressed() {
    let bomb = b"\x1f\x8b\x08\x00SECRET".to_vec();
    let peer = Scripted::start(move |_| {
        Reply::Answer { status: 200, headers: Vec::new(), body: bomb.clone() }.with("Content-Encoding", "gzip")
    })
    .await;
    assert_eq!(get(&loopback(), &peer.url()).await.unwrap().body, b"\x1f\x8b\x08\x00SECRET");
}

#[tokio::test]
async fn a_proxy_named_in_the_environment_is_not_used() {
    const TARGET: &str = "STRONGROOM_TEST_PROXY_TARGET";
    if let Ok(target) = std::env::var(TARGET) {
        assert_eq!(get(&loopback(), &target).await.map(|answer| answer.status), Ok(200));
        return;
    }
    let (peer, proxy) = (Scripted::start(|_| Reply::status(200)).await, Scripted::start(|_| Reply::status(500)).await);
    // The environment belongs to a process, so the same test runs once more in one of its own.
    let mut again = tokio::process::Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "registries::egress::a_proxy_named_in_the_environment_is_not_used"]);
    for name in ["http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        again.env(name, proxy.url());
    }
    let ran = again.env("NO_PROXY", "").env(TARGET, peer.url()).output().await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    assert_eq!(peer.seen().len(), 1);
    assert!(proxy.seen().is_empty());
}

proptest! {
    #[test]
    fn an_ipv4_address_is_judged_alike_in_every_ipv6_dress(bits in any::<u32>()) {
        let egress = Egress::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let v4 = std::net::Ipv4Addr::from(bits);
        let plain = check(&egress, &format!("https://{v4}/")).is_ok();
        let mapped = check(&egress, &format!("https://[::ffff:{v4}]/")).is_ok();
        let translated = check(&egress, &format!("https://[64:ff9b::{v4}]/")).is_ok();
        prop_assert_eq!(plain, mapped);
        let stateless = check(&egress, &format!("https://[::ffff:0:{v4}]/")).is_ok();
        prop_assert_eq!(plain, translated);
        prop_assert_eq!(plain, stateless);
    }
}
