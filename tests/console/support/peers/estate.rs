//! An AWS account with registries, functions and clusters in several regions: ECR, EKS and ECS beside Lambda, STS and
//! the list of regions of [`Lambda`], which verifies every signature. Small pages, tokens with letters that have to be
//! encoded. <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRepositories.html>,
//! <https://docs.aws.amazon.com/eks/latest/APIReference/API_ListClusters.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::lambda::{Lambda, Says, refused};
use super::moto::ACCOUNT;
use super::receiver::{Call, Said, UPSTREAM};
use super::sigv4::Signed;

#[derive(Default)]
struct Region {
    repositories: Vec<String>,
    /// Names, and what EKS describes of each.
    eks: Vec<(String, Value)>,
    ecs: Vec<String>,
    /// Instead of an answer, by right.
    says: BTreeMap<String, Says>,
}

type World = BTreeMap<String, Region>;

pub struct Estate {
    pub lambda: Lambda,
    world: Arc<Mutex<World>>,
}

impl Estate {
    pub fn start() -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let shared = Arc::clone(&world);
        let lambda = Lambda::beside(Box::new(move |call, region, service| {
            answer(call, service, shared.lock().unwrap_or_else(PoisonError::into_inner).get_mut(region)?)
        }));
        Self { lambda, world }
    }

    pub fn url(&self) -> String {
        self.lambda.url()
    }

    /// The region, which is switched on.
    fn region(&self, name: &str, change: impl FnOnce(&mut Region)) -> &Self {
        self.lambda.with_region(name);
        change(self.world.lock().unwrap().entry(name.to_owned()).or_default());
        self
    }

    pub fn with_region(&self, name: &str) -> &Self {
        self.region(name, |_| {})
    }

    pub fn repositories(&self, region: &str, names: &[&str]) -> &Self {
        self.region(region, |region| region.repositories.extend(names.iter().map(|name| (*name).to_owned())))
    }

    /// With what differs from [`cluster`].
    pub fn eks(&self, region: &str, name: &str, changes: &Value) -> &Self {
        let mut made = cluster(region, name);
        for (member, value) in changes.as_object().expect("an object") {
            made[member] = value.clone();
        }
        self.region(region, |region| region.eks.push((name.to_owned(), made)))
    }

    pub fn ecs(&self, region: &str, name: &str) -> &Self {
        self.region(region, |region| region.ecs.push(name.to_owned()))
    }

    pub fn drop_eks(&self, region: &str, name: &str) {
        self.region(region, |region| region.eks.retain(|(other, _)| other != name));
    }

    /// What a region says to calls that need this right.
    pub fn says(&self, region: &str, action: &str, says: Says) -> &Self {
        self.region(region, |region| drop(region.says.insert(action.to_owned(), says)))
    }

    /// The calls of a service to a region.
    pub fn asked(&self, region: &str, service: &str) -> usize {
        let of = |call: &&Call| Signed::read(call).is_some_and(|by| by.region == region && by.service == service);
        self.lambda.receiver.calls().iter().filter(of).count()
    }
}

/// As DescribeCluster describes one.
fn cluster(region: &str, name: &str) -> Value {
    json!({
        "name": name,
        "arn": format!("arn:aws:eks:{region}:{ACCOUNT}:cluster/{name}"),
        "createdAt": 1_772_366_400.123,
        "version": "1.33",
        "endpoint": format!("https://ABCDEF0123456789.gr7.{region}.eks.amazonaws.com"),
        "roleArn": format!("arn:aws:iam::{ACCOUNT}:role/eks"),
        "resourcesVpcConfig": {"endpointPublicAccess": true, "endpointPrivateAccess": false, "publicAccessCidrs": []},
        "status": "ACTIVE",
        "certificateAuthority": {"data": "LS0tLS1CRUdJTg=="},
        "accessConfig": {"authenticationMode": "API"},
        "tags": {},
    })
}

fn answer(call: &Call, service: &str, region: &mut Region) -> Option<Said> {
    let target = call.header("x-amz-target").unwrap_or_default();
    let operation = match (call.method.as_str(), call.path(), service) {
        ("POST", "/", "ecr" | "ecs") => {
            let (prefix, operation) = target.split_once('.')?;
            let expected = if service == "ecr" {
                "AmazonEC2ContainerRegistry_V20150921"
            } else {
                "AmazonEC2ContainerServiceV20141113"
            };
            (prefix == expected && call.header("content-type") == Some("application/x-amz-json-1.1"))
                .then_some(operation)?
        }
        ("GET", "/clusters", "eks") => "ListClusters",
        ("GET", path, "eks") if path.starts_with("/clusters/") => "DescribeCluster",
        _ => return None,
    };
    let action = format!("{service}:{operation}");
    let mut says = region.says.remove(&action);
    let instead = Says::instead(&mut says, &action);
    region.says.extend(says.map(|says| (action.clone(), says)));
    if instead.is_some() {
        return instead;
    }
    Some(match action.as_str() {
        "ecr:DescribeRepositories" => {
            let described = |name: &String| json!({"repositoryName": name, "registryId": ACCOUNT, "createdAt": 1.5e9});
            let all: Vec<Value> = region.repositories.iter().map(described).collect();
            listed(&call.json(), 1_000, "repositories", &all)
        }
        "ecs:ListClusters" => listed(&call.json(), 100, "clusterArns", &region.ecs.iter().map(arn).collect::<Vec<_>>()),
        "ecs:DescribeClusters" => {
            let asked = call.json()["clusters"].as_array().cloned().unwrap_or_default();
            if asked.is_empty() || asked.len() > 100 {
                return Some(refused(400, "InvalidParameterException", UPSTREAM));
            }
            let of = |name: &&String| asked.contains(&arn(name));
            let described = |name: &String| json!({"clusterArn": arn(name), "clusterName": name, "status": "ACTIVE"});
            let clusters: Vec<Value> = region.ecs.iter().filter(of).map(described).collect();
            Said::json(200, &json!({"clusters": clusters, "failures": []}))
        }
        "eks:ListClusters" => {
            let number = call.query("maxResults").and_then(|most| most.parse().ok()).unwrap_or(0);
            let asked = json!({"maxResults": number, "nextToken": call.query("nextToken")});
            let names: Vec<Value> = region.eks.iter().map(|(name, _)| name.as_str().into()).collect();
            listed(&asked, 100, "clusters", &names)
        }
        "eks:DescribeCluster" => {
            let name = call.path().rsplit('/').next().unwrap_or_default();
            match region.eks.iter().find(|(known, _)| known == name) {
                Some((_, described)) => Said::json(200, &json!({"cluster": described})),
                None => refused(404, "ResourceNotFoundException", "No cluster found"),
            }
        }
        _ => return None,
    })
}

fn arn(name: &String) -> Value {
    format!("arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/{name}").into()
}

/// A page of a list, for a request that asks for as many as the service gives.
fn listed(asked: &Value, most: u64, member: &str, all: &[Value]) -> Said {
    if asked["maxResults"] != most {
        return refused(400, "InvalidParameterException", UPSTREAM);
    }
    let from = asked["nextToken"].as_str().map_or(0, |token| {
        token.strip_prefix("t+/ =").and_then(|at| at.parse().ok()).expect("a token comes back as it was given")
    });
    let until = (from + Lambda::PAGE).min(all.len());
    let next = (until < all.len()).then(|| format!("t+/ ={until}"));
    Said::json(200, &json!({ member: all[from..until], "nextToken": next }))
}
