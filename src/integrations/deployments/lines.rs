//! Multi-line fields: variables, labels, tolerations, host folders. One entry per line; blank lines are ignored.
//! The form's check and the desired objects share one parser for each field.

use super::names::{is_label_key, is_label_value, is_path};

/// Most entries of a field.
const MOST: usize = 100;

/// Parses one line; the error completes "Line 3: ".
type Parse<T> = fn(&str) -> Result<T, &'static str>;

/// All entries of a text; lines that cannot be parsed are left out.
pub(super) fn entries<T>(text: &str, parse: Parse<T>) -> Vec<T> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).filter_map(|line| parse(line).ok()).collect()
}

/// Checks a field: returns the lines in canonical form and refuses two with the same `key`.
fn check<T>(text: &str, parse: Parse<T>, key: fn(&T) -> String) -> Result<String, String> {
    let mut keys: Vec<String> = Vec::new();
    let mut kept = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        let number = number + 1;
        let entry = parse(line).map_err(|why| format!("Line {number}: {why}"))?;
        let key = key(&entry);
        if keys.contains(&key) {
            return Err(format!("Line {number} repeats an earlier line."));
        }
        keys.push(key);
        kept.push(line);
    }
    if kept.len() > MOST { Err(format!("Enter at most {MOST} lines.")) } else { Ok(kept.join("\n")) }
}

/// `NAME=value`
pub(super) fn variable(line: &str) -> Result<(String, String), &'static str> {
    const WRONG: &str = "enter NAME=value, with letters, digits and underscores in the name.";
    let (name, value) = line.split_once('=').ok_or(WRONG)?;
    if is_variable(name) { Ok((name.to_owned(), value.to_owned())) } else { Err(WRONG) }
}

pub(super) fn is_variable(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    name.len() <= 128 && name.bytes().all(good) && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}

pub(super) fn variables(text: &str) -> Result<String, String> {
    check(text, variable, |(name, _)| name.clone())
}

/// `label=value`; the labels that Strongroom sets itself are refused.
pub(super) fn pair(line: &str) -> Result<(String, String), &'static str> {
    const WRONG: &str = "enter label=value, with a valid Kubernetes label.";
    let (key, value) = line.split_once('=').ok_or(WRONG)?;
    let (key, value) = (key.trim(), value.trim());
    if is_label_key(key) && is_label_value(value) { Ok((key.to_owned(), value.to_owned())) } else { Err(WRONG) }
}

fn own_pair(line: &str) -> Result<(String, String), &'static str> {
    let (key, value) = pair(line)?;
    let ours = key == super::mark::MANAGED_BY || key.starts_with("strongroom.dev/");
    if ours { Err("Strongroom sets this label itself.") } else { Ok((key, value)) }
}

pub(super) fn selector(text: &str) -> Result<String, String> {
    check(text, pair, |(key, _)| key.clone())
}

pub(super) fn labels(text: &str) -> Result<String, String> {
    check(text, own_pair, |(key, _)| key.clone())
}

/// A toleration, written as `kubectl taint` writes the taint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toleration {
    /// Blank tolerates every taint.
    pub key: String,
    /// `None` tolerates any value.
    pub value: Option<String>,
    /// Blank tolerates every effect.
    pub effect: String,
}

/// `key=value:NoSchedule`, `key:NoExecute`, `key`, `*`
pub(super) fn toleration(line: &str) -> Result<Toleration, &'static str> {
    const WRONG: &str = "enter key=value:Effect, key:Effect or key, or * for every taint.";
    const EFFECT: &str = "the effect must be NoSchedule, PreferNoSchedule or NoExecute.";
    if line == "*" {
        return Ok(Toleration { key: String::new(), value: None, effect: String::new() });
    }
    let (taint, effect) = line.rsplit_once(':').unwrap_or((line, ""));
    if !["", "NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect) {
        return Err(EFFECT);
    }
    let (key, value) = taint.split_once('=').map_or((taint, None), |(key, value)| (key, Some(value)));
    if !is_label_key(key) || !value.is_none_or(is_label_value) {
        return Err(WRONG);
    }
    Ok(Toleration { key: key.to_owned(), value: value.map(str::to_owned), effect: effect.to_owned() })
}

pub(super) fn tolerations(text: &str) -> Result<String, String> {
    check(text, toleration, |entry| format!("{entry:?}"))
}

/// A folder of the node, mounted into the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPath {
    pub host: String,
    pub mount: String,
    pub is_writable: bool,
}

/// `/var/run`, `/var/run:/run/host`, `/var/lib/agent:/data:rw`
pub(super) fn host_path(line: &str) -> Result<HostPath, &'static str> {
    const WRONG: &str = "enter /path or /path:/path-in-the-container, followed by :rw if the agent writes there.";
    let (rest, is_writable) = match line.strip_suffix(":rw") {
        Some(rest) => (rest, true),
        None => (line.strip_suffix(":ro").unwrap_or(line), false),
    };
    let (host, mount) = match rest.split_once(':') {
        Some((host, mount)) => (host.to_owned(), mount.to_owned()),
        None => (rest.to_owned(), format!("/host{}", rest.trim_end_matches('/'))),
    };
    let good = is_path(&host) && is_path(&mount) && mount.len() > 1;
    if good { Ok(HostPath { host, mount, is_writable }) } else { Err(WRONG) }
}

pub(super) fn host_paths(text: &str) -> Result<String, String> {
    check(text, host_path, |entry| entry.mount.clone())
}

/// Checks the agent's arguments, one per line.
pub(super) fn argument(line: &str) -> Result<String, &'static str> {
    Ok(line.to_owned())
}

pub(super) fn arguments(text: &str) -> Result<String, String> {
    let lines: Vec<String> = entries(text, argument);
    if lines.len() > MOST { Err(format!("Enter at most {MOST} lines.")) } else { Ok(lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_are_written_as_kubectl_writes_them() {
        let read = |line| toleration(line).unwrap();
        let full = Toleration { key: "a/b".into(), value: Some("c".into()), effect: "NoSchedule".into() };
        assert_eq!(read("a/b=c:NoSchedule"), full);
        assert_eq!(read("a:NoExecute").value, None);
        assert_eq!(read("*").key, "");
        assert!(toleration("a:Never").is_err() && toleration("=b").is_err());
    }

    #[test]
    fn folders_of_the_host_are_read_only_unless_asked_otherwise() {
        let read = |line| host_path(line).unwrap();
        let plain = HostPath { host: "/var/run".into(), mount: "/host/var/run".into(), is_writable: false };
        assert_eq!(read("/var/run"), plain);
        assert_eq!(read("/a:/b:rw"), HostPath { host: "/a".into(), mount: "/b".into(), is_writable: true });
        assert_eq!(read("/").mount, "/host");
        for bad in ["a", "/a/../b", "/a:b", "/a:/"] {
            assert!(host_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number_and_not_repeated() {
        let said = variables("A=1\n\nhunter2").unwrap_err();
        assert!(said.starts_with("Line 3:") && !said.contains("hunter2"), "{said}");
        assert_eq!(variables("A=1\nA=2").unwrap_err(), "Line 2 repeats an earlier line.");
        assert_eq!(variables(" A=x=y \n\n B= ").as_deref(), Ok("A=x=y\nB="));
        assert!(labels("app.kubernetes.io/managed-by=me").is_err() && selector("kubernetes.io/os=linux").is_ok());
    }
}
