use serde_json::json;

use super::*;

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIA/20261127/us-east-1/sts/aws4_request, \
    SignedHeaders=content-type;host;x-amz-date;x-vault-aws-iam-server-id, Signature=00";

fn proof(url: &str, body: &str, headers: Value) -> Proof {
    Proof {
        iam_http_request_method: "POST".to_owned(),
        iam_request_url: STANDARD.encode(url),
        iam_request_body: STANDARD.encode(body),
        iam_request_headers: headers,
    }
}

fn headers(server_id: &str, host: &str) -> Value {
    json!({
        "Authorization": [AUTHORIZATION], "Host": host, "X-Amz-Date": "20261127T120000Z",
        "X-Vault-AWS-IAM-Server-ID": [server_id], "Accept": "application/json", "X-Forwarded-For": "1.2.3.4",
    })
}

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const URL: &str = "https://sts.amazonaws.com/";

fn outcome(proof: &Proof) -> Result<Signed, Refused> {
    proof.checked("strongroom.example")
}

#[test]
fn a_plain_signed_request_passes_without_its_other_headers() {
    let plain = headers("strongroom.example", "sts.amazonaws.com");
    for headers in [plain.clone(), Value::from(STANDARD.encode(plain.to_string()))] {
        let signed = outcome(&proof(URL, BODY, headers)).unwrap_or_else(|error| panic!("{error:?}"));
        let names: Vec<&str> = signed.headers.keys().map(String::as_str).collect();
        assert_eq!(names, ["authorization", "host", "x-amz-date", SERVER_ID]);
        let request = signed.request(&Endpoints::default()).expect("a request");
        assert_eq!((request.url().as_str(), &request.headers()["accept"]), (URL, &"text/xml".parse().unwrap()));
    }
}

#[test]
fn another_request_than_get_caller_identity_is_refused() {
    let good = headers("strongroom.example", "sts.amazonaws.com");
    for (url, body) in [
        ("https://sts.amazonaws.com.example/", BODY),
        ("http://sts.amazonaws.com/", BODY),
        ("https://sts.amazonaws.com:8443/", BODY),
        ("https://sts.amazonaws.com/?Action=AssumeRole", BODY),
        ("https://user@sts.amazonaws.com/", BODY),
        ("https://iam.amazonaws.com/", BODY),
        (URL, "Action=AssumeRole&Version=2011-06-15"),
        (URL, "Action=GetCallerIdentity&Version=2011-06-15&Action=AssumeRole"),
        (URL, "Action=GetCallerIdentity"),
    ] {
        let refused = outcome(&proof(url, body, good.clone())).err();
        assert_eq!(refused, Some(Refused::NotThatRequest), "{url} {body}");
    }
    let elsewhere = headers("strongroom.example", "sts.eu-central-1.amazonaws.com");
    assert_eq!(outcome(&proof(URL, BODY, elsewhere)).err(), Some(Refused::NotThatRequest));
}

#[test]
fn a_request_that_was_signed_for_another_server_is_refused() {
    let other = headers("vault.example", "sts.amazonaws.com");
    assert_eq!(outcome(&proof(URL, BODY, other)).err(), Some(Refused::ServerId));
    let mut unsigned = headers("strongroom.example", "sts.amazonaws.com");
    unsigned["Authorization"] = json!("AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host;x-amz-date, Signature=00");
    assert_eq!(outcome(&proof(URL, BODY, unsigned)).err(), Some(Refused::ServerId));
    let mut twice = headers("strongroom.example", "sts.amazonaws.com");
    twice["host"] = json!("sts.amazonaws.com");
    assert_eq!(outcome(&proof(URL, BODY, twice)).err(), Some(Refused::Malformed));
}

#[test]
fn a_signature_is_the_same_however_its_header_is_spelled() {
    let key = replay_key(AUTHORIZATION);
    for other in [AUTHORIZATION.replace(", ", ","), AUTHORIZATION.replace(", ", ",  ")] {
        assert_eq!(replay_key(&other), key, "{other}");
    }
    assert_ne!(replay_key(&AUTHORIZATION.replace("Signature=00", "Signature=01")), key);
}

#[test]
fn identities_are_read_strictly_and_compared_without_paths() {
    let answer = |arn: &str| {
        format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>A</UserId>\
             <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
    };
    let arn = "arn:aws:sts::123456789012:assumed-role/deployer/i-1";
    assert_eq!(identity(answer(arn).as_bytes()), Some(("123456789012".to_owned(), arn.to_owned())));
    assert_eq!(identity(answer("<Arn>arn:x</Arn>").as_bytes()), None);
    assert_eq!(identity(b"{\"Arn\": \"<Arn>x</Arn>\"}"), None);
    for (arn, expected) in [
        (arn, "arn:aws:iam::123456789012:role/deployer"),
        ("arn:aws-cn:iam::123456789012:user/ci/bots/deployer", "arn:aws-cn:iam::123456789012:user/deployer"),
        ("arn:aws:iam::123456789012:role/ops/deployer", "arn:aws:iam::123456789012:role/deployer"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
    ] {
        assert_eq!(plain(arn), expected);
    }
    assert!(is_sts("sts.eu-central-1.amazonaws.com") && is_sts("sts.cn-north-1.amazonaws.com.cn"));
    assert!(!is_sts("sts.eu-central-1.amazonaws.com.cn") && !is_sts("sts.evil.amazonaws.com"));
}
