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
