//! git over http, with the credential helper by its name and by configuration.

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::stand_in::StandIn;
use super::user::{User, did, knowing, told};
use crate::support::peers::receiver::{Call, Receiver, Said};

/// `git http-backend` behind a small server that wants a user and a password.
fn server(repositories: &std::path::Path) -> Receiver {
    let root = repositories.to_owned();
    Receiver::start(move |call| {
        let expected = format!("Basic {}", STANDARD.encode("app:sekret-of-git"));
        if call.header("authorization") != Some(&expected) {
            let refused = Said::Answer { status: 401, headers: vec![], body: vec![] };
            return refused.with("WWW-Authenticate", "Basic realm=\"git\"");
        }
        backend(&root, call)
    })
}

fn backend(root: &std::path::Path, call: &Call) -> Said {
    let mut command = Command::new("git");
    command.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
    command.env("REQUEST_METHOD", &call.method).env("PATH_INFO", call.path());
    command.env("QUERY_STRING", call.target.split_once('?').unwrap_or_default().1);
    for (name, header) in [
        ("CONTENT_TYPE", "content-type"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
        ("GIT_PROTOCOL", "git-protocol"),
    ] {
        command.env(name, call.header(header).unwrap_or_default());
    }
    command.env("CONTENT_LENGTH", call.body.len().to_string());
    let mut child = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &call.body).unwrap();
    let out = child.wait_with_output().unwrap().stdout;
    let end = out.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&out[..end]).into_owned();
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type: ")).unwrap().to_owned();
    Said::Answer { status: 200, headers: vec![("Content-Type", kind)], body: out[end + 4..].to_vec() }
}

struct Lab {
    console: StandIn,
    user: User,
    server: Receiver,
}

fn lab() -> Lab {
    let (console, user) = (StandIn::start(), User::new());
    console.value("code", &[("username", "app"), ("password", "sekret-of-git")]);
    let folder = user.path("repositories");
    fs::create_dir(&folder).unwrap();
    let mut git = user.program("git");
    let script = "git init -q --bare app.git && git init -q work && cd work && git -c user.name=a -c user.email=a@b commit \
                  -q --allow-empty -m first && git push -q ../app.git HEAD:refs/heads/main";
    did(git.args(["-c", "alias.x=!sh -c"]).args(["x", script]).current_dir(&folder)).well();
    let server = server(&folder);
    Lab { console, user, server }
}

impl Lab {
    fn clone(&self, configuration: &str) -> super::user::Did {
        self.user.write(".gitconfig", configuration);
        let url = format!("{}/app.git", self.server.url());
        let mut git = self.user.program("git");
        let _ = fs::remove_dir_all(self.user.path("clone"));
        git.args(["clone", "-q", &url, "clone"]).env("GIT_TERMINAL_PROMPT", "0");
        did(knowing(&mut git, &self.console))
    }
}

#[test]
fn git_clones_with_the_rule_that_its_configuration_names() {
    let lab = lab();
    let address = lab.server.address;
    for helper in [format!("!strongroom-client helper git {address}=code"), format!("strongroom {address}=code")] {
        lab.clone(&format!("[credential]\n\thelper = {helper}\n")).well();
        assert!(lab.user.path("clone/.git").exists());
    }
}

#[test]
fn git_clones_with_the_rule_of_the_host() {
    let lab = lab();
    lab.user.write(".config/strongroom/hosts", &format!("# code\n{} = code\n", lab.server.address));
    lab.clone("[credential]\n\thelper = strongroom\n").well();
}

#[test]
fn git_says_why_it_gets_no_credentials() {
    let lab = lab();
    lab.console.remove("code");
    let helper = format!("[credential]\n\thelper = strongroom {}=code\n", lab.server.address);
    lab.clone(&helper).badly("there is no rule code for this client");
    // A host without a rule: git goes on, and would ask a person.
    let did = lab.clone("[credential]\n\thelper = strongroom other.example=code\n").badly("could not read Username");
    assert!(!did.err.contains("strongroom-client:"), "{}", did.err);
}

#[test]
fn git_gets_nothing_for_a_host_without_https_and_other_actions_do_nothing() {
    let lab = lab();
    let helper = |action: &str, input: &str| {
        told(&mut lab.user.client(&lab.console, &["helper", "git", "git.example=code", action]), input)
    };
    let out = helper("get", "protocol=https\nhost=git.example\n\n").well();
    assert_eq!(out, "username=app\npassword=sekret-of-git\n");
    assert_eq!(helper("get", "protocol=https\nhost=evil.example\n\n").well(), "");
    helper("get", "protocol=http\nhost=git.example\n\n").badly("not asked over https");
    for action in ["store", "erase", "something-new"] {
        assert_eq!(helper(action, "protocol=https\nhost=git.example\nusername=a\npassword=b\n\n").well(), "");
    }
    lab.console.value("code", &[("username", "app"), ("password", "a\nhost=evil.example")]);
    helper("get", "protocol=https\nhost=git.example\n\n").badly("cannot be a password");
    lab.console.session("short", "registry_login", &[("username", "app"), ("password", "x")]);
    let mut short = lab.user.client(&lab.console, &["helper", "git", "h=short", "get"]);
    assert!(told(&mut short, "protocol=https\nhost=h\n\n").well().contains("password_expiry_utc=1"));
}
