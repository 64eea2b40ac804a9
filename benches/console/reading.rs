//! A scan alone, without the console around it: what it reads is counted and discarded.

use futures_util::StreamExt;
use std::time::Instant;
use strongroom::credentials::aws::KIND;
use strongroom::form::Values;
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Outside, Secret};
use strongroom::providers::aws::{self, Sessions};
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::Endpoints;
use strongroom::providers::tokens::Stored;

use crate::support::outside::World;

/// Seconds to scan `accounts`, `at_once` at a time. Each scan has to find `items`.
pub async fn lambda(peer: &str, regions: &str, (accounts, at_once): (usize, usize), items: usize) -> f64 {
    let egress = Egress::new(vec!["127.0.0.0/8".parse().expect("a network")]);
    let endpoints = aws::Endpoints::new([("AWS_ENDPOINT_URL", peer), ("AWS_EC2_METADATA_DISABLED", "true")]);
    let sessions = Sessions::new(egress.clone(), endpoints);
    let world = World::new(egress, Endpoints::default());
    let settings = Values::from_iter([("regions", "chosen"), ("region_names", regions), ("versions", "latest")]);
    let secret = [
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ];
    let values = Values::from_iter(secret);
    let scanner = Spec::find("lambda").and_then(Spec::scanner).expect("a scanner");
    let scan = async |_| {
        let stored = Some(Stored { credential: uuid::Uuid::new_v4(), secret_version: 1 });
        let outside = Outside { aws: &sessions, ..world.outside() };
        let cx = Context::new(outside, &settings, "Functions", Some(Secret { kind: &KIND, values: &values, stored }));
        let scan = scanner.scan(&cx).await.unwrap_or_else(|gap| panic!("{gap}"));
        assert_eq!((scan.items.len(), scan.gaps.len()), (items, 0));
    };
    let started = Instant::now();
    futures_util::stream::iter(0..accounts).for_each_concurrent(at_once, scan).await;
    started.elapsed().as_secs_f64()
}
