//! Warnings at the start, about settings that work but are risky or incomplete.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Settings;

impl Settings {
    /// Sentences for the log. None quotes a value.
    pub fn notices(&self) -> Vec<&'static str> {
        let mut notices = Vec::new();
        if self.egress_allow.is_none() && self.store.database_url().is_none() {
            notices.push(
                "integrations may reach this machine itself (loopback), which suits a first look. Set \
                 STRONGROOM_EGRESS_ALLOW to the ranges that they need, or to nothing, before others use this console",
            );
        }
        if !self.listen.ip().is_loopback() && self.tls().is_none() && self.trusted_proxies.is_empty() {
            notices.push(
                "passwords cross the network in clear: the console listens beyond this machine without TLS. Set \
                 STRONGROOM_TLS_CERT and STRONGROOM_TLS_KEY, or put a proxy before it and name that in \
                 STRONGROOM_TRUSTED_PROXIES",
            );
        }
        if self.listen.ip().is_unspecified() && self.public_url.is_none() {
            notices.push(
                "links in pages and mails begin with an address of this machine, since the console listens on all of \
                 them. Set STRONGROOM_PUBLIC_URL to the address that people open",
            );
        }
        if self.tls_key.as_deref().is_some_and(is_open_to_others) {
            notices.push(
                "the private key of STRONGROOM_TLS_KEY can be read by its group or by every user of this machine. Give the \
                 file mode 0600, or 0400",
            );
        }
        if is_left_open(&self.store.keyring_file()) {
            notices.push(
                "the key ring (STRONGROOM_KEYRING_FILE) can be read by every user of this machine. Give the file mode 0600, \
                 or 0440 where an orchestrator mounts it",
            );
        }
        if self.proxy_login_file().is_some_and(is_left_open) {
            notices.push(
                "the password of the proxy in the file of STRONGROOM_EGRESS_PROXY_LOGIN_FILE can be read by every user of \
                 this machine. Give the file mode 0600, or 0440 where an orchestrator mounts it",
            );
        }
        notices
    }
}

/// Whether everybody may read a file that is not mounted as a read-only secret.
fn is_left_open(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o204 == 0o204)
}

/// Whether anybody but its owner may read a file.
fn is_open_to_others(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o044 != 0)
}
