//! The proxy that https leaves through, and what is said at the start when another program's setting of one is there.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::Args;
use url::Url;

use super::{SettingError, Settings};
use crate::providers::proxy::{Exceptions, Login, Proxy};

/// Variables by which other programs are told of a proxy.
const OF_OTHERS: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];

/// The way out of a network that has no other.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Integrations")]
pub struct EgressSettings {
    /// Proxy that https leaves through, by CONNECT: http://HOST:PORT. Mail and plain http leave directly
    #[arg(long, env = "STRONGROOM_EGRESS_PROXY", hide_env_values = true, value_name = "URL", value_parser = proxy_address)]
    egress_proxy: Option<Url>,

    /// File with user:password for that proxy
    #[arg(long, env = "STRONGROOM_EGRESS_PROXY_LOGIN_FILE", hide_env_values = true, value_name = "FILE")]
    egress_proxy_login_file: Option<PathBuf>,

    /// Hosts that are reached without it: names with everything below them, addresses or ranges, separated by commas.
    /// This machine itself needs no mention
    #[arg(
        long,
        env = "STRONGROOM_EGRESS_NO_PROXY",
        hide_env_values = true,
        value_name = "HOSTS",
        default_value = "",
        hide_default_value = true
    )]
    egress_no_proxy: Exceptions,
}

impl Settings {
    /// The proxy, with its login read from the file; `None` where none is set.
    pub fn egress_proxy(&self) -> Result<Option<Proxy>, SettingError> {
        let EgressSettings { egress_proxy, egress_proxy_login_file, egress_no_proxy } = &self.egress;
        let wrong = |remedy| SettingError {
            flag: "egress-proxy-login-file",
            env: "STRONGROOM_EGRESS_PROXY_LOGIN_FILE",
            remedy,
        };
        let login = match egress_proxy_login_file {
            None => None,
            Some(file) => {
                let text = std::fs::read_to_string(file).map(zeroize::Zeroizing::new);
                let text =
                    text.map_err(|_| wrong("the file cannot be read; give one that Strongroom's user may read"))?;
                let login = Login::parse(&text);
                Some(login.ok_or(wrong("the file must hold one line: user:password"))?)
            }
        };
        match egress_proxy {
            Some(address) => Ok(Some(Proxy::new(address.clone(), login, egress_no_proxy.clone()))),
            None if login.is_some() => Err(wrong("there is no --egress-proxy that it is for; give both, or neither")),
            None => Ok(None),
        }
    }

    /// A line for the start when the environment names a proxy that is not used. `set` says whether a variable is there.
    pub fn unused_proxy(&self, set: impl Fn(&OsStr) -> bool) -> Option<String> {
        let name = OF_OTHERS.into_iter().find(|name| set(OsStr::new(name)))?;
        self.egress.egress_proxy.is_none().then(|| {
            format!(
                "{name} is set and not used: integrations leave directly. Set STRONGROOM_EGRESS_PROXY to the proxy \
                 (http://HOST:PORT), STRONGROOM_EGRESS_PROXY_LOGIN_FILE to a file with user:password if it wants \
                 that, and STRONGROOM_EGRESS_NO_PROXY to the hosts that are reached without it"
            )
        })
    }

    pub(super) fn proxy_login_file(&self) -> Option<&std::path::Path> {
        self.egress.egress_proxy_login_file.as_deref()
    }
}

fn proxy_address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| {
        url.scheme() == "http" && url.host().is_some() && (url.path(), url.query(), url.fragment()) == ("/", None, None)
    });
    let url = url.ok_or("give scheme, host and port alone, such as http://proxy.example.com:3128")?;
    if url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err("give it without user name and password; they belong into the file of STRONGROOM_EGRESS_PROXY_LOGIN_FILE")
}
