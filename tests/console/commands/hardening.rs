//! What a process of the console keeps from its neighbours, and what its second listener tells.

use std::fs;
use std::os::unix::fs::MetadataExt;

use strongroom::accounts::Role;

use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::peers::free_port;

#[actix_web::test]
async fn the_process_leaves_no_core_and_shows_no_key() {
    let strongroom = Strongroom::founded();
    let serving = strongroom.serve();
    serving.ready().await;
    let of_process = |file: &str| format!("/proc/{}/{file}", serving.pid());
    let limits = fs::read_to_string(of_process("limits")).expect("its limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
    // The kernel gives the files of a process that is not dumpable to root: others of the same user are kept out.
    assert_eq!(fs::metadata(of_process("environ")).expect("its environment").uid(), 0);
    let ring = fs::read_to_string(strongroom.keyring()).expect("a key ring");
    let keys: Vec<&str> = ring.split("\"key\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(!keys.is_empty());
    for file in ["environ", "cmdline"] {
        let shown = String::from_utf8_lossy(&fs::read(of_process(file)).unwrap_or_default()).into_owned();
        assert!(keys.iter().all(|key| !shown.contains(key)), "{file}");
    }
    assert!(keys.iter().all(|key| !serving.log.contains(key)));
}

#[actix_web::test]
async fn metrics_are_on_a_listener_of_their_own_and_name_nobody() {
    let strongroom = Strongroom::founded();
    let mut visit = strongroom.visit("ada", Role::Administrator);
    let port = free_port();
    let serving = strongroom.try_serve(&[&format!("--metrics-listen=127.0.0.1:{port}")]).expect("it starts");
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    assert_eq!(visit.get("/credentials").await.status, 200);
    let wrong = [("username", "mallory"), ("password", "secret of mallory"), ("next", "/")];
    assert_eq!(Visit::to(&serving.url).post("/login", &wrong).await.status, 422);
    assert_eq!(visit.get("/metrics").await.status, 404, "not for the public");

    let mut scraper = Visit::to(&format!("http://127.0.0.1:{port}"));
    let page = scraper.get("/metrics").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/plain; version=0.0.4"));
    for line in
        ["strongroom_requests_total{status=\"200\"}", "strongroom_login_failures_total 1", "route=\"/credentials\""]
    {
        assert!(page.body.contains(line), "no {line} in {}", page.body);
    }
    for word in ["mallory", "ada", "session="] {
        assert!(!page.body.contains(word), "{word} in {}", page.body);
    }
    for path in ["/", "/login", "/credentials", "/metrics/x"] {
        assert_eq!(scraper.get(path).await.status, 404, "{path}");
    }
    for (host, status) in [("evil.example", 421), ("strongroom:9464", 200), ("10.42.0.7:9464", 200)] {
        let request = scraper.request(reqwest::Method::GET, "/metrics").header("host", host);
        assert_eq!(scraper.send(request).await.status, status, "{host}");
    }
}

/// With a request that is none, a field without end and a body that is not HTTP, as scanners send them.
#[actix_web::test]
async fn what_strangers_send_raises_no_alarm_in_the_log() {
    use std::io::{Read, Write};

    let strongroom = Strongroom::founded();
    let serving = strongroom.serve();
    serving.ready().await;
    let address = serving.url.trim_start_matches("http://").to_owned();
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(300_000));
    let broken = "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    for sent in ["\x16\x03\x01\x02\x00\x01\x00\x01", "GET / HTTP/9.9\r\n\r\n", "A B C D\r\n\r\n", &endless, broken] {
        let mut stream = std::net::TcpStream::connect(&address).expect("it listens");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(5))).expect("a limit");
        // A console that has heard enough closes before all is sent.
        let _ = stream.write_all(sent.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let ran = serving.stop();
    // A console that begins may not be ready yet, and says so to the test that asks.
    let alarms = ran.err.lines().filter(|line| line.contains("\"level\":\"ERROR\"") && !line.contains("/readyz"));
    assert_eq!(alarms.collect::<Vec<_>>(), [""; 0]);
}
