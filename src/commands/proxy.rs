//! `strongroom proxy`: the configuration of a reverse proxy, with the addresses of this console in it. One template a
//! proxy, in `templates/proxy`; nginx and HAProxy are run with theirs by the tests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use askama::Template;

use super::{fail, say};
use crate::cli::proxy::{ProxyArgs, ProxyName};

/// The values that every configuration is filled in with.
struct Site {
    /// Where the console listens.
    console: SocketAddr,
    /// The address and port on which the proxy reaches the console.
    backend: SocketAddr,
    public_url: String,
    /// Host of the public address, in brackets if it is an IPv6 address.
    host: String,
    port: u16,
    /// From where the console sees the proxy.
    proxy_address: String,
}

macro_rules! configurations {
    ($($name:ident $path:literal;)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path, escape = "none")]
            struct $name(Site);

            impl std::ops::Deref for $name {
                type Target = Site;

                fn deref(&self) -> &Site {
                    &self.0
                }
            }
        )*
    };
}

configurations! {
    Nginx "proxy/nginx.conf";
    Haproxy "proxy/haproxy.cfg";
    Caddy "proxy/Caddyfile";
    Traefik "proxy/traefik.yml";
}

/// Prints the configuration on standard output.
pub fn run(args: &ProxyArgs) -> ExitCode {
    let site = Site::new(args);
    let text = match args.name {
        ProxyName::Nginx => Nginx(site).render(),
        ProxyName::Haproxy => Haproxy(site).render(),
        ProxyName::Caddy => Caddy(site).render(),
        ProxyName::Traefik => Traefik(site).render(),
    };
    match text {
        Ok(text) => {
            say(&text.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

impl Site {
    fn new(args: &ProxyArgs) -> Self {
        let (url, console) = (&args.public_url, args.listen);
        let loopback = match console {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        let here = console.ip().is_loopback() || console.ip().is_unspecified();
        let ip = if console.ip().is_unspecified() { loopback } else { console.ip() };
        Self {
            console,
            backend: SocketAddr::new(ip, console.port()),
            public_url: url.as_str().trim_end_matches('/').to_owned(),
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or(443),
            proxy_address: if here { loopback.to_string() } else { "the address of the proxy".to_owned() },
        }
    }
}
