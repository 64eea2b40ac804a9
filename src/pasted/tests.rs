use super::*;

#[test]
fn a_sentence_never_repeats_what_was_pasted() {
    for text in [
        "CANARY_KEY=CANARY",
        "Bearer CANARY",
        "\"CANARY\"",
        "gldt-CANARYCANARYCANARY",
        "user name,access key id,CANARY",
    ] {
        for wanted in [Wanted::Token, Wanted::PrivatePem, Wanted::Kubeconfig, Wanted::Visible] {
            let sentence = mistaken(text, wanted, "access token", "hvs.…").unwrap_or_default();
            assert!(!sentence.contains("CANARY"), "{sentence}");
        }
    }
}

#[test]
fn what_no_one_could_take_for_a_secret_is_shown_again() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "https://rancher.example.com/k8s/clusters/c-7xk2p",
        "arn:aws:iam::123456789012:role/stsIAMrole",
        "ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq",
        "ProdClusterEurope",
        "ae01981e-e1bf-49ec-ad81-80af157a944e",
        "12:f8:7e:78:61:b4:bf:e2:de:24:15:96:4e:d4:72:53",
        "team/*, library/nginx",
    ] {
        assert!(!looks_secret(text), "{text}");
    }
    for text in ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "see ghp_0123456789abcdefABCDEF", "eyJh.eyJz.c2ln"] {
        assert!(holds_secret(text), "{text}");
    }
}

#[test]
fn a_secret_among_other_words_is_seen_and_notes_are_not_taken_for_one() {
    let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for text in [
        &format!("AKIAIOSFODNN7EXAMPLE {key}"),
        &format!("the pair of the build:\nAKIAIOSFODNN7EXAMPLE,{key}\nask Ada"),
        "AKIAIOSFODNN7EXAMPLE aaBBccDDeeFFggHHiiJJkkLLmmNNooPPqqRRssTT",
        "posts to https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "https://prod.example.com/workflows/1?sp=x&sig=0123456789abcdefghijklmnopqrstuv",
        "(token: ghp_0123456789abcdefABCDEF).",
        "old one: abC8Q~0123456789abcdefghijklmnopqrstuv",
        "from the CLI: {\"clientId\": \"x\", \"tenantId\": \"y\", \"clientSecret\": \"z\"}",
        "database\nDB_PASSWORD=hunter2-hunter2 for CI",
    ] {
        assert!(holds_secret(text), "{text}");
    }
    for text in [
        "AKIAIOSFODNN7EXAMPLE is the key of the build, made on 2026-11-02",
        "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
        "sha256:9f2c1b4d0e559f2c1b4d0e559f2c1b4d0e559f2c1b4d0e559f2c1b4d0e559f2c",
        "https://wiki.example.com/display/OPS/Rotation+of+Keys?token=none",
        "see /Users/Ada/Documents/Keys/2026/AwsRotationPlan.md",
        "PASSWORD=<see the vault> and TOKEN=$TOKEN",
        "Password = according to Ada",
    ] {
        assert!(!holds_secret(text), "{text}");
    }
}

#[test]
fn a_file_is_read_in_its_own_encoding_and_binary_becomes_base64() {
    let wide = |bytes: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        format!("{mark}{{é}}").encode_utf16().flat_map(bytes).collect()
    };
    for bytes in [
        wide(u16::to_le_bytes, "\u{feff}"),
        wide(u16::to_be_bytes, "\u{feff}"),
        wide(u16::to_le_bytes, ""),
        wide(u16::to_be_bytes, ""),
        "{é}".as_bytes().to_vec(),
    ] {
        assert_eq!(&*as_text(&bytes), "{é}");
    }
    assert_eq!(&*as_text(&[0x30, 0x82, 0xff]), "MIL/");
    assert_eq!(&*as_text(&[0xff, 0xfe, 0x41]), "//5B");
    assert_eq!(&*as_text(b""), "");
}

#[test]
fn words_are_not_taken_for_a_binary_file() {
    for text in [
        "this is neither a certificate nor a private key at all",
        "THISISNOTACERTIFICATEANDNOPRIVATEKEYEITHERBUTWORDS",
        "lorem ipsum dolor sit amet 2026 consectetur adipiscing Elit",
    ] {
        assert_eq!(mistaken(text, Wanted::Certificates, "", ""), None, "{text}");
    }
    let bytes: Vec<u8> = (0..=255).collect();
    let said = mistaken(&as_text(&bytes), Wanted::Certificates, "", "");
    assert!(said.is_some_and(|said| said.contains("binary file")));
}

#[test]
fn invisible_characters_are_named_with_their_place() {
    for (text, place) in
        [("\u{200b}ab", "at its beginning"), ("ab\u{ad}", "at its end"), ("a\u{3164}b", "as character 2")]
    {
        assert!(invisible(text).is_some_and(|sentence| sentence.contains(place)), "{text:?}");
    }
    for text in ["a b", "é", "👩🏽", "a\u{a0}b", "\u{fe0f}"] {
        assert_eq!(invisible(text), None, "{text:?}");
    }
}

#[test]
fn text_in_another_encoding_is_called_that_and_its_line_is_named() {
    let yaml = b"apiVersion: v1\nkind: Config\n# caf\xe9 in the cluster of the build, which has a longer comment\n";
    let said = mistaken(&as_text(yaml), Wanted::Kubeconfig, "", "").unwrap_or_default();
    assert!(said.starts_with("Line 3 of this text") && said.contains("UTF-8"), "{said}");
    let zip = [b"PK\x03\x04".as_slice(), &[0x8f; 200]].concat();
    let said = mistaken(&as_text(&zip), Wanted::Kubeconfig, "", "").unwrap_or_default();
    assert!(said.contains("binary file"), "{said}");
}

#[test]
fn json_with_a_key_in_it_is_called_json_also_when_it_was_cut_off() {
    use base64::Engine as _;
    let key = r#"{"type": "service_account", "private_key_id": "a", "private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"#;
    assert_eq!(mistaken(key, Wanted::ServiceAccount, "", ""), None, "its own parser says that it was cut off");
    let said = mistaken(key, Wanted::Kubeconfig, "kubeconfig", "").unwrap_or_default();
    assert!(said.contains("JSON key of a Google service account"), "{said}");
    let encoded = base64::prelude::BASE64_STANDARD.encode(key);
    let said = mistaken(&encoded, Wanted::ServiceAccount, "", "").unwrap_or_default();
    assert!(said.starts_with("This is JSON in base64"), "{said}");
}
