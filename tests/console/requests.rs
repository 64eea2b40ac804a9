//! Requests that no browser sends: two lengths, endless heads, bodies that never come, hundreds of idle connections.

use std::time::{Duration, Instant};

use strongroom::accounts::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::TestApp;

const PATIENCE: Duration = Duration::from_secs(25);

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.url.strip_prefix("http://").expect("plain http")).await.expect("the console listens")
}

/// Sends bytes and reads until the console closes; returns what it said.
async fn said(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = connect(app).await;
    // A console that has heard enough closes before all is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the console closes");
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(line: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

#[actix_web::test]
async fn a_request_whose_length_is_in_doubt_is_refused() {
    let app = TestApp::start();
    let form = "Content-Type: application/x-www-form-urlencoded";
    let smuggled = "GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    for headers in [
        &["Content-Length: 5", "Content-Length: 6", form][..],
        &["Content-Length: 5, 6", form],
        &["Content-Length: 5", "Transfer-Encoding: chunked", form],
        &["Transfer-Encoding: chunked", "Content-Length: 5", form],
        &["Transfer-Encoding: xchunked", form],
        &["Content-Length: -1", form],
        &["Content-Length: +5", form],
        &["Content-Length: 99999999999999999999", form],
        &["Bad Header: x"],
    ] {
        let answer = said(&app, &request("POST /login", headers, &format!("0\r\n\r\n{smuggled}"))).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{headers:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers:?}: {answer}");
    }
}

#[actix_web::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let app = TestApp::start();
    let endless = format!("X-Long: {}", "x".repeat(400_000));
    let answer = said(&app, &request("GET /login", &[&endless], "")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{:.200}", answer);
    let many: Vec<String> = (0..2_000).map(|number| format!("X-{number}: x")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let answer = said(&app, &request("GET /login", &many, "")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{:.200}", answer);
    let form = ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 10000000"];
    let started = Instant::now();
    let answer = said(&app, &request("POST /login", &form, &format!("username={}", "x".repeat(9_999_991)))).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{:.200}", answer);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(app.visitor().get("/livez").await.status, 200);
}

#[actix_web::test]
async fn three_hundred_who_never_finish_keep_nobody_waiting_and_are_shown_out() {
    let app = TestApp::start();
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut stream = connect(&app).await;
        let start: &[u8] = match number % 3 {
            0 => b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
            1 => b"",
            _ => {
                b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\n\
                   Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=a"
            }
        };
        stream.write_all(start).await.expect("the console listens");
        slow.push(stream);
    }
    let mut visit = app.visitor();
    let mut took = Vec::new();
    for _ in 0..40 {
        let started = Instant::now();
        assert_eq!(visit.get("/login").await.status, 200);
        took.push(started.elapsed());
    }
    took.sort_unstable();
    assert!(took[38] < Duration::from_millis(500), "{took:?}");
    let ended = slow.into_iter().map(|mut stream| async move {
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        // Reset is an end too.
        let _ = read.expect("the console closes");
    });
    let started = Instant::now();
    futures_util::future::join_all(ended).await;
    println!("the last one left after {:?}", started.elapsed());
}

#[actix_web::test]
async fn who_is_logged_in_reads_of_a_missing_page_in_the_frame() {
    let app = TestApp::start();
    let (mut olga, mut nobody) = (app.user("olga", Role::Operator), app.visitor());
    for (path, status) in [("/nowhere", 404), ("/users", 403), ("/integrations/nothing", 404)] {
        let page = olga.get(path).await;
        assert!(page.status == status && page.has("[data-problem]") && page.has("nav.sidebar"), "{path}");
    }
    let page = nobody.get("/nowhere").await;
    assert!(page.status == 404 && !page.has("nav.sidebar"), "strangers see no frame");
}
