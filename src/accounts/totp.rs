//! One-time codes of an authenticator app (RFC 6238: SHA-1, six digits, 30 seconds) and the recovery codes beside them.

use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use crate::models::UserId;
use crate::vault::{self, Vault};

/// Bytes of a secret: as long as its HMAC (RFC 4226, 4).
pub const SECRET_BYTES: usize = 20;

fn totp(secret: &[u8], account: &str) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        .with_secret(secret.to_vec())
        // A colon would end the issuer in the address (Key URI format).
        .with_account_name(account.replace(':', " "))
        .with_issuer(Some("Strongroom"))
        .build()
        .ok()
}

/// What the app reads from the picture: `otpauth://totp/…`.
pub fn address(secret: &[u8], account: &str) -> Option<String> {
    totp(secret, account)?.to_url().ok()
}

/// The secret for typing in: base32 in groups of four.
pub fn readable(secret: &[u8]) -> String {
    let text = totp_rs::Secret::from(secret).to_base32();
    let groups: Vec<&str> = (0..text.len()).step_by(4).filter_map(|at| text.get(at..text.len().min(at + 4))).collect();
    groups.join(" ")
}

/// The time step that a code belongs to, within one step of `seconds` since 1970; `None` for a wrong code.
pub fn step(secret: &[u8], code: &str, seconds: u64) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != 6 || !code.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    totp(secret, "Strongroom")?.check(&code, seconds).and_then(|step| i64::try_from(step).ok())
}

/// Random letters and digits without vowels and look-alikes, so that nothing is misread or rude. Just under five bits
/// each.
pub(super) fn letters<const N: usize>() -> String {
    const LETTERS: &[u8] = b"bcdfghjkmnpqrstvwxyz23456789";
    // 252 is the largest multiple of 28 in a byte: beyond it some letters would come more often.
    let even = |_| loop {
        let [byte] = vault::random::<1>();
        if byte < 252 {
            break char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
        }
    };
    (0..N).map(even).collect()
}

/// Ten recovery codes to print, each of 48 bits: `k3f9x-2m8qw`.
pub fn recovery_codes() -> Vec<String> {
    (0..10).map(|_| format!("{}-{}", letters::<5>(), letters::<5>())).collect()
}

/// The keyed hash of a user's recovery code, which the database keeps. It covers the user's id, so that a row which is
/// moved to another user opens nothing.
pub fn recovery_mac(vault: &Vault, user: UserId, code: &str) -> Vec<u8> {
    vault.mac("recovery", &[user.0.as_bytes(), bare(code).as_bytes()])
}

/// Both hashes that a row may hold for a recovery code. The second is that of earlier releases, which bound a code to its
/// user only by the check of the row; such codes stay good.
pub fn recovery_macs(vault: &Vault, user: UserId, code: &str) -> [Vec<u8>; 2] {
    [recovery_mac(vault, user, code), vault.mac("recovery", &[bare(code).as_bytes()])]
}

/// The letters and digits of a code, however it was typed.
fn bare(code: &str) -> Zeroizing<String> {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, for SHA-1: the last six of its eight digits.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        let secret = b"12345678901234567890";
        for (seconds, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(step(secret, code, seconds), Some((seconds / 30) as i64));
            assert_eq!(step(secret, &format!(" {} {} ", &code[..3], &code[3..]), seconds), Some((seconds / 30) as i64));
        }
    }

    #[test]
    fn a_code_holds_one_step_either_way_and_no_longer() {
        let secret = b"12345678901234567890";
        assert_eq!(step(secret, "287082", 59 + 30), Some(1));
        assert_eq!(step(secret, "287082", 29), Some(1));
        assert_eq!(step(secret, "287082", 59 + 61), None);
        for bad in ["", "28708", "2870822", "abcdef", "２８７０８２"] {
            assert_eq!(step(secret, bad, 59), None, "{bad}");
        }
    }

    #[test]
    fn the_address_names_product_and_user() {
        let address = address(&[7; SECRET_BYTES], "alice: the first").unwrap();
        assert!(address.starts_with("otpauth://totp/Strongroom:alice"), "{address}");
        assert!(address.contains("issuer=Strongroom"), "{address}");
    }

    #[test]
    fn recovery_codes_are_ten_and_differ() {
        let codes: std::collections::BTreeSet<String> = recovery_codes().into_iter().collect();
        assert_eq!(codes.len(), 10);
        assert!(codes.iter().all(|code| code.len() == 11), "{codes:?}");
    }
}
