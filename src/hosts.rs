//! Addresses and hosts as values: how an address must be spelled, and which hosts are never anybody's server. Forms,
//! the credentials' own addresses and the way out all ask here, so saving and using follow one list. What the operator
//! allows beyond it is decided in `providers::addresses`. Nothing here resolves a name or opens a connection.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Names of cloud metadata services. Their addresses are refused too; the names are for networks that map them
/// elsewhere.
const METADATA_NAMES: [&str; 9] = [
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.amazonaws.com",
    "instance-data",
    "instance-data.ec2.internal",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "api.metadata.cloud.ibm.com",
];

/// IPv6 addresses of metadata services inside of private ranges, which an operator may list: Amazon (a whole prefix,
/// see [`is_never_reached`]), Google, Oracle, Scaleway.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254),
    Ipv6Addr::new(0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x0042),
];

const SPELLING: &str = "Enter the address without spaces, backslashes or control characters.";
const LOGIN: &str = "Enter the address without a user name or password.";
const INVISIBLE: &str = "This address has an invisible character. Type it anew, or copy it from elsewhere.";
const INVALID: &str = "Enter a valid address, such as https://server.example.com.";

/// Parses an address that somebody typed. The URL standard would read a backslash as a slash and skip tabs and line
/// breaks, so that the host is another than it seems: such spellings are refused, and so is a user name before the
/// host.
pub fn parse(text: &str) -> Result<Url, &'static str> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(SPELLING);
    }
    if text.contains(crate::pasted::is_invisible) {
        return Err(INVISIBLE);
    }
    let (_, rest) = text.split_once("://").ok_or(INVALID)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(LOGIN);
    }
    // `http:/host` with a scheme put before it would become the host `http`. The URL standard reads any number of
    // slashes as two, so that what stands behind the third would be the host.
    if authority.is_empty() || authority.ends_with(':') {
        return Err(INVALID);
    }
    let url = Url::parse(text).map_err(|_| INVALID)?;
    if url.has_host() { Ok(url) } else { Err(INVALID) }
}

/// Whether no integration may ever use this host, whatever the operator lists.
pub fn is_reserved<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => is_metadata_name(name.as_ref()),
        Host::Ipv4(address) => is_never_reached((*address).into()),
        Host::Ipv6(address) => is_never_reached((*address).into()),
    }
}

/// A name without the dot of the root, in lower case.
pub fn canonical_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether this is the name of a cloud's metadata service, or no name at all.
pub fn is_metadata_name(name: &str) -> bool {
    let name = canonical_name(name);
    name.is_empty() || METADATA_NAMES.contains(&name.as_str())
}

/// The IPv4 address that an IPv6 address leads to: mapped (RFC 4291, 2.5.5.2), translated (RFC 2765) or NAT64 (RFC
/// 6052). Networks with NAT64 reach the public IPv4 world by the last, so it is judged as what it leads to.
pub fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

/// Metadata services, link-local, multicast, reserved, and tunnels that could hide any of these.
pub fn is_never_reached(address: IpAddr) -> bool {
    match unwrapped(address) {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            a == 0
                || (a, b) == (169, 254)
                || (a, b, c) == (192, 0, 0)
                || (a, b, c) == (192, 88, 99)
                || a >= 224
                || v4 == Ipv4Addr::new(100, 100, 100, 200)
                || v4 == Ipv4Addr::new(168, 63, 129, 16)
        }
        IpAddr::V6(v6) => {
            let s = v6.segments();
            let compatible = s[..6] == [0; 6] && v6 != Ipv6Addr::LOCALHOST;
            // ISATAP (RFC 5214), the local NAT64 prefix (RFC 8215), 6to4 and Teredo end in some IPv4 address.
            let tunnel = matches!(s[4..6], [0 | 0x200, 0x5efe])
                || s[..3] == [0x64, 0xff9b, 1]
                || s[0] == 0x2002
                || s[..2] == [0x2001, 0];
            compatible
                || tunnel
                || (s[0] & 0xffc0) == 0xfe80
                || (s[0] & 0xff00) == 0xff00
                || s[..2] == [0xfd00, 0x0ec2]
                || METADATA_V6.contains(&v6)
        }
    }
}

/// Loopback, private, shared and benchmarking ranges, and all of IPv6 that is not assigned for global use (RFC 4291,
/// 2.4): reached when the operator lists them.
pub fn is_private(address: IpAddr) -> bool {
    match unwrapped(address) {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && matches!(b, 18 | 19))
        }
        IpAddr::V6(v6) => (v6.segments()[0] & 0xe000) != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_whose_host_is_not_what_it_seems_is_refused() {
        for (text, sentence) in [
            ("http:\\\\evil.com\\@good.com/", SPELLING),
            ("https://http:\\\\evil.com\\@good.com/", SPELLING),
            ("https://good.com\\.evil.com", SPELLING),
            ("https://good.com\t.evil.com", SPELLING),
            ("https://good.com\n", SPELLING),
            ("https://good.com\u{0}", SPELLING),
            ("https://a b", SPELLING),
            ("https://good.com@evil.com", LOGIN),
            ("https://@evil.com", LOGIN),
            ("https://u:p@evil.com", LOGIN),
            ("https:///u@evil.com", INVALID),
            ("https:////evil.com", INVALID),
            ("https://http:/evil.com", INVALID),
            ("https://good.com/hook\u{200b}", INVISIBLE),
            ("https://go\u{ad}od.com/", INVISIBLE),
            ("https://", INVALID),
            ("good.com", INVALID),
        ] {
            assert_eq!(parse(text).err(), Some(sentence), "{text:?}");
        }
        assert!(parse("https://good.com:8443/a?b=@#c").is_ok());
    }

    #[test]
    fn a_tunnel_is_judged_by_its_end_or_not_taken_at_all() {
        let never = |text: &str| is_never_reached(text.parse().unwrap());
        for tunnel in ["::ffff:0:169.254.169.254", "64:ff9b::a9fe:a9fe", "2606:4700::5efe:7f00:1", "2002:7f00:1::"] {
            assert!(never(tunnel), "{tunnel}");
        }
        for private in ["::ffff:0:127.0.0.1", "fec0::1", "64:ff9b::a00:1", "100::1", "::1"] {
            assert!(!never(private) && is_private(private.parse().unwrap()), "{private}");
        }
        assert!(!is_private("2606:4700::1".parse().unwrap()) && !is_private("64:ff9b::8.8.8.8".parse().unwrap()));
    }
}
