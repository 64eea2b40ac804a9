//! Parity with the barrier tests of OpenBao, RFC 8452's vectors, and a second implementation.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn vault(deployment: u128) -> (tempfile::TempDir, Vault) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keyring");
    let ring = KeyRing::create(&path).unwrap();
    (directory, Vault::new(Uuid::from_u128(deployment), ring, Some(path)))
}

fn place() -> Context<'static> {
    Context { table: "credentials", column: "payload", row: Uuid::from_u128(7), kind: "aws", version: 3 }
}

#[test]
fn a_sealed_value_opens_to_what_was_sealed_and_never_contains_it() {
    let (_directory, vault) = vault(1);
    for length in [0, 1, 59, 60, 61, 1020, 1021, 70_000] {
        let secret = vec![b'S'; length];
        let sealed = vault.seal(1, &place(), &secret).unwrap();
        assert_eq!(*vault.open(&place(), &sealed).unwrap(), secret);
        assert_eq!(sealed.wrapped_dek.len(), WRAPPED_DEK);
        assert!(sealed.payload.len() >= 93);
        assert!(length < 8 || !sealed.payload.windows(8).any(|window| window == b"SSSSSSSS"));
    }
}

#[test]
fn the_same_secret_sealed_twice_differs_in_every_part() {
    let (_directory, vault) = vault(1);
    let (one, two) = (vault.seal(1, &place(), b"x").unwrap(), vault.seal(1, &place(), b"x").unwrap());
    assert_ne!(one.payload, two.payload);
    assert_ne!(one.wrapped_dek, two.wrapped_dek);
}

#[test]
fn lengths_are_hidden_in_steps() {
    let (_directory, vault) = vault(1);
    let length = |n: usize| vault.seal(1, &place(), &vec![0; n]).unwrap().payload.len();
    assert_eq!(length(1), length(60));
    assert_ne!(length(60), length(61));
    assert_eq!(length(1100), length(1276));
}

#[test]
fn a_value_moved_to_any_other_place_does_not_open() {
    let (_directory, vault) = vault(1);
    let sealed = vault.seal(1, &place(), b"secret").unwrap();
    let elsewhere = [
        Context { table: "users", ..place() },
        Context { column: "note", ..place() },
        Context { row: Uuid::from_u128(8), ..place() },
        Context { kind: "gcp", ..place() },
        Context { version: 2, ..place() },
    ];
    for context in elsewhere {
        assert_eq!(vault.open(&context, &sealed), Err(IntegrityError), "{context:?}");
    }
}

#[test]
fn a_value_moved_to_another_deployment_with_the_same_ring_does_not_open() {
    let (directory, vault) = vault(1);
    let sealed = vault.seal(1, &place(), b"secret").unwrap();
    let other = Vault::new(Uuid::from_u128(2), KeyRing::read(&directory.path().join("keyring")).unwrap(), None);
    assert_eq!(other.open(&place(), &sealed), Err(IntegrityError));
    assert_ne!(vault.key_check_value(1), other.key_check_value(1));
}

#[test]
fn every_flipped_bit_every_cut_and_every_added_byte_is_noticed() {
    let (_directory, vault) = vault(1);
    let sealed = vault.seal(1, &place(), &[42; 200]).unwrap();
    for (which, bytes) in [(0, &sealed.wrapped_dek), (1, &sealed.payload)] {
        let with = |changed: Vec<u8>| match which {
            0 => Sealed { wrapped_dek: changed, ..sealed.clone() },
            _ => Sealed { payload: changed, ..sealed.clone() },
        };
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(vault.open(&place(), &with(changed)), Err(IntegrityError));
        }
        for length in 0..bytes.len() {
            assert_eq!(vault.open(&place(), &with(bytes[..length].to_vec())), Err(IntegrityError));
        }
        assert_eq!(vault.open(&place(), &with([bytes.as_slice(), &[0]].concat())), Err(IntegrityError));
    }
}

#[test]
fn an_unknown_envelope_version_is_an_integrity_error() {
    let (_directory, vault) = vault(1);
    let sealed = vault.seal(1, &place(), b"secret").unwrap();
    for version in [0, 2, 255] {
        let mut changed = sealed.clone();
        changed.payload[0] = version;
        assert_eq!(vault.open(&place(), &changed), Err(IntegrityError));
    }
}

#[test]
fn a_rewrapped_value_opens_under_the_new_key_with_its_payload_untouched() {
    let (directory, vault) = vault(1);
    let sealed = vault.seal(1, &place(), b"secret").unwrap();
    assert_eq!(KeyRing::add(&directory.path().join("keyring"), 0).unwrap(), 2);
    let wrapped_dek = vault.rewrap(&place(), &sealed, 2).unwrap();
    let moved = Sealed { kek_id: 2, wrapped_dek, payload: sealed.payload.clone() };
    assert_eq!(*vault.open(&place(), &moved).unwrap(), b"secret");
    assert_eq!(vault.open(&place(), &Sealed { kek_id: 1, ..moved }), Err(IntegrityError));
}

#[test]
fn a_key_added_to_the_file_is_usable_without_a_restart() {
    let (directory, vault) = vault(1);
    assert_eq!(vault.seal(2, &place(), b"x"), Err(MissingKek(2)));
    KeyRing::add(&directory.path().join("keyring"), 0).unwrap();
    assert!(vault.seal(2, &place(), b"x").is_ok());
    assert_eq!(vault.kek_ids(), [1, 2]);
}

#[test]
fn row_checks_tell_apart_labels_and_the_borders_between_parts() {
    let (_directory, vault) = vault(1);
    let mac = vault.mac("credentials", &[b"ab", b"c"]);
    assert!(vault.check_mac("credentials", &[b"ab", b"c"], &mac).is_ok());
    for (label, parts) in
        [("credentials", [b"a".as_slice(), b"bc"]), ("users", [b"ab", b"c"]), ("credentials", [b"abc", b""])]
    {
        assert_eq!(vault.check_mac(label, &parts, &mac), Err(IntegrityError));
    }
}

#[test]
fn two_installations_never_share_a_key() {
    let ((_one, first), (_two, second)) = (vault(1), vault(1));
    assert_ne!(first.key_check_value(1), second.key_check_value(1));
}

#[test]
fn field_k01_a_key_ring_may_be_read_and_not_written_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, _vault) = vault(1);
    let path = directory.path().join("keyring");
    for (mode, refused) in [
        (0o600, false),
        (0o400, false),
        (0o440, false),
        (0o444, false),
        (0o644, false),
        (0o660, true),
        (0o620, true),
        (0o602, true),
        (0o666, true),
    ] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = KeyRing::read(&path).err().map(|error| error.to_string());
        assert_eq!(error.is_some(), refused, "{mode:o}: {error:?}");
        for word in ["keyring", "chmod 600", "STRONGROOM_KEYRING_FILE"] {
            assert!(error.as_ref().is_none_or(|error| error.contains(word)), "{mode:o}: {error:?}");
        }
    }
}

#[test]
fn published_and_patterned_keys_are_refused() {
    use base64::Engine;
    let (directory, _vault) = vault(1);
    let path = directory.path().join("keyring");
    let good = std::fs::read_to_string(&path).unwrap();
    let counting: Vec<u8> = (0..32).collect();
    for key in [vec![0; 32], vec![0xAA; 32], counting] {
        let line = serde_json::json!({"use": "wrap", "id": 9, "created": "", "key": base64::engine::general_purpose::STANDARD.encode(key)});
        std::fs::write(&path, format!("{good}{line}\n")).unwrap();
        assert!(matches!(KeyRing::read(&path), Err(KeyRingError::Weak { line: 3, .. })));
    }
}

#[test]
fn a_damaged_key_ring_names_the_line_and_no_key() {
    let (directory, _vault) = vault(1);
    let path = directory.path().join("keyring");
    let good = std::fs::read_to_string(&path).unwrap();
    for bad in [
        "{}",
        "not json",
        r#"{"use":"wrap","id":1,"created":"","key":"QUJD"}"#,
        r#"{"use":"mac","id":4,"created":"","key":""}"#,
    ] {
        std::fs::write(&path, format!("{good}{bad}\n")).unwrap();
        let error = KeyRing::read(&path).err().unwrap().to_string();
        assert!(error.starts_with("line 3 "), "{error}");
    }
    std::fs::write(&path, "").unwrap();
    assert!(matches!(KeyRing::read(&path), Err(KeyRingError::Incomplete(_))));
}

#[test]
fn a_key_ring_is_never_overwritten() {
    let (directory, _vault) = vault(1);
    assert!(matches!(KeyRing::create(&directory.path().join("keyring")), Err(KeyRingError::Exists(_))));
}

/// RFC 8452, appendix C.2 (AEAD_AES_256_GCM_SIV): (plaintext, additional data, result).
#[test]
fn the_cipher_gives_the_vectors_of_rfc_8452() {
    let mut key = [0; 32];
    key[0] = 1;
    let mut nonce = [0; 12];
    nonce[0] = 3;
    let cases = [
        ("", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
        ("0100000000000000", "", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
        ("010000000000000000000000", "", "9aab2aeb3faa0a34aea8e2b18ca50da9ae6559e48fd10f6e5c9ca17e"),
        ("01000000000000000000000000000000", "", "85a01b63025ba19b7fd3ddfc033b3e76c9eac6fa700942702e90862383c6c366"),
        ("0200000000000000", "01", "1de22967237a813291213f267e3b452f02d01ae33e4ec854"),
    ];
    for (plaintext, aad, expected) in cases {
        let (message, aad) = (hex::decode(plaintext).unwrap(), hex::decode(aad).unwrap());
        let cipher = Aes256GcmSiv::new(&key.into());
        let result = cipher.encrypt(&Nonce::from(nonce), Payload { msg: &message, aad: &aad }).unwrap();
        assert_eq!(hex::encode(result), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    /// The crate has had no audit of its own, so AWS's library has to agree with it.
    #[test]
    fn the_cipher_agrees_with_a_second_implementation(
        key: [u8; 32], nonce: [u8; 12], message in prop::collection::vec(any::<u8>(), 0..300), aad in prop::collection::vec(any::<u8>(), 0..64)
    ) {
        use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce as OtherNonce, UnboundKey};
        let ours = Aes256GcmSiv::new(&key.into()).encrypt(&Nonce::from(nonce), Payload { msg: &message, aad: &aad }).unwrap();
        let mut theirs = message.clone();
        let other = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, &key).unwrap());
        other.seal_in_place_append_tag(OtherNonce::assume_unique_for_key(nonce), Aad::from(&aad), &mut theirs).unwrap();
        prop_assert_eq!(ours, theirs);
    }
}
