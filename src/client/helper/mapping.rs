//! Which rule serves which host: a file with a line `host = rule` for each. A host may begin with `*.`, may have a port,
//! and may be followed by the beginning of a path. The first line that fits is used. `#` begins a comment.

use std::path::{Path, PathBuf};

use clap::Args;

use super::super::environment::folder;
use super::super::trouble::{Result, Trouble};
use super::super::wire::is_rule;

const HOSTS_HELP: &str = "File with lines `host = rule` [default: strongroom/hosts in ~/.config, then in /etc]";

#[derive(Args)]
pub struct Hosts {
    #[arg(long = "hosts", env = "STRONGROOM_HOSTS", value_name = "FILE", help = HOSTS_HELP)]
    file: Option<PathBuf>,
}

impl Hosts {
    pub fn read(&self) -> Result<Mapping> {
        Mapping::read(self.file.as_deref())
    }
}

#[derive(Debug, Default)]
pub struct Mapping(Vec<Line>);

#[derive(Debug)]
struct Line {
    host: String,
    /// Without slashes at its ends; empty for every path.
    path: String,
    rule: String,
}

impl Mapping {
    /// No file is no mapping; one that is named has to be there.
    pub fn read(file: Option<&Path>) -> Result<Self> {
        let usual = || [folder().map(|folder| folder.join("hosts")), Some(PathBuf::from("/etc/strongroom/hosts"))];
        let file = file.map(Path::to_owned).or_else(|| usual().into_iter().flatten().find(|file| file.exists()));
        let Some(file) = file else { return Ok(Self::default()) };
        let failed = |error| Trouble::Local(format!("cannot read {}: {error}", file.display()));
        Self::parse(&std::fs::read_to_string(&file).map_err(failed)?)
            .map_err(|line| Trouble::Local(format!("{}, line {line}: write `host = rule`", file.display())))
    }

    /// `host=rule`, each an argument.
    pub fn of_arguments(pairs: &[String]) -> Result<Self> {
        let wrong = |line: usize| Trouble::Local(format!("{:?} is not host=rule", pairs.get(line - 1)));
        Self::parse(&pairs.join("\n")).map_err(wrong)
    }

    /// The error is the number of the line.
    fn parse(text: &str) -> std::result::Result<Self, usize> {
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let (left, rule) = line.split_once('=').ok_or(at + 1)?;
            let (host, path) = split(left.trim());
            if host.is_empty() || host.contains(char::is_whitespace) || !is_rule(rule.trim()) {
                return Err(at + 1);
            }
            lines.push(Line { host, path, rule: rule.trim().to_owned() });
        }
        Ok(Self(lines))
    }

    /// The rule for an address: `host[:port][/path]`, with or without a scheme.
    pub fn rule(&self, address: &str) -> Option<&str> {
        let (host, path) = split(address);
        self.0.iter().find(|line| line.fits(&host, &path)).map(|line| line.rule.as_str())
    }

    /// Hosts that are written out.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|line| line.host.as_str()).filter(|host| !host.contains('*'))
    }
}

impl Line {
    fn fits(&self, host: &str, path: &str) -> bool {
        let host_fits = match self.host.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            None => self.host == host,
        };
        let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
        host_fits && (self.path.is_empty() || path.strip_prefix(&self.path).is_some_and(below))
    }
}

/// Host in lower case, and path. Docker Hub has several names.
pub fn split(address: &str) -> (String, String) {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match host.to_ascii_lowercase() {
        host if ["index.docker.io", "registry-1.docker.io"].contains(&host.as_str()) => {
            return ("docker.io".into(), String::new());
        }
        host => host,
    };
    (host, path.trim_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_finds_its_rule() {
        let text = "# registries\nregistry.example:5000 = one\n*.dkr.ecr.eu-west-1.amazonaws.com = ecr # all\n\
                    git.example/team = team\ngit.example = others\ndocker.io = hub\n";
        let mapping = Mapping::parse(text).unwrap();
        for (address, rule) in [
            ("registry.example:5000", Some("one")),
            ("https://REGISTRY.example:5000/v2/", Some("one")),
            ("registry.example", None),
            ("1.dkr.ecr.eu-west-1.amazonaws.com", Some("ecr")),
            ("dkr.ecr.eu-west-1.amazonaws.com", None),
            ("evil-dkr.ecr.eu-west-1.amazonaws.com.example", None),
            ("https://git.example/team/app.git", Some("team")),
            ("https://git.example/teams", Some("others")),
            ("https://index.docker.io/v1/", Some("hub")),
        ] {
            assert_eq!(mapping.rule(address), rule, "{address}");
        }
        assert_eq!(Mapping::parse("a = b\nhost rule\n").unwrap_err(), 2);
        assert_eq!(Mapping::parse("a = ../b\n").unwrap_err(), 1);
    }
}
