//! Starts that must not happen, and starts that happen at once.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::{ask, credentials};
use crate::support::binary::Strongroom;

#[test]
fn a_key_ring_that_does_not_fit_keeps_the_port_shut_and_the_database_as_it_is() {
    let strongroom = Strongroom::founded();
    credentials(&mut strongroom.connect(), &strongroom.vault(), 0..3);
    let right = fs::read_to_string(strongroom.keyring()).expect("a key ring");
    let other = {
        let other = Strongroom::empty();
        strongroom::vault::KeyRing::create(&other.keyring()).expect("a key ring");
        fs::read_to_string(other.keyring()).expect("a key ring")
    };
    let (mac, wrap) = right.split_once('\n').expect("two lines");
    let (other_mac, other_wrap) = other.split_once('\n').expect("two lines");
    let key =
        |line: &str| line.split("\"key\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a key").to_owned();
    let zero = wrap.replace(&key(wrap), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let before = strongroom.dump();
    for (case, text, mode, said) in [
        ("wrong key", format!("{mac}\n{other_wrap}"), 0o600, "master key 1 of the key ring is not the one"),
        ("foreign ring", other.clone(), 0o600, "master key 1 of the key ring is not the one"),
        ("wrong mac key", format!("{other_mac}\n{wrap}"), 0o600, "the `mac` key of the key ring is not the one"),
        ("missing id", format!("{mac}\n{}", wrap.replace("\"id\":1", "\"id\":2")), 0o600, "lacks master key 1"),
        ("writable by others", right.clone(), 0o660, "can be written by others"),
        ("all zero", format!("{mac}\n{zero}"), 0o600, "holds a key that is no random key"),
        ("cut short", right[..right.len() - 20].to_owned(), 0o600, "is not a key ring entry"),
        ("empty", String::new(), 0o600, "lacks its `mac` key"),
        ("missing", "gone".to_owned(), 0o600, "does not exist: restore it"),
    ] {
        strongroom.write_keyring(&text);
        fs::set_permissions(strongroom.keyring(), Permissions::from_mode(mode)).expect("its mode");
        if text == "gone" {
            fs::remove_file(strongroom.keyring()).expect("removed");
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let port = std::thread::scope(|scope| {
            let (stop, stopped) = std::sync::mpsc::channel::<()>();
            // Knocks all the time, in case the port opens for a moment.
            let knocking = scope.spawn(move || {
                let closed = || TcpStream::connect(free).is_err();
                while stopped
                    .recv_timeout(Duration::from_millis(1))
                    .is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Timeout)
                {
                    if !closed() {
                        return true;
                    }
                }
                false
            });
            let ran = strongroom.try_serve(&[&format!("--listen={free}")]).map(|_| ()).expect_err(case);
            drop(stop);
            assert_eq!(ran.status, 78, "{case}: {ran:?}");
            assert!(ran.err.contains(said) || ran.err.contains(&said.replace('"', "\\\"")), "{case}: {ran:?}");
            assert!(ran.took < Duration::from_secs(5), "{case}: {ran:?}");
            for line in [mac, wrap, other_mac, other_wrap] {
                assert!(!ran.err.contains(&key(line)), "{case}: a key was printed");
            }
            knocking.join().expect("knocked")
        });
        assert!(!port, "{case}: the port was open");
        assert_eq!(strongroom.keyring().exists(), text != "gone", "{case}: no key ring is made beside data");
    }
    assert_eq!(strongroom.dump(), before);
    strongroom.write_keyring(&right);
    strongroom.done(&["verify"]);
}

#[test]
fn commands_refuse_a_foreign_key_ring_like_the_console() {
    let strongroom = Strongroom::founded();
    let before = strongroom.dump();
    fs::remove_file(strongroom.keyring()).expect("removed");
    strongroom::vault::KeyRing::create(&strongroom.keyring()).expect("another key ring");
    for arguments in [
        &["verify"][..],
        &["audit", "verify"],
        &["key", "list"],
        &["key", "add"],
        &["key", "rewrap"],
        &["user", "disable", "root"],
    ] {
        let ran = strongroom.run(arguments);
        assert!(ran.status == 78 && ran.err.contains("master key 1"), "{arguments:?}: {ran:?}");
    }
    let ran = strongroom.run_with(&["user", "add", "eve", "--role", "auditor"], "a long enough passphrase");
    assert!(ran.status == 78 && ran.err.contains("master key 1"), "{ran:?}");
    assert_eq!(strongroom.dump(), before);
}

#[test]
fn a_command_that_reads_makes_no_store() {
    let strongroom = Strongroom::empty();
    for arguments in [&["verify"][..], &["audit", "verify"], &["key", "list"], &["user", "disable", "root"]] {
        let ran = strongroom.run(arguments);
        assert!(ran.status == 78 && ran.err.contains("there is no Strongroom here yet"), "{arguments:?}: {ran:?}");
    }
    assert_eq!(ask(&mut strongroom.connect(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    assert!(!strongroom.keyring().exists());
    let private = Strongroom::private();
    let ran = private.run(&["verify"]);
    assert!(ran.status == 78 && ran.err.contains("there is no Strongroom here yet"), "{ran:?}");
    assert_eq!(fs::read_dir(&private.directory.path).expect("a directory").count(), 0);
}

#[actix_web::test]
async fn five_consoles_that_start_at_once_on_an_empty_database_found_one_deployment() {
    let strongroom = Strongroom::empty();
    let consoles: Vec<_> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..5).map(|_| scope.spawn(|| strongroom.serve())).collect();
        starting.into_iter().map(|console| console.join().expect("started")).collect()
    });
    for console in &consoles {
        console.ready().await;
    }
    let mut conn = strongroom.connect();
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM deployment"), "1");
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM credentials WHERE shipped"), "1");
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM events"), "2", "the key and the shipped credential");
    let applied = ask(&mut conn, "SELECT count(*) FROM __diesel_schema_migrations");
    let written = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("the migrations").count();
    assert_eq!(applied, written.to_string());
    assert_eq!(fs::read_to_string(strongroom.keyring()).expect("a key ring").lines().count(), 2);
    for console in consoles {
        assert_eq!(console.stop().status, 0);
    }
    let leftovers = fs::read_dir(&strongroom.directory.path).expect("a directory").count();
    assert_eq!(leftovers, 1, "the key ring and nothing else");
    strongroom.done(&["verify"]);
}
