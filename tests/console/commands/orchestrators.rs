//! As Kubernetes, OpenShift and Docker run the console: key rings from mounted secrets, user ids that have no name,
//! file systems that cannot be written to. What is refused names the setting that mends it.
#![allow(clippy::disallowed_methods, reason = "the product is run as another user")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use crate::support::binary::Strongroom;
use crate::support::proxy::Proxy;

/// A container: directories that everybody may pass, the product in them, and a user.
struct Pod {
    directory: tempfile::TempDir,
    uid: u32,
    gid: u32,
}

impl Pod {
    /// `None` where the tests do not run as root, and so cannot be anybody else.
    fn of(uid: u32, gid: u32) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let directory = tempfile::Builder::new().prefix("strongroom-tests-").tempdir().expect("a directory");
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("its mode");
        fs::copy(env!("CARGO_BIN_EXE_strongroom"), directory.path().join("strongroom")).expect("the product");
        Some(Self { directory, uid, gid })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn make_directory(&self, name: &str, owner: (u32, u32), mode: u32) {
        fs::create_dir(self.path(name)).expect("a directory");
        chown(self.path(name), Some(owner.0), Some(owner.1)).expect("its owner");
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).expect("its mode");
    }

    /// The status and what was said on standard error.
    fn run(&self, command: &str, url: Option<&str>, settings: &[(&str, &Path)]) -> (i32, String) {
        let mut process = std::process::Command::new(self.path("strongroom"));
        process
            .args([command, "--log=error"])
            .env_clear()
            .current_dir(self.directory.path())
            .uid(self.uid)
            .gid(self.gid);
        process.env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent").env("STRONGROOM_METRICS_LISTEN", "off");
        process.env("STRONGROOM_LISTEN", "127.0.0.1:0").envs(url.map(|url| ("DATABASE_URL", url)));
        let output = process.envs(settings.iter().map(|(name, path)| (name, path))).output().expect("it runs");
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn mounted(from: &Path, at: &Path, owner: (u32, u32), mode: u32) {
    fs::copy(from, at).expect("a copy");
    chown(at, Some(owner.0), Some(owner.1)).expect("its owner");
    fs::set_permissions(at, Permissions::from_mode(mode)).expect("its mode");
}

#[test]
fn field_k01_a_key_ring_mounted_from_a_secret_is_taken() {
    let Some(pod) = Pod::of(1234, 1234) else { return };
    let strongroom = Strongroom::founded();
    let proxy = Proxy::before(strongroom.database.as_ref().expect("a database"));
    let nowhere = Path::new("/nonexistent/data");
    // As Kubernetes mounts a Secret.
    pod.make_directory("..2026_11_26", (0, 1234), 0o750);
    symlink("..2026_11_26", pod.path("..data")).expect("a link");
    symlink("..data/keyring", pod.path("kubernetes")).expect("a link");
    let place = pod.path("..2026_11_26/keyring");
    mounted(&strongroom.keyring(), &place, (0, 1234), 0o440);
    mounted(&strongroom.keyring(), &pod.path("docker"), (0, 0), 0o444);
    for name in ["kubernetes", "docker"] {
        let ring = pod.path(name);
        let settings = [("STRONGROOM_KEYRING_FILE", ring.as_path()), ("STRONGROOM_DATA_DIR", nowhere)];
        let (status, said) = pod.run("verify", Some(proxy.url()), &settings);
        assert_eq!(status, 0, "{name}: {said}");
    }
    for (owner, mode, words) in [
        ((0, 0), 0o400, "let the user id 1234 read it"),
        ((0, 1234), 0o460, "can be written by others"),
        ((4321, 1234), 0o440, "belongs to another user"),
    ] {
        mounted(&strongroom.keyring(), &place, owner, mode);
        let (status, said) =
            pod.run("verify", Some(proxy.url()), &[("STRONGROOM_KEYRING_FILE", &pod.path("kubernetes"))]);
        assert_eq!(status, 78, "{said}");
        assert!(said.contains(words) && said.contains("STRONGROOM_KEYRING_FILE"), "{said}");
    }
    let (status, said) = pod.run("verify", Some(proxy.url()), &[("STRONGROOM_KEYRING_FILE", &pod.path("gone"))]);
    assert_eq!(status, 78, "{said}");
    assert!(said.contains("has to be a file") && said.contains("docker inspect"), "{said}");
}

#[test]
fn field_k02_a_user_id_without_a_name_is_told_what_initdb_needs() {
    let Some(pod) = Pod::of(123_456, 0) else { return };
    pod.make_directory("home", (123_456, 0), 0o770);
    for data in ["home/data", "home"] {
        let (status, said) = pod.run("serve", None, &[("STRONGROOM_DATA_DIR", &pod.path(data))]);
        assert_eq!(status, 78, "{said}");
        for words in ["user id 123456 has no name in /etc/passwd", "initdb", "DATABASE_URL"] {
            assert!(said.contains(words), "{words}: {said}");
        }
        assert!(!pod.path(data).join("postgres").exists(), "nothing is left behind");
    }
}

#[test]
fn field_k04_a_directory_that_cannot_be_written_is_named_with_its_setting() {
    let Some(pod) = Pod::of(1234, 1234) else { return };
    let strongroom = Strongroom::empty();
    let proxy = Proxy::before(strongroom.database.as_ref().expect("a database"));
    let whole = pod.path("data").display().to_string();
    for url in [None, Some(proxy.url())] {
        let (status, said) = pod.run("serve", url, &[]);
        assert_eq!(status, 78, "{said}");
        assert!(said.contains("STRONGROOM_DATA_DIR") && (url.is_none() || said.contains(&whole)), "{said}");
    }
}
