//! The console itself, in this process: its own database, port 0, a real browser-like client. Pages come back parsed.
#![allow(clippy::disallowed_methods, reason = "the visitor's client is not an integration's")]

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use diesel::pg::PgConnection;
use reqwest::header::SET_COOKIE;
use strongroom::accounts::Role;
use strongroom::accounts::tokens;
use strongroom::cli::{Cli, Command};
use strongroom::console::Console;
use strongroom::models::events::{self, Actor};
use strongroom::models::sessions::Visit as Login;
use strongroom::models::users::NewUser;
use strongroom::models::{self, DbError, UserId, sessions, users};
use strongroom::services::Services;
use strongroom::store::open_store;
use strongroom::vault::Vault;
use tokio_util::sync::CancellationToken;

use super::db::{Database, Scratch};
pub use super::page::Page;
use super::pgbouncer::PgBouncer;

/// The password of every user that [`TestApp::user`] makes, and a hash of it that is quick to check.
pub const PASSWORD: &str = "correct horse battery staple";

/// The one key ring of the run: the template database is founded with it.
pub fn keyring() -> PathBuf {
    static DIRECTORY: OnceLock<Scratch> = OnceLock::new();
    DIRECTORY.get_or_init(Scratch::new).path.join("keyring")
}

/// A database as after a first start.
pub fn founded() -> Database {
    Database::migrated(|url| {
        open_store(url, &settings(url, &[]).store).expect("the template is founded");
    })
}

/// The same on a server whose messages are German.
pub fn founded_in_german() -> Database {
    Database::german(|url| {
        open_store(url, &settings(url, &[]).store).expect("the template is founded");
    })
}

fn settings(url: &str, more: &[&str]) -> strongroom::config::Settings {
    let keyring = keyring();
    let directory = keyring.parent().expect("a directory");
    let mut arguments: Vec<String> = ["strongroom", "serve", "--metrics-listen=off"].map(str::to_owned).into();
    arguments.push(format!("--database-url={url}"));
    arguments.push(format!("--data-dir={}", directory.display()));
    arguments.push(format!("--keyring-file={}", keyring.display()));
    for (flag, value) in [("--egress-allow", "127.0.0.0/8"), ("--listen", "127.0.0.1:0")] {
        if !more.iter().any(|argument| argument.starts_with(flag)) {
            arguments.push(format!("{flag}={value}"));
        }
    }
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    match Cli::read(arguments).unwrap_or_else(|refusal| panic!("{}", refusal.text)).command {
        Command::Serve(settings) => *settings,
        _ => unreachable!("serve was asked for"),
    }
}

/// A console that runs until it is dropped.
pub struct TestApp {
    pub url: String,
    pub services: Arc<Services>,
    /// The one-time link that `serve` prints while there is no user.
    pub setup_link: Option<url::Url>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
    _pooler: Option<PgBouncer>,
    /// Dropped last: the console is gone by then.
    pub database: std::sync::Arc<Database>,
}

impl TestApp {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further settings, as flags: `--stale-days=10`.
    pub fn start_with(flags: &[&str]) -> Self {
        let database = std::sync::Arc::new(founded());
        match std::env::var_os("STRONGROOM_TEST_POOLER") {
            Some(_) => Self::pooled(database, flags),
            None => Self::replica(database, flags),
        }
    }

    /// One more console on the same database.
    pub fn replica(database: std::sync::Arc<Database>, flags: &[&str]) -> Self {
        let url = database.url().to_owned();
        Self::at(database, &url, None, flags)
    }

    /// The same through a PgBouncer of its own, in transaction mode.
    pub fn pooled(database: std::sync::Arc<Database>, flags: &[&str]) -> Self {
        let pooler = PgBouncer::before(database.url(), "");
        let url = pooler.url(database.url());
        Self::at(database, &url, Some(pooler), flags)
    }

    fn at(database: std::sync::Arc<Database>, url: &str, pooler: Option<PgBouncer>, flags: &[&str]) -> Self {
        let (settings, url) = (settings(url, flags), url.to_owned());
        let stop = CancellationToken::new();
        let (until, (tell, told)) = (stop.clone(), std::sync::mpsc::channel());
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let console = Console::build(settings, &url).expect("the console starts");
                let link = console.setup_link().await.expect("the database answers");
                tell.send((console.address(), console.services(), link)).expect("the test waits");
                console.run_until_stopped(until).await.expect("the console stops in order");
            });
        });
        let (address, services, setup_link) = told.recv().expect("the console starts");
        let started = std::time::Instant::now();
        while !services.trail.is_followed() && started.elapsed() < super::process::PATIENCE {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        // A public address may be that of a proxy.
        let scheme = if services.settings.tls().is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        Self { url, services, setup_link, stop, thread: Some(thread), _pooler: pooler, database }
    }

    pub fn connect(&self) -> PgConnection {
        self.database.connect()
    }

    /// Makes a user with [`PASSWORD`] and returns a visitor who is logged in as them.
    pub fn user(&self, name: &str, role: Role) -> Visit {
        self.session_of(self.add_user(name, role))
    }

    /// A fresh session of a user, as after a login just now.
    pub fn session_of(&self, id: UserId) -> Visit {
        self.session_by(&mut self.connect(), id)
    }

    /// The same by way of a connection at hand.
    pub fn session_by(&self, conn: &mut PgConnection, id: UserId) -> Visit {
        let vault = self.services.vault.clone();
        let name = users::find(conn, &vault, id).expect("a user").into_shown().name;
        let token = log_in(conn, &vault, &name);
        let mut visit = self.visitor();
        visit.cookie = Some(format!("{}session={token}", if self.services.secure() { "__Host-" } else { "" }));
        visit
    }

    /// All sessions go on, and their passwords were given an hour ago.
    pub fn give_password_long_ago(&self) {
        super::signed::run(self, "UPDATE sessions SET authenticated_at = now() - interval '1 hour'");
        self.services.sessions.forget();
    }

    pub fn administrator(&self) -> Visit {
        self.user("ada", Role::Administrator)
    }

    pub fn add_user(&self, name: &str, role: Role) -> UserId {
        let vault = self.services.vault.clone();
        self.transaction(|conn| users::create(conn, &vault, &Actor::command_line(), name, role.slug(), quick_hash()))
    }

    /// Somebody with a password that an administrator has set.
    pub fn invited(&self, name: &str, role: Role) -> Visit {
        let vault = self.services.vault.clone();
        let (role, hash) = (role.slug(), quick_hash());
        let new = NewUser { name, role, email: None, hash, temporary: true };
        self.session_of(self.transaction(|conn| users::add(conn, &vault, &Actor::command_line(), &new)))
    }

    /// One transaction beside the running console, as the models ask for.
    pub fn transaction<T>(&self, change: impl Fn(&mut PgConnection) -> Result<T, DbError>) -> T {
        models::transaction(&mut self.connect(), &change).expect("a change")
    }

    /// Somebody who is not logged in.
    pub fn visitor(&self) -> Visit {
        Visit::to(&self.url)
    }
}

/// Logs a user in as the console does, and returns the token of the session.
pub fn log_in(conn: &mut PgConnection, vault: &Vault, name: &str) -> String {
    let token = hex::encode(strongroom::vault::random::<32>());
    let hash = tokens::hash(&token);
    let begin = |conn: &mut PgConnection| {
        let user = users::find_by_key(conn, vault, &strongroom::names::key(name))?.ok_or(DbError::NotFound)?.trust()?;
        let actor = Actor { name: user.name.clone(), address: "127.0.0.1".to_owned() };
        let mut ledger = events::open(conn)?;
        let user = users::log_in(conn, vault, &actor, &mut ledger, user, None)?;
        let visit = Login { token_hash: &hash, address: "127.0.0.1", agent: "test" };
        sessions::create(conn, vault, &ledger, &user, false, &visit)
    };
    models::transaction(conn, &begin).expect("a session");
    token
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the console panicked");
        }
    }
}

/// argon2id at its least cost: logins are checked by the cost in the string.
pub fn quick_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        use argon2::password_hash::PasswordHasher;
        let params = argon2::Params::new(8, 1, 1, None).expect("parameters");
        let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        argon2.hash_password(PASSWORD.as_bytes()).expect("a hash").to_string()
    })
}

/// A visitor: keeps the session cookie, sends what a browser sends, follows no redirect.
#[derive(Clone)]
pub struct Visit {
    pub url: String,
    pub cookie: Option<String>,
    pub headers: Vec<(&'static str, String)>,
    client: reqwest::Client,
}

impl Visit {
    /// To a console at `http://ADDRESS:PORT`.
    pub fn to(url: &str) -> Self {
        // Certificates of tests are their own issuers.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let client = client.danger_accept_invalid_certs(true).build();
        Self::by(client.expect("a client"), url)
    }

    /// The same by a client of one's own.
    pub fn by(client: reqwest::Client, url: &str) -> Self {
        Self { url: url.to_owned(), client, cookie: None, headers: Vec::new() }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    /// Posts a form as a browser on the same site does.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request =
            self.client.post(format!("{}{path}", self.url)).form(fields).header("sec-fetch-site", "same-origin");
        self.send(request).await
    }

    /// Like [`Visit::post`]; `None` when the console goes away before it has answered.
    pub async fn try_post(&mut self, path: &str, fields: &[(&str, &str)]) -> Option<Page> {
        let request = self.request(reqwest::Method::POST, path).form(fields).header("sec-fetch-site", "same-origin");
        let response = request.header("cookie", self.cookie.clone().unwrap_or_default()).send().await.ok()?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Page { status, headers, body: response.text().await.ok()? })
    }

    /// Like [`Visit::get`], as htmx asks.
    pub async fn fragment(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.url)).header("hx-request", "true");
        self.send(request).await
    }

    /// Any request; the path is taken from the console's address on.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let request = self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let response = request.send().await.expect("the console answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for value in headers.get_all(SET_COOKIE) {
            let pair = value.to_str().unwrap_or("").split(';').next().unwrap_or("").to_owned();
            if pair.starts_with("session=") || pair.starts_with("__Host-session=") {
                self.cookie = Some(pair).filter(|pair| !pair.ends_with('='));
            }
        }
        Page { status, headers, body: response.text().await.unwrap_or_default() }
    }
}
