//! Where the console listens: ports that are taken, and addresses that nobody can open.

use std::net::TcpListener;

use reqwest::Method;

use crate::support::app::Visit;
use crate::support::binary::Strongroom;

#[test]
fn field_m01_a_taken_port_names_the_setting_that_chooses_another() {
    let strongroom = Strongroom::founded();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = taken.local_addr().expect("its address");
    for (flag, variable, what) in [
        ("--metrics-listen", "STRONGROOM_METRICS_LISTEN", "the metrics"),
        ("--listen", "STRONGROOM_LISTEN", "the console"),
    ] {
        let ran = strongroom.try_serve(&[&format!("{flag}={at}")]).map(|_| ()).expect_err(flag);
        assert_eq!(ran.status, 78, "{ran:?}");
        let said = format!("cannot listen on {at} for {what}: another program listens there. Choose another");
        assert!(ran.err.contains(&said), "{ran:?}");
        assert!(ran.err.contains(&format!("with {flag} ({variable})")), "{ran:?}");
    }
    let ran = strongroom.try_serve(&["--listen=192.0.2.77:0"]).map(|_| ()).expect_err("no such address");
    assert!(ran.err.contains("this machine does not have that address"), "{ran:?}");
}

#[actix_web::test]
async fn field_p01_a_wrong_host_is_logged_with_what_came_and_what_was_expected() {
    let strongroom = Strongroom::founded();
    let mut serving = strongroom.try_serve(&["--public-url=https://strongroom.test:8123"]).expect("a console");
    let request = Visit::to(&serving.url).request(Method::GET, "/login").header("host", "strongroom.test");
    assert_eq!(request.send().await.expect("an answer").status().as_u16(), 421);
    serving.wait_for_line("a request for another host was refused");
    let line = serving.log.lines().find(|line| line.contains("another host")).unwrap_or_default();
    assert!(line.contains("\"strongroom.test\"") && line.contains("\"https://strongroom.test:8123/\""), "{line}");
}

#[test]
fn field_k05_on_all_addresses_the_set_up_link_can_be_opened() {
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let serving = Strongroom::empty().try_serve(&[&format!("--listen={listen}")]).expect("a console");
        let (_, port) = serving.url.rsplit_once(':').expect("a port");
        let (port, ran) = (port.to_owned(), serving.stop());
        let link = ran.out.lines().find(|line| line.starts_with("http://")).expect("a link");
        let link = url::Url::parse(link).expect("an address");
        assert_eq!((link.path(), link.port().map(|port| port.to_string())), ("/setup", Some(port)), "{link}");
        let address = link.host_str().expect("a host").trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        let address = address.expect("an address");
        assert!(!address.is_unspecified(), "{link}");
        // It is one of this machine.
        assert!(TcpListener::bind((address, 0)).is_ok(), "{link}");
        assert!(ran.err.contains("Set STRONGROOM_PUBLIC_URL to the address that people open"), "{ran:?}");
    }
}
