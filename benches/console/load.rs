//! A load generator that costs little: keep-alive connections on threads, one prepared request, bodies read and dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// One GET, written out.
pub fn request(at: SocketAddr, path: &str, cookie: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nCookie: {cookie}\r\nConnection: keep-alive\r\n\r\n")
}

/// A connection that asks the same thing again and again.
pub struct Asker {
    stream: BufReader<TcpStream>,
    request: String,
    body: Vec<u8>,
}

impl Asker {
    pub fn new(at: SocketAddr, request: &str) -> Self {
        let stream = TcpStream::connect(at).expect("the server listens");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream: BufReader::with_capacity(1 << 16, stream), request: request.to_owned(), body: Vec::new() }
    }

    /// Asks once and returns the body; anything but 200 stops the benchmark.
    pub fn ask(&mut self) -> &[u8] {
        self.stream.get_mut().write_all(self.request.as_bytes()).expect("the server reads");
        let (mut line, mut length, mut first) = (String::new(), 0, true);
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("the server answers");
            if first {
                assert!(line.contains(" 200 "), "{line}");
                first = false;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line == "\r\n" {
                break;
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("a whole body");
        &self.body
    }
}

/// Requests a second over some connections, for some time.
pub fn rate(at: SocketAddr, request: &str, connections: usize, time: Duration) -> f64 {
    let threads: Vec<_> = (0..connections)
        .map(|_| {
            let request = request.to_owned();
            std::thread::spawn(move || {
                let mut asker = Asker::new(at, &request);
                let (started, mut count) = (Instant::now(), 0_u64);
                while started.elapsed() < time {
                    asker.ask();
                    count += 1;
                }
                count as f64 / started.elapsed().as_secs_f64()
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("a load thread")).sum()
}

/// Median times of two requests on one connection each, in milliseconds; turn by turn, so that a busy machine hurts both.
pub fn latencies(requests: [(SocketAddr, &str); 2], times: usize) -> [f64; 2] {
    let mut askers = requests.map(|(at, request)| Asker::new(at, request));
    let mut taken = [Vec::new(), Vec::new()];
    for turn in 0..times {
        for (asker, taken) in askers.iter_mut().zip(&mut taken) {
            // Ten in a row, as somebody who turns pages has warm caches.
            for _ in 0..10 {
                let started = Instant::now();
                asker.ask();
                if turn > 0 {
                    taken.push(started.elapsed().as_secs_f64() * 1000.0);
                }
            }
        }
    }
    taken.map(|mut taken| {
        taken.sort_by(f64::total_cmp);
        taken[taken.len() / 2]
    })
}
