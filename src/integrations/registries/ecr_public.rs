//! Amazon ECR Public: the account's own repositories in the public gallery, by its API in us-east-1, which tells dates and
//! sizes; platforms come from public.ecr.aws. Both take the AWS credential.

use secrecy::SecretString;
use url::Url;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::platforms::Platforms;
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::aws::{self, Place};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Grants, Host, Spec, Use};
use crate::providers::ProviderError;
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::{Refusal, Region, SignedCalls, ecr_public};
use crate::providers::egress::Tls;
use crate::providers::oci_registry::Login;

pub static ECR_PUBLIC: Spec = Spec {
    slug: "ecr_public",
    label: "Amazon ECR Public",
    fields: FIELDS,
    uses: &[Use::main(&["aws"])],
    host: Host::Vendor(|_| Some(HOST.to_owned())),
    suits,
    grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

const HOST: &str = "public.ecr.aws";

static FIELDS: &[Field] = &[
    selection::REPOSITORY.placeholder("team/*").help(
        "The account's own repositories at public.ecr.aws, named without the alias of the registry. Leave blank for \
        all. Use * as a wildcard and commas between patterns.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    aws::STS.help("Assume a role in the account that has the public registry."),
    aws::ROLE
        .placeholder("arn:aws:iam::123456789012:role/registry-reader")
        .help("The whole ARN of the role. It wins over a role of the credential."),
    aws::EXTERNAL_ID,
    aws::SESSION_MINUTES,
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
    selection::VERSION_PATTERN,
];

fn suits(settings: &Values, kind: &str, credential: &Values) -> Result<(), Errors> {
    aws::suits(settings, kind, credential)?;
    let role = RoleArn::parse(settings.get("role")).ok().filter(|_| settings.get("sts") == "on");
    match role {
        Some(role) if role.partition() != "aws" => {
            Err(Errors::one("role", "China, GovCloud and the European Sovereign Cloud have no public registry."))
        }
        _ => Ok(()),
    }
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistrypublic.html>
fn grants(settings: &Values, name: &str) -> Grants {
    let policy = document(&[Statement::allow(&ecr_public::RIGHTS, &["*"])]);
    place(&Region::first_of("aws")).grants(settings, name, "may read the public registry", policy)
}

fn place(region: &Region) -> Place<'_> {
    Place { region, account: None }
}

struct PublicRegistry {
    calls: SignedCalls,
    /// `public.ecr.aws/alias`; `None` where that was not told.
    name: Option<String>,
    platforms: Platforms,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let session = place(&Region::first_of("aws")).sign_in(cx).await?;
        let report = cx.report.clone();
        let calls = SignedCalls::new(session, cx.outside.egress)?;
        let calls = calls.told_to(Box::new(move |until| report.pause(until)));
        let opening = async {
            let name = ecr_public::registry(&calls).await?;
            Ok((name, ecr_public::token(&calls).await?))
        };
        let (name, platforms) = match opening.await {
            Ok((name, token)) => (name, data_plane(cx, &calls, token)?),
            // Names of the registry and platforms are missing then, and no more.
            Err(cause @ ProviderError::Aws(Refusal::Denied { .. } | Refusal::DeniedByOrganization { .. })) => {
                (None, Platforms::new(Err(cause)))
            }
            Err(cause) => return Err(cause),
        };
        opened(PublicRegistry { calls, name, platforms })
    })
}

/// The v2 interface; none where the operator has moved the API and not said where the registry is.
fn data_plane(cx: &Context<'_>, calls: &SignedCalls, token: SecretString) -> Result<Platforms, ProviderError> {
    let endpoints = calls.session().endpoints();
    let address = match endpoints.public_registry() {
        Some(address) => address.to_owned(),
        None if endpoints.moves_ecr_public() => return Ok(Platforms::new(Ok(None))),
        None => format!("https://{HOST}"),
    };
    let address = Url::parse(&address).map_err(|_| ProviderError::InvalidAddress)?;
    Ok(Platforms::new(Ok(Some(reach(cx, Tls::default(), &address, Login::Token(token))?))))
}

impl PublicRegistry {
    fn named(&self, repository: &str) -> Option<String> {
        Some(format!("{}/{repository}", self.name.as_ref()?))
    }
}

impl Catalogue for PublicRegistry {
    async fn repositories(&self, _names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        ecr_public::repositories(&self.calls, pages).await
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        Ok(ecr_public::tags(&self.calls, repository, pages).await?.map(|tag| {
            let details = Details { digest: tag.digest, size_bytes: tag.size_bytes, platforms: Vec::new() };
            Tag { name: tag.name, pushed_at: tag.pushed_at, details }
        }))
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        match self.named(repository).as_deref().and_then(|name| name.split_once('/')) {
            Some((_, path)) => self.platforms.add(path, tag).await,
            None => self.platforms.add(repository, tag).await,
        }
    }

    fn pulled_from(&self, repository: &str) -> Option<String> {
        self.named(repository)
    }
}
