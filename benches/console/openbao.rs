//! Saving a secret over HTTP beside OpenBao's KV v2 write with its file audit device on: the same PostgreSQL, the same
//! number of connections to it and from `wrk`, turn by turn in one run.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Line;
use crate::pages::median;
use crate::process::Running;
use crate::providers::{client, runtime};
use crate::store::Server;
use crate::support::peers::moto::Moto;

const TURNS: usize = 3;
const SECONDS: u32 = 10;
/// The console's pool of connections to the database, unless it is told otherwise.
const POOL: u32 = 8;

/// The writes of `wrk`: each has a name of its own. Its arguments are a turn, a path, a body with two places for the
/// name, and headers.
const WRITES: &str = r#"
local threads = 0
function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end
function init(args)
  number, path, body = 0, args[1], args[2]
  for at = 3, #args, 2 do wrk.headers[args[at]] = args[at + 1] end
end
function request()
  number = number + 1
  local name = thread_number .. "-" .. number
  return wrk.format("POST", (path:gsub("NAME", name)), nil, (body:gsub("NAME", name)))
end
"#;

pub fn saving(server: &Server) -> Vec<Line> {
    let Some(program) = std::env::var_os("STRONGROOM_BENCH_OPENBAO") else {
        eprintln!("left out: saving beside OpenBao. `script/bench` installs it");
        return Vec::new();
    };
    let directory = tempfile::tempdir().expect("a directory");
    let script = directory.path().join("writes.lua");
    std::fs::write(&script, WRITES).expect("a script");
    let store = server.store("saving_over_http");
    store.fill(10_000);
    let ours = Running::with(&store, &["--log=error"]);
    let cookie = store.login();
    let theirs = OpenBao::start(program.as_ref(), directory.path(), &server.empty("openbao"));
    let form = "kind=basic&name=TURN+NAME&username=robot&password=0123456789012345678901234567890123456789";
    let form_type = "application/x-www-form-urlencoded";
    let headers = ["Content-Type", form_type, "Sec-Fetch-Site", "same-origin", "Cookie", &cookie];
    let secret =
        json!({"data": {"username": "robot", "password": "0123456789012345678901234567890123456789"}}).to_string();
    let (mut our_rates, mut their_rates) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let form = form.replace("TURN", &turn.to_string());
        our_rates.push(writes(&script, ours.address(), &["/credentials", &form], &headers));
        let path = format!("/v1/secret/data/{turn}-NAME");
        their_rates.push(writes(&script, theirs.address, &[&path, &secret], &["X-Vault-Token", &theirs.token]));
    }
    let audited = std::fs::metadata(&theirs.audit).expect("the audit file").len();
    assert!(audited > 1_000_000, "OpenBao audits its writes: {audited} bytes");
    let (ours, theirs) = (median(our_rates), median(their_rates));
    vec![Line {
        what: "Saving over HTTP beside OpenBao 2.7's KV v2 write, its file audit device on; wrk, 8 connections"
            .to_owned(),
        ours: format!("{ours:.0} /s"),
        theirs: format!("{theirs:.0} /s"),
        ratio: format!("{:.2}", ours / theirs),
        bar: "≥ 3",
    }]
}

/// Reading a secret by token, beside the same in OpenBao.
pub fn fetching(server: &Server) -> Vec<Line> {
    let Some(program) = std::env::var_os("STRONGROOM_BENCH_OPENBAO") else {
        eprintln!("left out: reading beside OpenBao. `script/bench` installs it");
        return Vec::new();
    };
    let directory = tempfile::tempdir().expect("a directory");
    let store = server.store("fetching");
    let token = store.client("bench", "robot", "0123456789012345678901234567890123456789");
    let runtime = runtime();
    let moto = runtime.block_on(Moto::start());
    let (id, key) = runtime.block_on(moto.user("bench"));
    runtime.block_on(moto.allow("bench", "sts:GetSessionToken", "*"));
    let key = [("method", "access_key"), ("access_key_id", &*id), ("secret_access_key", &*key)];
    let session_token = store.client_of("deploy", ("aws", &key), ("aws_session", r#"{"session_minutes":"60"}"#));
    let flags = ["--log=error", "--release-values=on", "--egress-allow=127.0.0.0/8"];
    let ours = Running::with(&store, &[&flags[..], &[&format!("--aws-endpoint-url={}", moto.url())]].concat());
    let theirs = OpenBao::start(program.as_ref(), directory.path(), &server.empty("openbao_reads"));
    let secret = json!({"data": {"username": "robot", "password": "0123456789012345678901234567890123456789"}});
    runtime.block_on(theirs.put("secret/data/bench", secret));
    let (bearer, root) = (format!("Authorization: Bearer {token}"), format!("X-Vault-Token: {}", theirs.token));
    let for_session = format!("Authorization: Bearer {session_token}");
    let (mut own, mut by_vault, mut sessions, mut their) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let session = format!("http://{}/machine/v1/sessions/deploy", ours.address());
    let answer = runtime.block_on(async {
        client().get(session).bearer_auth(&session_token).send().await.expect("an answer").text().await.expect("a text")
    });
    assert!(answer.contains("session_token"), "{answer}");
    for _ in 0..TURNS {
        own.push(reads(ours.address(), "/machine/v1/values/bench", &bearer));
        by_vault.push(reads(ours.address(), "/v1/secret/data/bench", &bearer));
        sessions.push(reads(ours.address(), "/machine/v1/sessions/deploy", &for_session));
        their.push(reads(theirs.address, "/v1/secret/data/bench", &root));
    }
    let audited = std::fs::metadata(&theirs.audit).expect("the audit file").len();
    assert!(audited > 1_000_000, "OpenBao audits its reads: {audited} bytes");
    let theirs = median(their);
    let line = |what: &str, rates: Vec<f64>| {
        let ours = median(rates);
        Line {
            what: format!("{what} beside OpenBao 2.7's KV v2 read, its file audit device on; wrk, 8 connections"),
            ours: format!("{ours:.0} /s"),
            theirs: format!("{theirs:.0} /s"),
            ratio: format!("{:.2}", ours / theirs),
            bar: "≥ 3",
        }
    };
    vec![
        line("Reading a value by token", own),
        line("Reading it by Vault's API", by_vault),
        line("Fetching an AWS session that is kept", sessions),
    ]
}

/// Reads a second by `wrk`; every one must succeed.
fn reads(at: SocketAddr, path: &str, header: &str) -> f64 {
    let duration = format!("-d{SECONDS}s");
    let mut wrk = Command::new("wrk");
    wrk.args(["-t2", "-c8", &duration, "-H", header]).arg(format!("http://{at}{path}"));
    rate(&mut wrk)
}

/// Writes a second by `wrk`; every one must succeed.
fn writes(script: &Path, at: SocketAddr, what: &[&str], headers: &[&str]) -> f64 {
    let duration = format!("-d{SECONDS}s");
    let mut wrk = Command::new("wrk");
    wrk.args(["-t2", "-c8", &duration, "-s"]).arg(script).arg(format!("http://{at}")).arg("--");
    rate(wrk.args(what).args(headers))
}

fn rate(wrk: &mut Command) -> f64 {
    let output = wrk.output().expect("wrk is installed: `script/bench` does it");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !report.contains("Non-2xx"), "{report}");
    let rate = report.lines().find_map(|line| line.strip_prefix("Requests/sec:")).expect("a rate");
    rate.trim().parse().expect("a number")
}

/// An OpenBao server with a KV v2 engine at `secret/`, unsealed; killed when dropped.
struct OpenBao {
    child: Child,
    address: SocketAddr,
    token: String,
    audit: PathBuf,
}

impl OpenBao {
    fn start(program: &Path, directory: &Path, database: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let (config, audit) = (directory.join("openbao.hcl"), directory.join("audit.log"));
        let settings = format!(
            r#"
            storage "postgresql" {{
              connection_url = "{database}"
              max_open_connections = {POOL}
            }}
            listener "tcp" {{
              address = "{address}"
              tls_disable = true
            }}
            audit "file" "to-file" {{
              options {{ file_path = "{}" }}
            }}
            api_addr = "http://{address}""#,
            audit.display()
        );
        std::fs::write(&config, settings).expect("a configuration");
        let child = Command::new(program)
            .arg("server")
            .arg(format!("-config={}", config.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("OpenBao starts");
        let mut started = Self { child, address, token: String::new(), audit };
        let asked = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(asked.elapsed() < Duration::from_secs(30), "OpenBao does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        started.prepare();
        started
    }

    /// Initialises and unseals it, and mounts the engine.
    fn prepare(&mut self) {
        runtime().block_on(async {
            let keys = self.put("sys/init", json!({"secret_shares": 1, "secret_threshold": 1})).await;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            self.token = text(&keys["root_token"]);
            self.put("sys/unseal", json!({"key": text(&keys["keys_base64"][0])})).await;
            // Right after the unsealing it becomes the active server.
            tokio::time::sleep(Duration::from_secs(2)).await;
            self.put("sys/mounts/secret", json!({"type": "kv", "options": {"version": "2"}})).await;
            // The engine brings its store up to date in the background.
            tokio::time::sleep(Duration::from_secs(2)).await;
        });
    }

    async fn put(&self, path: &str, body: Value) -> Value {
        let request = client().put(format!("http://{}/v1/{path}", self.address)).header("X-Vault-Token", &self.token);
        let answer = request.json(&body).send().await.expect("OpenBao answers");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
