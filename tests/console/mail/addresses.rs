use strongroom::form;
use strongroom::integrations::Spec;
use strongroom::providers::ProviderError;

use super::*;

fn check(egress: &Egress, address: &str) -> Result<(), ProviderError> {
    egress.check_url(&address.parse().unwrap())
}

#[test]
fn mail_goes_by_the_rules_that_hold_for_every_request() {
    let everything = Egress::new(vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()]);
    for host in
        ["169.254.169.254", "[::ffff:169.254.169.254]", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "[fe80::1]"]
    {
        for scheme in ["smtp", "smtps", "smtp-clear"] {
            let refused = check(&everything, &format!("{scheme}://{host}:587"));
            assert!(matches!(refused, Err(ProviderError::Reserved { .. })), "{host}: {refused:?}");
        }
    }
    let closed = Egress::new(Vec::new());
    for host in ["127.0.0.1", "0x7f.1", "2130706433", "localhost", "[::1]", "10.0.0.1", "192.168.1.1"] {
        assert!(check(&closed, &format!("smtp://{host}:587")).is_err(), "{host}");
    }
    for port in [25, 465, 587, 2525] {
        assert_eq!(check(&closed, &format!("smtp://smtp.example.com:{port}")), Ok(()));
        assert!(check(&closed, &format!("smtp-clear://smtp.example.com:{port}")).is_err());
    }
    for port in [22, 443, 5432, 6379] {
        assert!(check(&closed, &format!("smtps://smtp.example.com:{port}")).is_err(), "{port}");
    }
    assert_eq!(check(&loopback(), "smtp-clear://127.0.0.1:1025"), Ok(()));
    assert!(Egress::warning(&"smtp-clear://127.0.0.1:1025".parse().unwrap()).is_some());
    assert!(Egress::warning(&"smtp://127.0.0.1:587".parse().unwrap()).is_none());
}

#[tokio::test]
async fn a_name_that_leads_to_an_inner_address_is_not_followed_there() {
    let server = MailServer::starttls();
    let mut sender = Sender::to(&server);
    sender.settings.set("host", "mail.example.com");
    for found in [vec!["127.0.0.1"], vec!["203.0.113.9", "10.0.0.1"], vec!["169.254.169.254"]] {
        let found: Vec<std::net::IpAddr> = found.into_iter().map(|address| address.parse().unwrap()).collect();
        let answer = move |_| {
            let found = found.clone();
            async move { Ok(found) }
        };
        sender.egress = Egress::new(vec!["203.0.113.0/24".parse().unwrap()]).resolving_by(answer);
        let refused = sender.write("ops@example.com").await.unwrap_err();
        assert!(refused.to_string().contains("may not connect to mail.example.com"), "{}", refused.to_string());
    }
    assert!(server.steps("connect").is_empty());
}

#[test]
fn a_profile_names_one_server_and_one_sender() {
    let spec = Spec::find("email").unwrap();
    let posted = |name: &str, value: &str| {
        let mut values: Values =
            [("host", "SMTP.Example.com."), ("port", "587"), ("from", "Strongroom@Example.com")].into_iter().collect();
        values.set(name, value);
        form::check(spec.fields, &values, None)
    };
    let values = posted("from_name", "").unwrap();
    assert_eq!(values.get("host"), "smtp.example.com");
    assert_eq!(values.get("from"), "Strongroom@example.com");
    assert_eq!(spec.address(&values).unwrap().as_str(), "smtp://smtp.example.com:587");
    assert_eq!(spec.host(&values).unwrap(), "smtp.example.com:587");
    assert!(posted("from_name", "On\u{202e}Call").is_err(), "nothing may hide or reverse a name");
    let clear = posted("tls", "none").unwrap();
    assert_eq!(spec.host(&clear).unwrap(), "smtp-clear://smtp.example.com:587", "in clear is another place");
    for host in ["::1", "[::1]", "0:0:0:0:0:0:0:1"] {
        assert_eq!(spec.host(&posted("host", host).unwrap()).unwrap(), "[::1]:587");
    }
    assert_eq!(spec.host(&posted("host", "0x7f.1").unwrap()).unwrap(), "127.0.0.1:587");
    for bad in
        ["", "smtp.example.com:25", "smtp://x.example", "a b", "u@x.example", "x.example/y", "x\r\ny", "[::1", "."]
    {
        assert!(posted("host", bad).is_err_and(|errors| errors.of("host").is_some()), "{bad:?}");
    }
    for bad in ["", "0", "65536", "-1", "x"] {
        assert!(posted("port", bad).is_err(), "{bad:?}");
    }
    for bad in [
        "",
        "ops",
        "Ops <ops@example.com>",
        "ops@example.com\nBcc: x@y.example",
        "a@example.com=1+1",
        "a@exa_mple.com",
        "a@-example.com",
        "a@example..com",
    ] {
        assert!(posted("from", bad).is_err(), "{bad:?}");
    }
}
