//! A real store to measure on: the product's private Postgres with its usual durability, founded like a first start, and
//! filled with sealed rows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Array, BigInt, Binary, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, RunQueryDsl};
use strongroom::accounts::Role;
use strongroom::accounts::tokens;
use strongroom::cli::{Cli, Command};
use strongroom::config::Settings;
use strongroom::console::Console;
use strongroom::credentials::basic;
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::models::client_logins::{self, Method, NewLogin};
use strongroom::models::client_rules::{self, NewRule, Source};
use strongroom::models::clients::{self, NewClient};
use strongroom::models::events::{self, Actor};
use strongroom::models::{self, counts, credentials, sessions, users};
use strongroom::postgres::Private;
use strongroom::services::Services;
use strongroom::store::open_store;
use strongroom::vault::{Context, Vault};
use uuid::Uuid;

/// A server and the directory of its data, both gone when dropped.
pub struct Server {
    private: Private,
    directory: tempfile::TempDir,
}

impl Server {
    pub fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("strongroom-bench-").tempdir().expect("a directory");
        let private = Private::start(directory.path(), None).expect("PostgreSQL's programs are installed");
        Self { private, directory }
    }

    fn url(&self, database: &str) -> String {
        self.private.url().replace("/strongroom?", &format!("/{database}?"))
    }

    /// A founded database of that name.
    pub fn store(&self, name: &str) -> Store {
        let (url, keyring) = (self.empty(name), self.directory.path().join(format!("keyring-{name}")));
        let settings = settings(&url, &keyring, &[]);
        let vault = open_store(&url, &settings.store).expect("a founded store");
        Store { url, vault, settings }
    }

    /// The URL of a new, empty database.
    pub fn empty(&self, name: &str) -> String {
        let mut conn = PgConnection::establish(&self.private.url()).expect("the server answers");
        conn.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
        self.url(name)
    }

    /// Gives the room of a large one back.
    pub fn drop_store(&self, store: Store) {
        let name = store.url.split('?').next().and_then(|url| url.rsplit('/').next()).expect("its name").to_owned();
        let mut conn = PgConnection::establish(&self.private.url()).expect("the server answers");
        conn.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).expect("nobody needs it");
    }
}

fn settings(url: &str, keyring: &Path, flags: &[&str]) -> Settings {
    let mut arguments = vec![
        "strongroom".to_owned(),
        "serve".to_owned(),
        "--listen=127.0.0.1:0".to_owned(),
        "--metrics-listen=off".to_owned(),
        "--log=error".to_owned(),
        format!("--database-url={url}"),
        format!("--keyring-file={}", keyring.display()),
    ];
    arguments.extend(flags.iter().map(|flag| (*flag).to_owned()));
    match Cli::read(arguments).unwrap_or_else(|refusal| panic!("{}", refusal.text)).command {
        Command::Serve(settings) => *settings,
        _ => unreachable!("serve was asked for"),
    }
}

/// One founded database.
pub struct Store {
    pub url: String,
    pub vault: Arc<Vault>,
    settings: Settings,
}

impl Store {
    pub fn keyring(&self) -> PathBuf {
        self.settings.store.keyring_file()
    }

    pub fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url).expect("the database answers")
    }

    /// Adds rows sealed like real ones, in batches of 5,000, then lets Postgres look at them.
    pub fn fill(&self, rows: usize) {
        self.fill_aged(rows, "n % 200");
    }

    /// The same with an age for each in days, as SQL that knows the row as `n`.
    pub fn fill_aged(&self, rows: usize, days: &str) {
        let mut conn = self.connect();
        let secret = br#"{"access_key_id":"AKIAIOSFODNN7EXAMPLE","method":"access_key","secret_access_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}"#;
        let mut done = 0;
        while done < rows {
            let batch = (rows - done).min(5_000);
            let ids: Vec<Uuid> = (0..batch).map(|_| Uuid::now_v7()).collect();
            let sealed: Vec<_> = ids
                .iter()
                .map(|row| {
                    let context =
                        Context { table: "credentials", column: "payload", row: *row, kind: "aws", version: 1 };
                    self.vault.seal(1, &context, secret).expect("master key 1")
                })
                .collect();
            diesel::sql_query(format!(
                "WITH saved AS (INSERT INTO credentials (id, kind, name, name_key, identity, facts, ages, secret_set_at,
                     last_used_at, created_by, edited_by, row_mac)
                 SELECT id, 'aws', 'key of team ' || n, 'key of team ' || n, 'AKIA' || upper(substr(md5(n::text), 1, 16)),
                     '{{}}', true, now() - ({days}) * interval '1 day' - n * interval '1 second',
                     now() - n % 50 * interval '1 hour', 'ada', 'user ' || n % 20, decode(repeat('00', 32), 'hex')
                 FROM unnest($1, $2) AS new (id, n))
                 INSERT INTO secrets SELECT id, 1, 'active', '', 1, dek, payload FROM unnest($1, $3, $4) AS new (id, dek, payload)"
            ))
            .bind::<Array<SqlUuid>, _>(&ids)
            .bind::<Array<BigInt>, _>((done..done + batch).map(|n| n as i64).collect::<Vec<_>>())
            .bind::<Array<Binary>, _>(sealed.iter().map(|sealed| &sealed.wrapped_dek).collect::<Vec<_>>())
            .bind::<Array<Binary>, _>(sealed.iter().map(|sealed| &sealed.payload).collect::<Vec<_>>())
            .execute(&mut conn)
            .expect("rows");
            done += batch;
        }
        self.tidy();
    }

    /// Lets Postgres look at what was written, and write it down.
    pub fn tidy(&self) {
        let mut conn = self.connect();
        // As the console does every half minute.
        models::transaction(&mut conn, &counts::fold).expect("folded");
        let tables = "VACUUM ANALYZE credentials, secrets, credential_words, credential_counts";
        for tidy in [tables, "CHECKPOINT"] {
            conn.batch_execute(tidy).expect("a tidy table");
        }
    }

    /// A console on this store, on a thread of its own until the process ends.
    pub fn console(&self) -> (SocketAddr, Arc<Services>) {
        self.console_with(&[])
    }

    /// The same with further settings, as flags.
    pub fn console_with(&self, flags: &[&str]) -> (SocketAddr, Arc<Services>) {
        let (url, settings) = (self.url.clone(), settings(&self.url, &self.keyring(), flags));
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let console = Console::build(settings, &url).expect("the console starts");
                tell.send((console.address(), console.services())).expect("somebody listens");
                let never = tokio_util::sync::CancellationToken::new();
                console.run_until_stopped(never).await.expect("the console runs");
            });
        });
        told.recv().expect("the console starts")
    }

    /// The token of a new client that may fetch the value of a new credential, by a rule of the client's name.
    pub fn client(&self, name: &str, username: &str, password: &str) -> String {
        let values = [("username", username), ("password", password)];
        self.client_of(name, (basic::KIND.slug, &values), ("value", "{}"))
    }

    /// The token of a new client with one rule: on a new credential of `kind`, in `form` with its `settings`.
    pub fn client_of(
        &self,
        name: &str,
        (kind, values): (&str, &[(&str, &str)]),
        (form, settings): (&str, &str),
    ) -> String {
        let (vault, actor, secret) = (&self.vault, Actor::command_line(), tokens::new_token());
        let kind = strongroom::credentials::find(kind).expect("a kind");
        let values = Values::from_iter(values.iter().copied());
        let draft = Draft::new(kind, name.to_owned(), String::new(), &values).expect("a good credential");
        let id = models::transaction(&mut self.connect(), &|conn: &mut _| {
            let credential = credentials::create(conn, vault, &actor, &draft.row())?;
            let new = NewClient { name, token_minutes: 15, ..NewClient::default() };
            let client = clients::create(conn, vault, &actor, &new)?;
            let client = clients::find(conn, vault, client)?.trust()?;
            let rule = NewRule { name, source: Source::Credential(credential), form, settings };
            client_rules::make(conn, vault, &actor, &client, &rule)?;
            let secret_hash = Some(tokens::hash(&secret));
            let login =
                NewLogin { method: Method::Token, secret_hash, settings: "", credential: None, expires_at: None };
            client_logins::make(conn, vault, &actor, &client, &login)
        });
        format!("srt_{}_{secret}", id.expect("a client").0.simple())
    }

    /// The cookie of somebody who is logged in.
    pub fn login(&self) -> String {
        self.login_as("bench")
    }

    pub fn login_as(&self, name: &str) -> String {
        let mut conn = self.connect();
        // Nobody logs in with it: any PHC string does.
        let hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let actor = Actor::command_line();
        let id = users::create(&mut conn, &self.vault, &actor, name, Role::Administrator.slug(), hash).expect("a user");
        let token = hex::encode(strongroom::vault::random::<32>());
        let hash = tokens::hash(&token);
        let begin = |conn: &mut _| {
            let user = users::find(conn, &self.vault, id)?.trust()?;
            let mut ledger = events::open(conn)?;
            let user = users::log_in(conn, &self.vault, &actor, &mut ledger, user, None)?;
            let visit = sessions::Visit { token_hash: &hash, address: "127.0.0.1", agent: "bench" };
            sessions::create(conn, &self.vault, &ledger, &user, false, &visit)
        };
        models::transaction(&mut conn, &begin).expect("a session");
        format!("session={token}")
    }
}
