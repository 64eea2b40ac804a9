//! The private Postgres: started, stopped, adopted after a kill, recovered after its own.
#![allow(clippy::disallowed_methods, reason = "killing is what these tests are about")]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use diesel::pg::PgConnection;
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use strongroom::postgres::{PostgresError, Private};

use crate::support::app::founded;
use crate::support::db::{Database, Scratch};
use crate::support::proxy::Proxy;

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Text)]
    answer: String,
}

fn ask(connection: &mut PgConnection, sql: &str) -> String {
    sql_query(sql).get_result::<Answer>(connection).expect(sql).answer
}

fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).expect("the private Postgres answers")
}

fn postmaster(data_dir: &Path) -> i32 {
    let text = fs::read_to_string(data_dir.join("postgres/cluster/postmaster.pid")).expect("a pid file");
    text.lines().next().and_then(|line| line.parse().ok()).expect("a pid")
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
}

/// Its command line is empty once it is dead, though its parent may not have asked for its end.
fn alive(pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

const CHILD: &str = "STRONGROOM_TEST_PRIVATE_POSTGRES";

/// The other process of the tests below, which kill it: starts the private Postgres, says so, and waits.
#[test]
#[ignore = "run by other tests"]
fn a_console_of_its_own() {
    let Some(data_dir) = env::var_os(CHILD).map(PathBuf::from) else { return };
    let private = Private::start(&data_dir, None).expect("it starts");
    connect(&private.url()).batch_execute_all("CREATE TABLE kept (); ");
    fs::write(data_dir.join("started"), "").expect("written");
    loop {
        std::thread::park();
    }
}

trait BatchExecute {
    fn batch_execute_all(&mut self, sql: &str);
}

impl BatchExecute for PgConnection {
    fn batch_execute_all(&mut self, sql: &str) {
        diesel::connection::SimpleConnection::batch_execute(self, sql).expect(sql);
    }
}

fn console(data_dir: &Path) -> std::process::Child {
    let child = Command::new(env::current_exe().expect("our own path"))
        .args(["--exact", "postgres_tests::a_console_of_its_own", "--ignored", "--nocapture"])
        .env(CHILD, data_dir)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it runs");
    wait_until("the other console has started", || data_dir.join("started").exists());
    child
}

#[test]
fn the_private_postgres_starts_stops_and_starts_again_with_its_data() {
    let scratch = Scratch::new();
    let private = Private::start(&scratch.path, None).expect("it starts");
    let mut connection = connect(&private.url());
    assert_eq!(ask(&mut connection, "SELECT current_database()::text AS answer"), "strongroom");
    assert_eq!(ask(&mut connection, "SELECT current_setting('listen_addresses') AS answer"), "");
    assert_eq!(ask(&mut connection, "SELECT current_setting('fsync') AS answer"), "on");
    assert_eq!(ask(&mut connection, "SELECT current_setting('server_encoding') AS answer"), "UTF8");
    connection.batch_execute_all("CREATE TABLE kept ()");
    private.stop().expect("it stops, though a connection is open");
    assert!(!scratch.path.join("postgres/cluster/postmaster.pid").exists());

    let private = Private::start(&scratch.path, None).expect("it starts again");
    assert_eq!(ask(&mut connect(&private.url()), "SELECT 'kept'::regclass::text AS answer"), "kept");
    private.stop().expect("it stops");
}

#[test]
fn nobody_else_can_reach_the_cluster_or_its_socket() {
    let scratch = Scratch::new();
    let data_dir = scratch.path.join("data");
    let private = Private::start(&data_dir, None).expect("it starts");
    for directory in ["postgres", "postgres/cluster", "postgres/socket"] {
        let metadata = fs::metadata(data_dir.join(directory)).expect(directory);
        assert_eq!(metadata.permissions().mode() & 0o777, 0o700, "{directory}");
        assert_ne!(metadata.uid(), 0, "{directory}: Postgres never runs as root");
    }
    assert_eq!(fs::metadata(&data_dir).expect("the data directory").mode() & 0o067, 0);
    private.stop().expect("it stops");
}

#[test]
fn a_console_that_was_killed_leaves_a_postgres_that_the_next_one_adopts() {
    let scratch = Scratch::new();
    let mut console = console(&scratch.path);
    let before = postmaster(&scratch.path);
    console.kill().expect("killed");
    console.wait().expect("gone");

    let private = Private::start(&scratch.path, None).expect("it is adopted");
    assert_eq!(postmaster(&scratch.path), before);
    assert_eq!(ask(&mut connect(&private.url()), "SELECT 'kept'::regclass::text AS answer"), "kept");
    private.stop().expect("an adopted server is stopped too");
    assert!(!alive(before));
}

#[test]
fn a_postgres_that_was_killed_with_its_console_is_recovered() {
    let scratch = Scratch::new();
    let mut console = console(&scratch.path);
    kill(postmaster(&scratch.path));
    console.kill().expect("killed");
    console.wait().expect("gone");
    // The pid of the dead server belongs to a living stranger by now.
    let pid_file = scratch.path.join("postgres/cluster/postmaster.pid");
    let text = fs::read_to_string(&pid_file).expect("the stale pid file");
    let rest = text.split_once('\n').expect("lines").1;
    fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).expect("written");

    let private = Private::start(&scratch.path, None).expect("it recovers");
    assert_eq!(ask(&mut connect(&private.url()), "SELECT 'kept'::regclass::text AS answer"), "kept");
    private.stop().expect("it stops");
}

#[test]
fn a_second_console_on_the_same_data_directory_is_refused() {
    let scratch = Scratch::new();
    let mut console = console(&scratch.path);
    let refusal = Private::start(&scratch.path, None).map(|_| ()).expect_err("it is taken");
    assert!(matches!(refusal, PostgresError::Taken { .. }), "{refusal}");
    assert!(refusal.to_string().contains(&console.id().to_string()), "{refusal}");

    let shared = Private::join(&scratch.path, None).expect("a subcommand may share it");
    shared.stop().expect("which stops nothing");
    assert!(alive(postmaster(&scratch.path)));
    console.kill().expect("killed");
    console.wait().expect("gone");
    Private::start(&scratch.path, None).expect("the dead one's lock is free").stop().expect("it stops");
}

#[test]
fn a_subcommand_without_a_console_starts_the_postgres_and_stops_it() {
    let scratch = Scratch::new();
    let private = Private::join(&scratch.path, None).expect("it starts");
    connect(&private.url());
    drop(private);
    assert!(!scratch.path.join("postgres/cluster/postmaster.pid").exists());
}

#[test]
fn a_data_directory_with_a_long_and_odd_name_works() {
    let scratch = Scratch::new();
    let data_dir = scratch.path.join(format!("it's \"{}\" & 100 %é", "long ".repeat(20)));
    let private = Private::start(&data_dir, None).expect("it starts");
    let url = private.url();
    connect(&url);
    private.stop().expect("it stops");
    let socket = url.split("host=").nth(1).and_then(|rest| rest.split('&').next()).expect("a socket directory");
    assert!(!Path::new(socket).exists(), "{socket} is a short directory elsewhere, which goes away");
}

#[test]
fn root_may_keep_the_data_where_the_postgres_user_cannot_go() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let scratch = Scratch::new();
    fs::set_permissions(&scratch.path, fs::Permissions::from_mode(0o700)).expect("closed");
    let data_dir = scratch.path.join("data");
    let private = Private::start(&data_dir, None).expect("it starts");
    let home = fs::read_link(data_dir.join("postgres")).expect("a link leads to the cluster");
    connect(&private.url()).batch_execute_all("CREATE TABLE kept ()");
    private.stop().expect("it stops");
    let private = Private::start(&data_dir, None).expect("it starts again");
    assert_eq!(ask(&mut connect(&private.url()), "SELECT 'kept'::regclass::text AS answer"), "kept");
    private.stop().expect("it stops");

    fs::remove_file(data_dir.join("postgres")).expect("the link is removed");
    fs::rename(&home, data_dir.join("postgres")).expect("somebody moves the cluster back");
    let refusal = Private::start(&data_dir, None).map(|_| ()).expect_err("it cannot run there");
    assert!(
        matches!(&refusal, PostgresError::Unreachable { directory, .. } if *directory == scratch.path),
        "{refusal}"
    );
}

#[test]
fn missing_programs_are_named_with_the_remedy() {
    let scratch = Scratch::new();
    let refusal = Private::start(&scratch.path, Some(&scratch.path)).map(|_| ()).expect_err("nothing there");
    assert!(matches!(refusal, PostgresError::NoPrograms), "{refusal}");
    assert!(refusal.to_string().contains("apt-get install postgresql"), "{refusal}");
    assert!(!scratch.path.join("postgres").exists());
}

#[test]
fn a_cluster_of_another_version_is_left_alone() {
    let scratch = Scratch::new();
    Private::start(&scratch.path, None).expect("it starts").stop().expect("it stops");
    fs::write(scratch.path.join("postgres/cluster/PG_VERSION"), "9\n").expect("written");
    let refusal = Private::start(&scratch.path, None).map(|_| ()).expect_err("no such programs");
    assert!(refusal.to_string().contains("Install PostgreSQL 9"), "{refusal}");
}

#[test]
fn each_test_has_a_database_of_its_own_cloned_from_the_template() {
    let (first, second) = (founded(), founded());
    first.connect().batch_execute_all("DROP TABLE login_failures");
    assert_eq!(ask(&mut second.connect(), "SELECT count(*)::text AS answer FROM login_failures"), "0");
    let empty = Database::empty();
    assert_eq!(
        ask(
            &mut connect(empty.url()),
            "SELECT count(*)::text AS answer FROM pg_class WHERE relname = 'login_failures'"
        ),
        "0"
    );
}

#[test]
fn a_test_can_cut_its_database_off_and_mend_it() {
    let database = Database::empty();
    let proxy = Proxy::before(&database);
    let mut connection = connect(proxy.url());
    assert!(ask(&mut connection, "SELECT current_database()::text AS answer").starts_with("empty"));
    proxy.cut();
    assert!(sql_query("SELECT 1").execute(&mut connection).is_err());
    assert!(PgConnection::establish(proxy.url()).is_err());
    proxy.mend();
    let mut connection = connect(proxy.url());
    proxy.freeze();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask(&mut connection, "SELECT 'thawed' AS answer"));
        assert!(!asked.is_finished());
        proxy.mend();
        assert_eq!(asked.join().expect("an answer"), "thawed");
    });
}
