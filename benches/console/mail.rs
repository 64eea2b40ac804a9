//! Sending what is queued, through the running console, beside a loop that hands a finished message to the same server over
//! one connection of the same library.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use serde_json::json;
use strongroom::models::IntegrationId;
use uuid::Uuid;

use crate::Line;
use crate::alerts::{confirmed, count, profile};
use crate::pages::median;
use crate::store::{Server, Store};
use crate::support::peers::smtp::MailServer;

const MAILS: usize = 10_000;
/// Each gets a mail of every digest.
const PEOPLE: usize = 1_000;
const ROUNDS: usize = 3;
const SENDER: &str = "strongroom@console.example.com";

pub fn sending(server: &Server) -> Vec<Line> {
    let store = server.store("mail");
    let (_address, app) = store.console_with(&["--egress-allow=127.0.0.0/8"]);
    let sink = Sink::start();
    let mut lines = Vec::new();
    let mut measure = |what: &str, at: SocketAddr, bar| {
        let (mail, started) = (Mailing::new(&store, at), Instant::now());
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(mail.queue_and_wait(&store, || app.wake.messages.notify_one()));
            let bytes = sink.last.lock().expect("a mail").clone();
            theirs.push(bare(at, bytes));
        }
        eprintln!("{what}: {:.0} s; ours {ours:.0?}, bare {theirs:.0?} a second", started.elapsed().as_secs_f64());
        let (ours, theirs) = (median(ours), median(theirs));
        lines.push(Line {
            what: format!("10,000 mails through {what}, beside a bare lettre loop, one connection each"),
            ours: format!("{ours:.0} /s"),
            theirs: format!("{theirs:.0} /s"),
            ratio: format!("{:.2}", ours / theirs),
            bar,
        });
    };
    // It goes first: it keeps a mail, which the bare loop then sends.
    measure("a sink that does nothing", sink.address, "");
    if std::env::var_os("STRONGROOM_TEST_AIOSMTPD").is_none() {
        eprintln!(
            "left out: a real server. `script/test` installs aiosmtpd; set STRONGROOM_TEST_AIOSMTPD to its Python"
        );
        return lines;
    }
    let real = MailServer::clear(json!({"discard": true}));
    measure("a local server (aiosmtpd)", real.address, "≥ 0.7");
    lines
}

/// A profile with people.
struct Mailing {
    profile: IntegrationId,
}

impl Mailing {
    fn new(store: &Store, at: SocketAddr) -> Self {
        let settings = json!({"host": "127.0.0.1", "port": at.port().to_string(), "tls": "none", "from": SENDER});
        let profile = profile(store, "email", &format!("smtp-clear://{at}"), &settings.to_string());
        // Another server's profile has its name.
        let rename = format!("UPDATE integrations SET name_key = '{profile}' WHERE id = '{profile}'");
        store.connect().batch_execute(&rename).expect("a name");
        confirmed(store, profile, PEOPLE);
        Self { profile }
    }

    /// Puts the mails of one notice into the outbox; returns how many a second went out, from the first to the last.
    fn queue_and_wait(&self, store: &Store, tell: impl Fn()) -> f64 {
        let mut conn = store.connect();
        let (profile, alert, notice, digest) = (self.profile, Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        conn.batch_execute(&format!(
            "BEGIN;
             INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
             VALUES ('{alert}', 'lockout', 'user', gen_random_uuid(), 'ada', 3);
             INSERT INTO notices (id, alert_id, number, event, digest_id) VALUES ('{notice}', '{alert}', 1, 'raised', '{digest}');
             INSERT INTO deliveries (id, kind, integration_id, recipient_id, digest_id, part)
             SELECT gen_random_uuid(), 'digest', '{profile}', id, '{digest}', part
             FROM recipients, generate_series(1, {}) part WHERE integration_id = '{profile}';
             INSERT INTO delivery_lines SELECT id, 0, '{notice}' FROM deliveries WHERE digest_id = '{digest}';
             COMMIT; ANALYZE deliveries, delivery_lines, notices, alerts",
            MAILS / PEOPLE
        ))
        .expect("mails");
        tell();
        let left = format!(
            "SELECT count(*) AS count FROM deliveries WHERE digest_id = '{digest}' AND state IN ('ready', 'sending')"
        );
        while count(&mut conn, &left) > 0 {
            std::thread::sleep(Duration::from_millis(500));
        }
        let sent = format!("SELECT count(*) AS count FROM deliveries WHERE digest_id = '{digest}' AND state = 'sent'");
        assert_eq!(count(&mut conn, &sent), MAILS as i64, "all are sent");
        let took = format!(
            "SELECT (extract(epoch FROM max(ended_at) - min(ended_at)) * 1000000)::bigint AS count
             FROM deliveries WHERE digest_id = '{digest}'"
        );
        (MAILS - 1) as f64 / (count(&mut conn, &took) as f64 / 1e6)
    }
}

/// Mails a second of a loop that has nothing to look up, to write or to record.
fn bare(at: SocketAddr, message: Vec<u8>) -> f64 {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
        let stream = tokio::net::TcpStream::connect(at).await.expect("the server listens");
        // As the console's connections: without it each message waits for an acknowledgement.
        stream.set_nodelay(true).expect("a socket option");
        let hello = ClientId::Domain("console.example.com".to_owned());
        let mut smtp = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await.expect("a greeting");
        let started = Instant::now();
        for n in 0..MAILS {
            let to = format!("person-{}@example.com", n % PEOPLE).parse().expect("an address");
            let envelope = Envelope::new(Some(SENDER.parse().expect("an address")), vec![to]).expect("an envelope");
            smtp.send(&envelope, &message).await.expect("the server takes it");
        }
        MAILS as f64 / started.elapsed().as_secs_f64()
    })
}

/// The least that a server can do: says yes to everything and keeps the last mail.
struct Sink {
    address: SocketAddr,
    last: Arc<Mutex<Vec<u8>>>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (address, last) = (listener.local_addr().expect("an address"), Arc::<Mutex<Vec<u8>>>::default());
        let keep = Arc::clone(&last);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let keep = Arc::clone(&keep);
                // A client that hangs up ends its thread.
                std::thread::spawn(move || talk(stream, &keep));
            }
        });
        Self { address, last }
    }
}

fn talk(stream: TcpStream, keep: &Mutex<Vec<u8>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(1 << 16, stream);
    stream.get_mut().write_all(b"220 sink.example\r\n")?;
    let (mut line, mut mail) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.starts_with(b"DATA") {
            stream.get_mut().write_all(b"354 Go on\r\n")?;
            mail.clear();
            while !mail.ends_with(b"\r\n.\r\n") {
                stream.read_until(b'\n', &mut mail)?;
            }
            mail.truncate(mail.len() - 5);
            keep.lock().expect("the last mail").clone_from(&mail);
        }
        stream.get_mut().write_all(b"250 OK\r\n")?;
    }
}
