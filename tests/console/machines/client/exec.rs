//! `exec`: what the program gets, what it does not get, and how it ends.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::stand_in::{StandIn, TOKEN};
use super::user::{Beside, User, did, knowing, text_of, until};
use crate::support::peers::receiver::Said;

fn with_db() -> (StandIn, User) {
    let console = StandIn::start();
    console.value("db", &[("username", "app"), ("password", "sekret")]);
    (console, User::new())
}

#[test]
fn a_program_gets_the_fields_in_variables_and_not_our_token() {
    let (console, user) = with_db();
    let out = user.run(&console, &["exec", "db", "--env", "PGPASSWORD=db.password", "--", "env"]).well();
    for line in ["DB_USERNAME=app", "DB_PASSWORD=sekret", "PGPASSWORD=sekret"] {
        assert!(out.lines().any(|other| other == line), "{line}: {out}");
    }
    assert!(!out.contains(TOKEN), "{out}");
}

#[test]
fn a_program_gets_nothing_that_was_not_named() {
    let (console, user) = with_db();
    console.value("other", &[("password", "sekret-of-another")]);
    let out = user.run(&console, &["exec", "--env", "USERNAME=db.username", "--", "env"]).well();
    assert!(out.contains("USERNAME=app") && !out.contains("sekret"), "{out}");
    assert_eq!(console.asked("other"), 0);
}

#[test]
fn an_unknown_rule_or_field_starts_no_program() {
    let (console, user) = with_db();
    let ran = user.path("ran").display().to_string();
    user.run(&console, &["exec", "nothing", "--", "touch", &ran]).badly("no rule nothing");
    user.run(&console, &["exec", "--env", "A=db.secret", "--", "touch", &ran]).badly("its fields: password, username");
    user.run(&console, &["exec", "../db", "--", "touch", &ran]).badly("cannot be the name of a rule");
    did(user.client(&console, &["exec", "db", "--", "touch", &ran]).env("STRONGROOM_TOKEN", "srt_wrong"))
        .badly("does not accept this login");
    assert!(!Path::new(&ran).exists());
}

#[test]
fn two_rules_for_one_variable_are_refused() {
    let (console, user) = with_db();
    console.value("d.b", &[("password", "x")]);
    console.value("d-b", &[("password", "y")]);
    user.run(&console, &["exec", "d.b", "d-b", "--", "env"]).badly("D_B_PASSWORD");
}

#[test]
fn the_exit_status_is_the_programs() {
    let (console, user) = with_db();
    for how in ["env", "file"] {
        let status = |script: &str| user.run(&console, &["exec", "db", "--as", how, "--", "sh", "-c", script]).status;
        assert_eq!([status("exit 0"), status("exit 1"), status("exit 255")], [0, 1, 255], "{how}");
        // As a variable needs nobody beside the program, it takes our place, and its end is ours.
        assert_eq!(status("kill -KILL $$"), if how == "env" { -9 } else { 128 + 9 }, "{how}");
        assert_eq!(user.run(&console, &["exec", "db", "--as", how, "--", "/no/such/program"]).status, 127);
        assert_eq!(user.run(&console, &["exec", "db", "--as", how, "--", "/etc/passwd"]).status, 126);
    }
}

#[test]
fn signals_reach_the_program() {
    let (console, user) = with_db();
    let script = "for s in HUP INT QUIT USR1 USR2 TERM; do trap \"echo $s >> heard\" $s; done; echo > ready; \
                  while ! grep -q TERM heard 2>/dev/null; do sleep 0.05; done; exit 42";
    // What is ignored stays so, and whoever starts these tests may ignore some.
    let mut command = user.program("env");
    command.args(["--default-signal=HUP,INT,QUIT", super::user::CLIENT]);
    command.args(["exec", "db", "--as", "file", "--", "bash", "-c", script]);
    let mut client = Beside(knowing(&mut command, &console).stdout(Stdio::null()).spawn().unwrap());
    text_of(&user.path("ready"));
    let pid = Pid::from_child(&client.0);
    let signals = [
        (Signal::HUP, "HUP"),
        (Signal::INT, "INT"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
        (Signal::TERM, "TERM"),
    ];
    for (signal, name) in signals {
        kill_process(pid, signal).unwrap();
        until(name, || fs::read_to_string(user.path("heard")).ok().filter(|heard| heard.contains(name)));
    }
    assert_eq!(client.0.wait().unwrap().code(), Some(42));
}

#[test]
fn signals_reach_the_program_while_the_console_hangs() {
    let (console, user) = (StandIn::start(), User::new());
    // As good as over, so that each look asks the console.
    console.session_for("key", "aws_session", &[("access_key_id", "A")], 1);
    let script = "trap 'exit 42' TERM; echo > ready; while :; do sleep 0.05; done";
    let arguments = ["exec", "--file", "F=key.access_key_id", "--check", "1", "--", "bash", "-c", script];
    let mut client = Beside(user.client(&console, &arguments).spawn().unwrap());
    text_of(&user.path("ready"));
    console.peer.say(Said::Silent);
    let asked = || console.peer.calls().len();
    let before = asked();
    until("a look", || (asked() > before).then_some(()));
    let start = Instant::now();
    kill_process(Pid::from_child(&client.0), Signal::TERM).unwrap();
    assert_eq!(client.0.wait().unwrap().code(), Some(42));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn the_first_process_of_a_container_ends_while_it_fetches() {
    let (console, user) = with_db();
    console.peer.say(Said::Silent);
    let mut command = user.program("unshare");
    command.args(["--pid", "--fork", "--mount-proc", "sh", "-c"]);
    // The shell becomes the client, which stays the first process; the other process tells it to end.
    command.arg("(sleep 1; kill -TERM 1) & exec strongroom-client exec db -- true");
    let start = Instant::now();
    let did = did(knowing(&mut command, &console));
    assert_eq!(did.status, 128 + 15, "{}", did.err);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn what_logs_a_job_in_is_not_for_its_program() {
    let (console, user) = with_db();
    let mut command = user.client(&console, &["exec", "db", "--", "env"]);
    command.env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://127.0.0.1:9").env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x");
    let out = did(&mut command).well();
    assert!(!out.contains("ACTIONS_ID_TOKEN"), "{out}");
}

#[test]
fn files_are_in_memory_readable_by_the_user_alone_and_gone_afterwards() {
    let (console, user) = with_db();
    let script = "stat -c '%a %n' $DB_PASSWORD_FILE; stat -f -c %T $DB_PASSWORD_FILE; cat $DB_PASSWORD_FILE; \
                  echo; echo $MINE; env | grep -c sekret";
    let arguments = ["exec", "db", "--as", "file", "--file", "MINE=db.username", "--", "sh", "-c", script];
    let did = user.run(&console, &arguments);
    let lines: Vec<&str> = did.out.lines().collect();
    let (mode, path) = lines[0].split_once(' ').unwrap();
    assert_eq!((mode, lines[1], lines[2], lines[4]), ("400", "tmpfs", "sekret", "0"), "{}", did.out);
    let folder = Path::new(path).parent().unwrap().parent().unwrap();
    assert_eq!(Path::new(lines[3]), folder.join("db/username"));
    assert!(!folder.exists() && folder.parent().unwrap().exists(), "{}", folder.display());
    user.run(&console, &["exec", "db", "--as", "file", "--directory", "/etc", "--", "env"])
        .badly("not a folder in memory");
}

#[test]
fn files_of_a_killed_exec_are_removed_by_the_next() {
    let (console, user) = with_db();
    let script = "echo $DB_PASSWORD_FILE > path; sleep 60";
    let mut command = user.client(&console, &["exec", "db", "--as", "file", "--", "sh", "-c", script]);
    let mut client = Beside(command.spawn().unwrap());
    let left = text_of(&user.path("path")).trim().to_owned();
    assert_eq!(fs::metadata(&left).unwrap().mode() & 0o777, 0o400);
    // The files of one that runs stay.
    user.run(&console, &["exec", "db", "--as", "file", "--", "true"]).well();
    assert!(Path::new(&left).exists());
    client.0.kill().unwrap();
    client.0.wait().unwrap();
    user.run(&console, &["exec", "db", "--as", "file", "--", "true"]).well();
    assert!(!Path::new(&left).exists());
}

#[test]
fn another_user_reads_neither_the_files_nor_the_environment() {
    let (console, user) = with_db();
    fs::set_permissions(user.home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = "echo $$ $DB_PASSWORD_FILE > path; sleep 60";
    let arguments = ["exec", "db", "--as", "file", "--env", "A=db.password", "--", "sh", "-c", script];
    let client = Beside(user.client(&console, &arguments).spawn().unwrap());
    let line = text_of(&user.path("path"));
    let (child, file) = line.trim().split_once(' ').unwrap();
    let own = client.0.id();
    for path in [file, &format!("/proc/{child}/environ"), &format!("/proc/{own}/environ"), &format!("/proc/{own}/mem")]
    {
        let mut look = user.program("setpriv");
        look.args(["--reuid=65534", "--regid=65534", "--clear-groups", "cat", path]);
        did(&mut look).badly("Permission denied");
        if !path.ends_with("/mem") {
            assert!(fs::read(path).is_ok(), "we can: {path}");
        }
    }
    // Not dumpable: what belongs to the process belongs to root, and there is no core.
    let dumpable = fs::read_to_string(format!("/proc/{own}/status")).unwrap();
    assert!(dumpable.contains("CoreDumping:\t0"), "{dumpable}");
}

#[test]
fn a_changed_value_restarts_the_program_and_replaces_its_files() {
    let (console, user) = with_db();
    let script =
        "echo $DB_PASSWORD $(cat $F) >> seen; trap 'echo ended >> seen; exit 0' TERM; while :; do sleep 0.05; done";
    let arguments = [
        "exec",
        "db",
        "--file",
        "F=db.password",
        "--restart",
        "--check",
        "1",
        "--no-agent",
        "--",
        "bash",
        "-c",
        script,
    ];
    let mut client = Beside(user.client(&console, &arguments).spawn().unwrap());
    let seen = |words: &str| until(words, || fs::read_to_string(user.path("seen")).ok().filter(|seen| seen == words));
    seen("sekret sekret\n");
    console.value("db", &[("username", "app"), ("password", "next")]);
    seen("sekret sekret\nended\nnext next\n");
    kill_process(Pid::from_child(&client.0), Signal::TERM).unwrap();
    assert_eq!(client.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_console_that_is_away_is_named_and_one_that_comes_back_is_waited_for() {
    let (console, user) = with_db();
    console.peer.say(Said::json(503, &serde_json::json!({"detail": "The database is away."})));
    let did = user.run(&console, &["--patience", "1", "exec", "db", "--", "env"]).badly("The database is away.");
    assert!(!did.out.contains("DB_"), "{}", did.out);
    let asked = console.peer.calls().len();
    assert!((2..12).contains(&asked), "it is asked again, with pauses: {asked}");
    let mut away = user.bare(&["--patience", "0", "exec", "db", "--", "env"]);
    knowing(&mut away, &console).env("STRONGROOM_URL", "http://127.0.0.1:9");
    super::user::did(&mut away).badly("cannot reach the console at 127.0.0.1:9");
}

#[test]
fn the_first_process_of_a_container_reaps_orphans() {
    let (console, user) = with_db();
    // The orphan ends after its parent, and must not stay as a zombie.
    let script = "(sh -c 'sleep 0.2 & echo $! > orphan') ; sleep 1; \
                  cat /proc/$(cat orphan)/stat 2>/dev/null | cut -d' ' -f3; exit 5";
    let mut command = user.program("unshare");
    command.args(["--pid", "--fork", "--mount-proc", super::user::CLIENT, "exec", "db", "--", "sh", "-c", script]);
    let did = did(knowing(&mut command, &console));
    assert_eq!((did.status, did.out.trim()), (5, ""), "{}", did.err);
}
