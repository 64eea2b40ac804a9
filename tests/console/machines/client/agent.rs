//! The agent: one login and one cache for the programs of a user.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::stand_in::StandIn;
use super::user::{Beside, User, did, knowing, until};
use crate::support::peers::receiver::Said;

fn start(console: &StandIn, user: &User, arguments: &[&str]) -> Beside {
    let mut command = user.client(console, &[&["agent"], arguments].concat());
    let agent = Beside(command.stderr(Stdio::null()).spawn().unwrap());
    until("socket", || user.path("run/strongroom/agent.sock").exists().then_some(()));
    agent
}

#[test]
fn many_programs_share_one_fetch_and_need_no_token() {
    let (console, user) = (StandIn::start(), User::new());
    console.aws("aws");
    let agent = start(&console, &user, &[]);
    let socket = user.path("run/strongroom/agent.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(socket.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    for _ in 0..5 {
        assert!(did(&mut user.bare(&["helper", "aws", "aws"])).well().contains("ASIAIOSFODNN7EXAMPLE"));
    }
    assert_eq!(console.asked("aws"), 1);
    did(&mut user.bare(&["helper", "aws", "other"])).badly("there is no rule other for this client");
    did(&mut user.client(&console, &["agent"])).badly("an agent runs already");
    kill_process(Pid::from_child(&agent.0), Signal::TERM).unwrap();
    until("end of the socket", || (!socket.exists()).then_some(()));
}

#[test]
fn a_session_is_served_while_the_console_is_away() {
    let (console, user) = (StandIn::start(), User::new());
    console.aws("aws");
    console.value("db", &[("password", "sekret")]);
    let _agent = start(&console, &user, &["--patience", "1"]);
    let helper = || did(&mut user.bare(&["helper", "aws", "aws"]));
    helper().well();
    console.peer.say(Said::json(503, &json!({"detail": "Away."})));
    helper().well();
    let refused = did(&mut user.bare(&["exec", "db", "--", "true"])).badly("Away.");
    assert_eq!(refused.err, "strongroom-client: the console cannot answer now: Away.\n");
}

#[test]
fn a_session_that_nears_its_end_is_renewed_behind_the_scenes() {
    let (console, user) = (StandIn::start(), User::new());
    let fields = |key| [("access_key_id", key), ("secret_access_key", "s"), ("session_token", "t")];
    console.session_for("aws", "aws_session", &fields("ASIAFIRST"), 40);
    let _agent = start(&console, &user, &[]);
    let key = || did(&mut user.bare(&["helper", "aws", "aws"])).well();
    assert!(key().contains("ASIAFIRST"));
    console.session("aws", "aws_session", &fields("ASIANEXT"));
    assert!(key().contains("ASIAFIRST"), "it is good for half a minute yet");
    until("renewal", || key().contains("ASIANEXT").then_some(()));
}

#[test]
fn a_rule_that_was_taken_away_is_forgotten_by_the_agent() {
    let (console, user) = (StandIn::start(), User::new());
    console.session_for(
        "aws",
        "aws_session",
        &[("access_key_id", "A"), ("secret_access_key", "s"), ("session_token", "t")],
        7,
    );
    let _agent = start(&console, &user, &[]);
    let helper = || did(&mut user.bare(&["helper", "aws", "aws"]));
    helper().well();
    console.remove("aws");
    until("refusal", || (helper().status != 0).then_some(()));
}

#[test]
fn a_program_works_without_the_agent_and_beside_one_of_another_console() {
    let (console, other, user) = (StandIn::start(), StandIn::start(), User::new());
    console.value("db", &[("password", "sekret")]);
    other.value("db", &[("password", "of-another")]);
    let agent = start(&console, &user, &[]);
    let get = |console: &StandIn| user.run(console, &["exec", "db", "--", "sh", "-c", "echo $DB_PASSWORD"]).well();
    assert_eq!([get(&console).trim(), get(&other).trim()], ["sekret", "of-another"]);
    drop(agent);
    assert!(user.path("run/strongroom/agent.sock").exists(), "it was killed");
    assert_eq!(get(&console).trim(), "sekret");
    // A new one takes the place of the socket that was left.
    let _agent = start(&console, &user, &[]);
    until("the agent", || (did(&mut user.bare(&["exec", "db", "--", "true"])).status == 0).then_some(()));
}

#[test]
fn an_agent_does_not_answer_for_another_login() {
    let (console, user) = (StandIn::start(), User::new());
    console.value("db", &[("password", "sekret")]);
    let _agent = start(&console, &user, &[]);
    let arguments = ["exec", "db", "--", "sh", "-c", "echo $DB_PASSWORD"];
    for _ in 0..2 {
        assert_eq!(user.run(&console, &arguments).well(), "sekret\n");
    }
    assert_eq!(console.asked("db"), 1, "the same login is served by the agent");
    did(user.client(&console, &arguments).env("STRONGROOM_TOKEN", "srt_other")).badly("does not accept this login");
    let file = user.write("other", "srt_other");
    did(user.client(&console, &arguments).env("STRONGROOM_TOKEN_FILE", file)).badly("does not accept this login");
    did(user.bare(&arguments).env("STRONGROOM_URL", console.peer.url()).env("STRONGROOM_CLIENT", "other"))
        .badly("no identity to log in with");
}

#[test]
fn the_agent_takes_no_token_that_another_user_put_there() {
    let (console, user) = (StandIn::start(), User::new());
    let known = "0".repeat(64);
    let file = user.write("run/strongroom/agent.token", &known);
    std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
    let address = format!("127.0.0.1:{}", crate::support::peers::free_port());
    let _agent = start(&console, &user, &["--listen", &address]);
    until("a token of its own", || fs::read_to_string(&file).ok().filter(|text| text.len() == 64 && *text != known));
    // A folder that others write to holds none.
    fs::create_dir(user.path("open")).unwrap();
    fs::set_permissions(user.path("open"), fs::Permissions::from_mode(0o1777)).unwrap();
    let socket = user.path("open/agent.sock").display().to_string();
    did(&mut user.client(&console, &["agent", "--agent", &socket, "--listen", "127.0.0.1:0"]))
        .badly("others can write to");
}

#[test]
fn the_agent_logs_in_again_when_its_session_is_refused() {
    let (console, user) = (StandIn::start(), User::new());
    console.session_for("key", "aws_session", &[("access_key_id", "A")], 1);
    let file = user.write("identity", "eyJ.pod");
    let mut command = user.bare(&["agent"]);
    command.env("STRONGROOM_URL", console.peer.url()).env("STRONGROOM_CLIENT", "app");
    command.env("STRONGROOM_IDENTITY_FILE", file).stderr(Stdio::null());
    let _agent = Beside(command.spawn().unwrap());
    until("socket", || user.path("run/strongroom/agent.sock").exists().then_some(()));
    let get = || did(&mut user.bare(&["exec", "--env", "A=key.access_key_id", "--", "true"]));
    get().well();
    for status in [401, 403, 429] {
        console.refuse_with(status);
        console.revoke_session();
        get().well();
    }
    assert_eq!(console.logins().len(), 4);
}

#[test]
fn a_session_outlives_the_agent_in_the_programs_that_use_it() {
    let (console, user) = (StandIn::start(), User::new());
    console.aws("aws");
    let agent = start(&console, &user, &[]);
    let script = "ask() { curl --noproxy '*' -s -H \"Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN\" \
        $AWS_CONTAINER_CREDENTIALS_FULL_URI; }; echo > ready; while [ ! -e go ]; do sleep 0.05; done; ask";
    let mut command = user.bare(&["exec", "aws", "--", "bash", "-c", script]);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    super::user::text_of(&user.path("ready"));
    drop(agent);
    fs::write(user.path("go"), "").unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(out.contains("token-of-the-session"), "{out}");
}

#[test]
fn even_the_same_user_reads_no_memory_of_the_agent() {
    let (console, user) = (StandIn::start(), User::new());
    console.value("db", &[("password", "sekret")]);
    for folder in ["", "run"] {
        fs::set_permissions(user.path(folder), fs::Permissions::from_mode(0o777)).unwrap();
    }
    let nobody = |program: &[&str]| {
        let mut command = user.program("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(program);
        command
    };
    let copied = user.path("client").display().to_string();
    fs::copy(super::user::CLIENT, &copied).unwrap();
    let mut command = nobody(&[&copied, "agent"]);
    let agent = Beside(knowing(&mut command, &console).stderr(Stdio::null()).spawn().unwrap());
    until("socket", || user.path("run/strongroom/agent.sock").exists().then_some(()));
    assert!(did(&mut nobody(&[&copied, "exec", "db", "--", "env"])).well().contains("sekret"));
    for file in ["mem", "environ", "maps"] {
        let path = format!("/proc/{}/{file}", agent.0.id());
        did(&mut nobody(&["cat", &path])).badly("Permission denied");
    }
}

#[test]
fn another_user_gets_nothing_from_the_agent() {
    let (console, user) = (StandIn::start(), User::new());
    console.value("db", &[("password", "sekret")]);
    let _agent = start(&console, &user, &[]);
    for folder in ["", "run", "run/strongroom"] {
        fs::set_permissions(user.path(folder), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let socket = user.path("run/strongroom/agent.sock");
    let ask = |other: bool| {
        let socket = socket.display().to_string();
        let curl = ["curl", "-s", "--unix-socket", &socket, "http://localhost/machine/v1/values/db"];
        let mut command = user.program(if other { "setpriv" } else { "env" });
        if other {
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        }
        did(command.args(curl))
    };
    assert!(ask(false).well().contains("sekret"));
    assert_ne!(ask(true).status, 0);
    // Even with a socket that was opened to all, the kernel tells who asks.
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    let refused = ask(true);
    assert!(refused.status != 0 && !refused.out.contains("sekret"), "{}", refused.out);
}

#[test]
fn sdks_ask_the_agent_on_loopback_with_the_token_of_its_file() {
    let (console, user) = (StandIn::start(), User::new());
    console.aws("aws");
    let port = crate::support::peers::free_port();
    let address = format!("127.0.0.1:{port}");
    console.session("google", "google_token", &[("access_token", "ya29.google")]);
    let _agent = start(&console, &user, &["--listen", &address, "--google", "google"]);
    let token = until("token", || {
        fs::read_to_string(user.path("run/strongroom/agent.token")).ok().filter(|text| text.len() == 64)
    });
    let ask = |token: &str, rule: &str| {
        let url = format!("http://{address}/aws/{rule}");
        let header = format!("Authorization: {token}");
        until("an answer", || {
            let did = did(user.program("curl").args(["--noproxy", "*", "-s", "-H", &header, &url]));
            (did.status == 0).then_some(did.out)
        })
    };
    assert!(ask(&token, "aws").contains("\"Token\":\"token-of-the-session\""));
    let url = format!("http://{address}/computeMetadata/v1/instance/service-accounts/default/token");
    let google = did(user.program("curl").args(["--noproxy", "*", "-s", "-H", "Metadata-Flavor: Google", &url])).well();
    assert!(google.contains("ya29.google"), "{google}");
    assert!(ask("wrong", "aws").contains("Unauthorized") && ask(&token, "other").contains("NotFound"));
    let mut public = user.bare(&["agent", "--agent", "x.sock", "--listen", "0.0.0.0:0"]);
    did(knowing(&mut public, &console)).badly("not an address of loopback");
}
