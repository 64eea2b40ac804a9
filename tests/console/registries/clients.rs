//! The vendors' own clients read from our stand-ins what a scan reads: so the stand-ins are right where it counts.

use super::Scan;
use crate::support::images::Image;
use crate::support::peers::receiver::{Call, Receiver, Said};
use crate::support::peers::{ecr_public, gitlab, google_artifacts, ibm_registry};
use crate::support::vendor_client;

/// What the vendor's client prints, in order.
fn read_by_client(vendor: &str, peer: &Receiver, secret: &str) -> Vec<String> {
    vendor_client::read(vendor, &peer.url(), secret)
}

async fn read_by_scan(scan: Scan, date: fn(&Image) -> String) -> Vec<String> {
    let line = |image: &Image| format!("{}:{} {} {}", image.repository, image.tag, image.digest, date(image));
    let mut lines: Vec<String> = scan.run().await.expect("a scan").iter().map(line).collect();
    lines.sort();
    lines
}

fn day(image: &Image) -> String {
    image.pushed_at.map(|at| at.date_naive().to_string()).unwrap_or_default()
}

fn start(answer: fn(&Call) -> Said) -> Receiver {
    Receiver::start(answer)
}

#[tokio::test]
async fn python_gitlab_reads_what_a_scan_of_gitlab_reads() {
    let peer = start(gitlab::answer);
    let scan = super::gitlab::by_token(&peer, gitlab::TOKEN).with("repository", "team/*");
    let lines = read_by_scan(scan, day).await;
    assert_eq!(lines.len(), 6);
    assert_eq!(read_by_client("gitlab", &peer, gitlab::TOKEN), lines);
}

#[tokio::test]
async fn googles_client_reads_what_a_scan_of_artifact_registry_reads() {
    let peer = start(google_artifacts::answer);
    let lines = read_by_scan(super::google::by_key(&peer, "europe-west3-docker.pkg.dev", "project"), day).await;
    assert_eq!(lines.len(), 4);
    assert_eq!(read_by_client("google", &peer, "ya29.client"), lines);
}

#[tokio::test]
async fn ibms_client_reads_what_a_scan_of_ibms_registry_reads() {
    let peer = start(ibm_registry::answer);
    let scan = super::ibm::by_key(&peer, ibm_registry::ACCOUNT, ibm_registry::API_KEY);
    let seconds = |image: &Image| image.pushed_at.map_or(0, |at| at.timestamp()).to_string();
    let lines = read_by_scan(scan, seconds).await;
    assert_eq!(lines.len(), 4);
    let secret = format!("{}:{}", ibm_registry::ACCOUNT, ibm_registry::API_KEY);
    assert_eq!(read_by_client("ibm", &peer, &secret), lines);
}

#[tokio::test]
async fn boto3_reads_what_a_scan_of_ecr_public_reads() {
    let peer = start(ecr_public::answer);
    let lines = read_by_scan(super::ecr_public::by_key(&peer, ecr_public::KEY, ecr_public::SECRET), day).await;
    assert_eq!(lines.len(), 4);
    let moto = std::env::var("STRONGROOM_TEST_MOTO").expect("script/test sets it");
    let python = std::path::Path::new(&moto).with_file_name("python");
    let secret = format!("{}:{}", ecr_public::KEY, ecr_public::SECRET);
    assert_eq!(vendor_client::read_with(python.to_str().unwrap(), "ecr_public", &peer.url(), &secret), lines);
}
