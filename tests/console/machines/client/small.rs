//! What the client costs: `script/client` builds it as it is given away, static and small. The test builds it too, which
//! takes minutes the first time.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::stand_in::StandIn;
use super::user::{Beside, User, did, knowing, until};

fn built() -> String {
    let output = Command::new("script/client").current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The median of some runs.
fn takes(runs: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[runs / 2]
}

#[test]
fn the_client_is_small_static_and_quick() {
    let client = built();
    let size = fs::metadata(&client).unwrap().len();
    assert!(size <= 10 << 20, "{size} bytes");
    let user = User::new();
    let needs = did(user.program("readelf").args(["-d", &client])).well();
    assert!(!needs.contains("(NEEDED)"), "{needs}");

    let console = StandIn::over_tls();
    console.value("db", &[("password", "sekret")]);
    console.aws("aws");
    let ca = user.write("ca.pem", &console.authority.as_ref().unwrap().pem);
    // By its name: the resolver is our own.
    let url = console.peer.url().replace("127.0.0.1", "localhost");
    let program = |arguments: &[&str]| {
        let mut command = user.program(&client);
        knowing(&mut command, &console).env("STRONGROOM_CA_FILE", &ca).args(arguments);
        command
    };
    let mut named = program(&["rules"]);
    did(named.env("STRONGROOM_URL", url)).badly("no secure connection");
    let agent = Beside(program(&["agent"]).stderr(Stdio::null()).spawn().unwrap());
    until("socket", || user.path("run/strongroom/agent.sock").exists().then_some(()));
    for _ in 0..200 {
        did(&mut program(&["helper", "aws", "aws"])).well();
    }
    let status = fs::read_to_string(format!("/proc/{}/status", agent.0.id())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim();
    let kilobytes: u64 = resident.trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes <= 8 << 10, "{resident} resident");

    let bare = takes(21, || drop(did(&mut user.program("/bin/true"))));
    let with = takes(21, || {
        did(&mut program(&["exec", "db", "--", "/bin/true"])).well();
    });
    println!("{size} bytes, {resident} resident, exec {with:?} beside {bare:?}");
    assert!(with < bare + Duration::from_millis(30), "{with:?} beside {bare:?}");
}
