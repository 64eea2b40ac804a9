//! Arguments of `strongroom proxy`.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use url::Url;

use crate::config::{https_url, socket_address};

/// The arguments of `strongroom proxy`.
#[derive(Args, Debug)]
pub struct ProxyArgs {
    /// The program that stands before the console
    #[arg(value_name = "PROXY")]
    pub name: ProxyName,

    /// Address that people open: https, since the proxy encrypts
    #[arg(long, env = "STRONGROOM_PUBLIC_URL", hide_env_values = true, value_name = "URL", value_parser = https_url,
          default_value = "https://strongroom.example.com")]
    pub public_url: Url,

    /// Address and port that the console listens on
    #[arg(long, env = "STRONGROOM_LISTEN", hide_env_values = true, value_name = "ADDRESS:PORT", value_parser = socket_address,
          default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
}

/// A reverse proxy as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyName {
    Nginx,
    Haproxy,
    Caddy,
    Traefik,
}
