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
const INVISIBLE: &str = "This address has an invisible character. Type it again, or copy it from elsewhere.";
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
    match url.host() {
        Some(Host::Domain(name)) => impossible_name(name).map_or(Ok(()), Err)?,
        Some(_) => {}
        None => return Err(INVALID),
    }
    Ok(url)
}

/// Why no server can have this name, as a sentence; `None` for a name that is possible. The limits are those of DNS
/// (RFC 1035, section 2.3.4) and of host names (RFC 1123, section 2.1). Underscores pass anywhere: networks of
/// containers have them. `name` is in ASCII, with or without the dot of the root.
pub fn impossible_name(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let fits = |label: &str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let any = |fault: fn(&str) -> bool| name.split('.').any(fault);
    Some(match () {
        () if any(str::is_empty) => "This host name begins with a dot or has two dots in a row. Correct the name.",
        () if any(|label| label.len() > 63) => {
            "A part of this host name is longer than 63 characters, more than DNS allows. Correct the name."
        }
        () if name.len() > 253 => {
            "This host name is longer than 253 characters, more than DNS allows. Correct the name."
        }
        () if any(|label| label.starts_with('-') || label.ends_with('-')) => {
            "A part of this host name begins or ends with a hyphen, which DNS does not allow. Correct the name."
        }
        () if !name.split('.').all(fits) => {
            "A host name has letters, digits, hyphens, underscores and dots alone. Correct the name."
        }
        () => return None,
    })
}

/// Whether a name is one that systems give to themselves, so that it is this machine whatever a name server says: RFC
/// 6761, and what Linux distributions write into /etc/hosts.
pub fn is_own_name(name: &str) -> bool {
    const OWN: [&str; 7] = [
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "localhost6.localdomain6",
        "ip6-localhost",
        "ip6-loopback",
    ];
    let name = canonical_name(name);
    OWN.contains(&name.as_str()) || name.ends_with(".localhost")
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
    fn a_host_name_that_no_server_can_have_is_refused_with_the_reason() {
        let long = "a".repeat(64);
        for (host, reason) in [
            (format!("{long}.example.com"), "longer than 63"),
            (format!("https-{long}"), "longer than 63"),
            (["abcdefghi"; 26].join("."), "longer than 253"),
            ("-a.example.com".to_owned(), "hyphen"),
            ("a-.example.com".to_owned(), "hyphen"),
            ("a..example.com".to_owned(), "two dots"),
            (".example.com".to_owned(), "two dots"),
            ("example.com..".to_owned(), "two dots"),
            ("a*b.example.com".to_owned(), "letters, digits"),
            ("a,b.example.com".to_owned(), "letters, digits"),
        ] {
            let said = parse(&format!("https://{host}/v2/")).expect_err(&host);
            assert!(said.contains(reason), "{host}: {said}");
        }
        for host in [
            "registry",
            "my_registry:5000",
            "registry.my-project_default",
            "_acme.example.com",
            "a--b.example.com",
            "example.com.",
            "bücher.example",
            "xn--bcher-kva.example",
            "127.1",
            "[::1]",
            &format!("{}.example", "a".repeat(63)),
            &["abcdefgh"; 28].join("."),
        ] {
            assert!(parse(&format!("https://{host}")).is_ok(), "{host}");
        }
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
