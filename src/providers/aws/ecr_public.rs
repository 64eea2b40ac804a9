//! Amazon ECR Public: the public registry of an account, which AWS keeps in us-east-1 for the whole partition, and the
//! token for its v2 interface. <https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/Welcome.html>

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::service::ECR_PUBLIC;
use super::{Body, Call, Region, SignedCalls};
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::oci_registry::{Entries, Lenient, Listing, Pages, is_digest, is_repository, is_tag};

/// The rights that reading needs; the last one is for the token alone.
pub const RIGHTS: [&str; 5] = [
    "ecr-public:DescribeRegistries",
    "ecr-public:DescribeRepositories",
    "ecr-public:DescribeImageTags",
    "ecr-public:GetAuthorizationToken",
    "sts:GetServiceBearerToken",
];

/// Entries on a page, the most that AWS gives; and the bounds of one list.
const PAGE: u32 = 1000;
const MAX_PAGES: usize = 1000;
const MAX_ENTRIES: usize = 200_000;
/// Longest token that is sent back, in bytes.
const MAX_TOKEN: usize = 8_192;

/// A tag as the list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    pub digest: String,
    /// Of the image alone: 0 for an index.
    pub size_bytes: u64,
    pub pushed_at: Option<DateTime<Utc>>,
}

/// `ecr-public:DescribeRegistries`: by what name the account's images are pulled: `public.ecr.aws/alias`. `None` where it
/// has none yet.
pub async fn registry(calls: &SignedCalls) -> Result<Option<String>, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answered {
        registries: Vec<Lenient<Found>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Found {
        registry_uri: String,
    }
    let found: Answered = ask(calls, RIGHTS[0], "SpencerFrontendService.DescribeRegistries", &json!({})).await?;
    let names = found.registries.into_iter().filter_map(|entry| match entry {
        Lenient::Read(found) => Some(found.registry_uri),
        Lenient::Odd(_) => None,
    });
    Ok(names.into_iter().find(|name| name.split_once('/').is_some_and(|(_, alias)| is_repository(alias))))
}

/// `ecr-public:DescribeRepositories`, the names. Pages after the first may be missing.
pub async fn repositories(calls: &SignedCalls, pages: Pages) -> Result<Listing<String>, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answered {
        repositories: Vec<Lenient<Found>>,
        next_token: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Found {
        repository_name: String,
    }
    let target = "SpencerFrontendService.DescribeRepositories";
    let found = list(calls, RIGHTS[1], target, json!({}), pages, |page: Answered| (page.repositories, page.next_token));
    let (found, rest) = found.await?;
    let names = found.into_iter().map(|found| found.repository_name).collect();
    Ok(Listing::sorted_out((names, rest), String::as_str, is_repository))
}

/// `ecr-public:DescribeImageTags`, an entry a tag. Pages after the first may be missing.
pub async fn tags(calls: &SignedCalls, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answered {
        image_tag_details: Vec<Lenient<Found>>,
        next_token: Option<String>,
    }
    let target = "SpencerFrontendService.DescribeImageTags";
    let body = json!({"repositoryName": repository});
    let found = list(calls, RIGHTS[2], target, body, pages, |page: Answered| (page.image_tag_details, page.next_token));
    let (found, mut rest) = found.await?;
    let all = found.len();
    let tags: Vec<Tag> = found.into_iter().filter_map(Found::tag).collect();
    if tags.len() < all {
        rest.get_or_insert(BadAnswer);
    }
    Ok(Listing::sorted_out((tags, rest), |tag: &Tag| &tag.name, is_tag))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    image_tag: String,
    /// Seconds of the Unix clock, with a fraction.
    created_at: Option<f64>,
    image_detail: Option<Image>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    image_digest: String,
    image_size_in_bytes: Option<u64>,
    image_pushed_at: Option<f64>,
}

impl Found {
    /// `None` for a tag without an image. A tag that was moved to another image is as new as that.
    fn tag(self) -> Option<Tag> {
        let image = self.image_detail.filter(|image| is_digest(&image.image_digest))?;
        let pushed_at = [self.created_at, image.image_pushed_at].into_iter().flatten().filter_map(moment).max();
        let size_bytes = image.image_size_in_bytes.unwrap_or(0);
        Some(Tag { name: self.image_tag, digest: image.image_digest, size_bytes, pushed_at })
    }
}

fn moment(seconds: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis((seconds * 1000.0) as i64)
}

/// `ecr-public:GetAuthorizationToken`: what opens the v2 interface as a bearer token for twelve hours.
/// <https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html>
pub async fn token(calls: &SignedCalls) -> Result<SecretString, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answered {
        authorization_data: Data,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        authorization_token: SecretString,
    }
    let target = "SpencerFrontendService.GetAuthorizationToken";
    let answered: Answered = ask(calls, RIGHTS[3], target, &json!({})).await?;
    Ok(answered.authorization_data.authorization_token)
}

async fn ask<T: DeserializeOwned>(
    calls: &SignedCalls,
    right: &'static str,
    target: &'static str,
    body: &Value,
) -> Result<T, ProviderError> {
    let call = Call::post(&ECR_PUBLIC, right, "/", Body::Target(target, body));
    calls.ask(&Region::first_of("aws"), &call).await?.json()
}

/// The entries of a page, and the token of the next one.
type Page<T> = (Vec<Lenient<T>>, Option<String>);

/// A list over several pages. `read` gives the entries of one, and the token of the next.
async fn list<P: DeserializeOwned, T>(
    calls: &SignedCalls,
    right: &'static str,
    target: &'static str,
    mut body: Value,
    pages: Pages,
    read: fn(P) -> Page<T>,
) -> Result<Entries<T>, ProviderError> {
    body["maxResults"] = PAGE.into();
    let (mut found, mut tokens, mut odd) = (Vec::new(), HashSet::new(), None);
    for number in 0..MAX_PAGES {
        let (entries, token) = match ask(calls, right, target, &body).await.map(read) {
            Ok(page) => page,
            Err(cause) if number == 0 => return Err(cause),
            Err(cause) => return Ok((found, Some(cause))),
        };
        for entry in entries {
            match entry {
                Lenient::Read(entry) => found.push(entry),
                Lenient::Odd(_) => odd = Some(BadAnswer),
            }
        }
        let token = token.filter(|token| !token.is_empty() && pages == Pages::All);
        let Some(token) = token else { return Ok((found, odd)) };
        if found.len() >= MAX_ENTRIES {
            break;
        }
        // Pages that lead in a circle have no end.
        if token.len() > MAX_TOKEN || !tokens.insert(token.clone()) {
            return Ok((found, Some(BadAnswer)));
        }
        body["nextToken"] = token.into();
    }
    Ok((found, Some(ProviderError::TooLarge)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_as_new_as_its_image_and_one_without_an_image_is_none() {
        let tag = |entry: Value| serde_json::from_value::<Found>(entry).unwrap().tag();
        let digest = format!("sha256:{}", "a".repeat(64));
        let image = json!({"imageDigest": digest, "imageSizeInBytes": 5, "imagePushedAt": 1_793_527_200.5});
        let read = tag(json!({"imageTag": "1.0", "createdAt": 1.0, "imageDetail": image})).unwrap();
        assert_eq!((read.size_bytes, read.pushed_at.unwrap().timestamp_millis()), (5, 1_793_527_200_500));
        assert_eq!(tag(json!({"imageTag": "1.0", "imageDetail": {"imageDigest": "x"}})), None);
        assert_eq!(tag(json!({"imageTag": "1.0", "createdAt": null, "imageDetail": null})), None);
    }
}
