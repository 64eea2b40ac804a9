//! What the start says of a proxy for the way out: other programs' variables are not ours, and ours are checked.

use crate::support::binary::Strongroom;

#[test]
fn field_e01_a_proxy_of_the_environment_is_said_to_be_unused_once() {
    let strongroom = Strongroom::founded();
    let address = || "http://user:CANARY@proxy.example:3128".to_owned();
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let ran = strongroom.try_serve_in(&[(name, address())], &[]).expect("a console").stop();
        let said: Vec<&str> = ran.err.lines().filter(|line| line.contains("not used")).collect();
        assert_eq!(said.len(), 1, "{ran:?}");
        for word in
            [name, "STRONGROOM_EGRESS_PROXY ", "STRONGROOM_EGRESS_PROXY_LOGIN_FILE", "STRONGROOM_EGRESS_NO_PROXY"]
        {
            assert!(said[0].contains(word), "{word}: {}", said[0]);
        }
        assert!(!ran.err.contains("CANARY"), "{ran:?}");
    }
    let ours = [("HTTPS_PROXY", address()), ("STRONGROOM_EGRESS_PROXY", "http://proxy.example:3128".to_owned())];
    let ran = strongroom.try_serve_in(&ours, &[]).expect("a console").stop();
    assert!(!ran.err.contains("not used"), "{ran:?}");
    assert!(ran.err.contains("https leaves through the proxy") && ran.err.contains("proxy.example:3128"), "{ran:?}");
    let ran = strongroom.try_serve_in(&[("HTTPS_PROXY", String::new())], &[]).expect("a console").stop();
    assert!(!ran.err.contains("not used"), "{ran:?}");
}

#[test]
fn field_e01_a_wrong_proxy_setting_says_what_is_wrong_and_quotes_nothing() {
    let strongroom = Strongroom::founded();
    let write = |name: &str, text: &str| {
        let path = strongroom.directory.path.join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let (bad, good) = (write("bad", "CANARY"), write("good", "user:CANARY"));
    let proxy = "--egress-proxy=http://proxy.example:3128".to_owned();
    for (flags, said) in [
        (vec!["--egress-proxy=http://user:CANARY@proxy.example:3128".to_owned()], "STRONGROOM_EGRESS_PROXY_LOGIN_FILE"),
        (vec!["--egress-proxy=https://proxy.example".to_owned()], "http://proxy.example.com:3128"),
        (vec!["--egress-proxy=socks5://proxy.example:1080".to_owned()], "http://proxy.example.com:3128"),
        (vec![proxy.clone(), format!("--egress-proxy-login-file={bad}")], "one line: user:password"),
        (vec![proxy.clone(), "--egress-proxy-login-file=/nowhere".to_owned()], "cannot be read"),
        (vec![format!("--egress-proxy-login-file={good}")], "give both, or neither"),
        (vec![proxy, "--egress-no-proxy=https://a.example".to_owned()], "give host names, addresses or ranges"),
    ] {
        let ran = strongroom.try_serve(&flags.iter().map(String::as_str).collect::<Vec<_>>()).map(|_| ());
        let ran = ran.expect_err(said);
        assert!(ran.status == 78 && ran.err.contains(said), "{said}: {ran:?}");
        assert!(!ran.err.contains("CANARY"), "{ran:?}");
    }
}
