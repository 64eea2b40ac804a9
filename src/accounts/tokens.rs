//! Tokens that nobody can guess: of a session's cookie, and of the link that makes the first administrator.

use sha2::{Digest, Sha256};

/// 256 random bits, as 64 hexadecimal digits.
pub fn new_token() -> String {
    hex::encode(crate::vault::random::<32>())
}

/// SHA-256 of a token, 32 bytes: the database stores this and not the token.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
