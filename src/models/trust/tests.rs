use super::*;
use crate::vault::KeyRing;

#[derive(Clone)]
struct Row {
    name: &'static str,
    version: i64,
    signature: Vec<u8>,
}

impl Signed for Row {
    const TABLE: &'static str = "rows";
    fn subject(&self) -> Uuid {
        Uuid::nil()
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn signature(&self) -> &[u8] {
        &self.signature
    }
    fn set_signature(&mut self, signature: Vec<u8>) {
        self.signature = signature;
    }
    fn parts(&self) -> Parts {
        Parts::default().text(self.name).number(self.version)
    }
    fn former_parts(&self) -> Option<Parts> {
        Some(Parts::default().text(self.name))
    }
}

fn vault() -> Vault {
    let directory = tempfile::tempdir().unwrap();
    Vault::new(Uuid::from_u128(1), KeyRing::create(&directory.path().join("ring")).unwrap(), None)
}

fn doubt(vault: &Vault, row: &Row, latest: Option<i64>, asked: bool) -> Option<Doubt> {
    Seen::new(vault, (row.clone(), latest), |_| asked).doubt()
}

#[test]
fn a_row_counts_if_it_is_whole_asked_for_and_current() {
    let vault = vault();
    let row = sign(&vault, Row { name: "a", version: 3, signature: Vec::new() }).into_row();
    assert_eq!(doubt(&vault, &row, Some(3), true), None);
    assert_eq!(doubt(&vault, &row, Some(3), false), Some(Doubt::NotAsked));
    assert_eq!(doubt(&vault, &row, Some(4), true), Some(Doubt::PutBack));
    for changed in [Row { name: "b", ..row.clone() }, Row { version: 4, ..row.clone() }] {
        assert_eq!(doubt(&vault, &changed, Some(3), true), Some(Doubt::Tampered));
    }
}

#[test]
fn a_signature_that_is_cut_or_former_is_tampering_and_a_later_one_is_not() {
    let vault = vault();
    let row = sign(&vault, Row { name: "a", version: 1, signature: Vec::new() }).into_row();
    let with = |signature: &[u8]| Row { signature: signature.to_vec(), ..row.clone() };
    let former = with(&row.signature[1 + MAC..]);
    assert!(was_signed_before(&vault, &former) && !was_signed_before(&vault, &row));
    for cut in [&[][..], &[2], &row.signature[..MAC], &former.signature] {
        assert_eq!(doubt(&vault, &with(cut), None, true), Some(Doubt::Tampered));
    }
    let later = [&[3][..], &row.signature[1..]].concat();
    assert_eq!(doubt(&vault, &with(&later), None, true), Some(Doubt::LaterRelease));
}
