//! A private certificate authority for peers that speak TLS.

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, PEM.
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// An authority below this one.
    pub fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// What `openssl req -x509` makes for a server: its own issuer, and an authority by its extensions.
    pub fn self_signed(name: &str) -> (String, String) {
        Self::self_signed_as(name, |_| {})
    }

    /// The same that ended years ago.
    pub fn self_signed_and_expired(name: &str) -> (String, String) {
        Self::self_signed_as(name, |params| {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        })
    }

    /// A certificate that is its own issuer and no authority, and one that was issued by its key all the same.
    pub fn no_authority(name: &str) -> (String, (String, String)) {
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new([name.to_owned()]).unwrap());
        params.is_ca = IsCa::ExplicitNoCa;
        params.distinguished_name.push(DnType::CommonName, "registry.internal");
        let pasted = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let (key, params) = (KeyPair::generate().unwrap(), CertificateParams::new([name.to_owned()]).unwrap());
        (pasted, (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem()))
    }

    fn self_signed_as(name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "registry.internal");
        change(&mut params);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// Certificate and key, PEM, for a server of that name or address.
    pub fn server(&self, name: &str) -> (String, String) {
        self.issue(name, ExtendedKeyUsagePurpose::ServerAuth, |_| {})
    }

    /// The same, good from the first day of one year to that of another.
    pub fn server_between(&self, name: &str, from: i32, until: i32) -> (String, String) {
        self.issue(name, ExtendedKeyUsagePurpose::ServerAuth, |params| {
            params.not_before = rcgen::date_time_ymd(from, 1, 1);
            params.not_after = rcgen::date_time_ymd(until, 1, 1);
        })
    }

    /// Certificate and key in one PEM, as a credential holds them.
    pub fn client(&self, name: &str) -> String {
        let (certificate, key) = self.issue(name, ExtendedKeyUsagePurpose::ClientAuth, |_| {});
        certificate + &key
    }

    fn issue(
        &self,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages.push(usage);
        change(&mut params);
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}
