use super::*;

#[test]
fn a_token_is_visible_ascii_without_what_stands_around_it() {
    assert_eq!(token(" hvs.a_b-c \n").as_deref(), Ok("hvs.a_b-c"));
    for value in ["", "  ", "a b", "a\nb", "é", "a\u{200b}"] {
        assert!(token(value).is_err(), "{value:?}");
    }
}

#[test]
fn a_guid_has_32_hex_digits_with_or_without_dashes() {
    let canonical = "ae01981ee1bf49ecad8180af157a944e";
    for value in [canonical, "AE01981E-E1BF-49EC-AD81-80AF157A944E"] {
        assert_eq!(guid(value).as_deref(), Ok(canonical));
    }
    for value in ["", "ae01981e", "{ae01981e-e1bf-49ec-ad81-80af157a944e}", "ge01981ee1bf49ecad8180af157a944e"] {
        assert!(guid(value).is_err(), "{value}");
    }
    assert!(!is_guid(canonical) && is_guid("ae01981e-e1bf-49ec-ad81-80af157a944e"));
}

#[test]
fn a_user_name_has_no_colon() {
    assert!(username("robot$a").is_ok() && username("a:b").is_err());
}

#[test]
fn a_server_address_is_https_and_nothing_more() {
    assert_eq!(server_url("https://Git.Example.com:8443/path/").as_deref(), Ok("https://git.example.com:8443/path"));
    assert_eq!(server_url("https://git.example.com:443").as_deref(), Ok("https://git.example.com"));
    assert!(server_url("https://127.0.0.1:5000").is_ok() && server_url("https://[::1]").is_ok());
    for value in [
        "http://git.example.com",
        "git.example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://user@git.example.com",
        "https://user:pass@git.example.com",
        "https://git.example.com?x",
        "https://git.example.com#x",
        "https://good.com\t.evil.com",
        "https:\\\\evil.com\\@good.com",
        "https://a b",
    ] {
        assert!(server_url(value).is_err(), "{value}");
    }
}

#[test]
fn metadata_services_are_no_servers_however_they_are_written() {
    for host in [
        "169.254.169.254",
        "0xa9fe.43518",
        "2852039166",
        "0251.0376.0251.0376",
        "169.254.169.254.",
        "①⑥⑨.254.169.254",
        "%31%36%39.254.169.254",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[::169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "0",
        "224.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
        "metadata.amazonaws.com",
    ] {
        assert!(https_url(&format!("https://{host}/")).is_err(), "{host}");
    }
    for host in ["[::ffff:0:169.254.169.254]", "[fd20:ce::254]", "[fd00:c1::a9fe:a9fe]", "metadata"] {
        assert!(https_url(&format!("https://{host}/")).is_err(), "{host}");
    }
    assert!(https_url("https://10.0.0.1/").is_ok() && https_url("https://[fd00::1]/").is_ok());
}

#[test]
fn a_host_is_shown_with_its_unusual_port_and_never_with_the_path() {
    assert_eq!(host("https://hooks.example.com/services/secret"), "hooks.example.com");
    assert_eq!(host("https://[::1]:6443/"), "[::1]:6443");
    assert_eq!(host("no address"), "");
}
