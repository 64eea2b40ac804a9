//! Where a sealed value belongs. The context is bound into the ciphertext as associated data, so that a value moved to
//! another deployment, table, column, row, type or version no longer opens.

use uuid::Uuid;

/// One place in the database.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub table: &'static str,
    pub column: &'static str,
    pub row: Uuid,
    /// The credential type; empty where a table has none.
    pub kind: &'a str,
    pub version: i32,
}

/// AES-256-GCM-SIV.
const ALGORITHM: u8 = 1;

impl Context<'_> {
    pub(super) fn data_aad(&self, deployment: Uuid) -> Vec<u8> {
        self.aad("data", deployment)
    }

    pub(super) fn wrap_aad(&self, deployment: Uuid, kek_id: i32) -> Vec<u8> {
        let mut aad = self.aad("wrap", deployment);
        aad.extend_from_slice(&kek_id.to_be_bytes());
        aad
    }

    /// Every part is length-prefixed or of fixed length, so no two places share an encoding.
    fn aad(&self, purpose: &str, deployment: Uuid) -> Vec<u8> {
        let mut aad = Vec::with_capacity(128);
        let texts = ["strongroom", purpose, self.table, self.column, self.kind];
        for part in
            texts.iter().map(|text| text.as_bytes()).chain([&deployment.as_bytes()[..], &self.row.as_bytes()[..]])
        {
            aad.extend_from_slice(&(part.len() as u32).to_be_bytes());
            aad.extend_from_slice(part);
        }
        aad.extend_from_slice(&self.version.to_be_bytes());
        aad.push(ALGORITHM);
        aad
    }
}
