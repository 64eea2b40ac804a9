//! Which certificates are trusted: the system's, and those of `--ca-file`.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;

use super::super::trouble::{Result, Trouble};

/// Read when the first https connection needs it, and kept.
#[derive(Default)]
pub struct Trust {
    file: Option<PathBuf>,
    connector: OnceCell<TlsConnector>,
}

impl Trust {
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { file, connector: OnceCell::new() }
    }

    pub async fn connector(&self) -> Result<&TlsConnector> {
        self.connector.get_or_try_init(|| async { self.read() }).await
    }

    /// The files are the system's, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    fn read(&self) -> Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = &self.file {
            let unreadable = |error| Trouble::Local(format!("cannot read the CA file {}: {error}", file.display()));
            let found: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(file)
                .map_err(unreadable)?
                .collect::<std::result::Result<_, _>>()
                .map_err(unreadable)?;
            let (added, _) = roots.add_parsable_certificates(found);
            if added == 0 {
                return Err(Trouble::Local(format!("the CA file {} holds no certificate", file.display())));
            }
        }
        if roots.is_empty() {
            let text = "this system has no CA certificates: name a file with --ca-file, or install ca-certificates";
            return Err(Trouble::local(text));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = versions.map_err(|error| Trouble::Local(format!("TLS does not work here: {error}")))?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}
