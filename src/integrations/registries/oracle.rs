//! Oracle Cloud Infrastructure Registry: the Artifacts API lists repositories and images with their dates; platforms, and
//! the names of all tags, come from the v2 interface, which takes a token that the same key gets.
//! <https://docs.oracle.com/en-us/iaas/Content/Registry/home.htm>

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, stream};

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::places;
use super::platforms::Platforms;
use super::reach::reach;
use super::selection::{self, Names, Selection};
use super::{Images, check};
use crate::credentials;
use crate::credentials::oci::{self as credential, Payload};
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::cover::{self, Cover};
use crate::integrations::spec::{Does, Grants, Host, Spec, Use, suits_all};
use crate::providers::ProviderError;
use crate::providers::egress::Tls;
use crate::providers::oci::artifacts::{self, Image, Repository, Whole};
use crate::providers::oci::calls::Calls;
use crate::providers::oci_registry::{AT_ONCE, Lenient, Login, Registry, is_digest, is_repository, is_tag};

pub static ORACLE: Spec = Spec {
    slug: "oracle",
    label: "Oracle Cloud Infrastructure Registry",
    fields: FIELDS,
    uses: &[Use::main(&["oci"])],
    host: Host::Vendor(|settings| Some(format!("artifacts.{}.oci", settings.get("region")))),
    suits: suits_all,
    grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    Field::text("region", "Region")
        .placeholder("eu-frankfurt-1")
        .help("The identifier of a region that the tenancy subscribes to.")
        .max(64)
        .check(credential::region),
    Field::text("compartment", "Compartment")
        .optional()
        .placeholder("ocid1.compartment.oc1..")
        .help(
            "The OCID of one compartment; those inside of it are not read. Leave blank for the whole tenancy, as \
             far as the user may see it. The user's group needs: read repos.",
        )
        .max(255)
        .check(|value| credential::ocid("compartment", value))
        .summary(|value| Some(if value.is_empty() { "The whole tenancy" } else { value }.to_owned())),
    selection::REPOSITORY.placeholder("team/*").help(
        "Without the tenancy's namespace. Leave blank for all. Use * as a wildcard and commas between \
        patterns.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
    selection::VERSION_PATTERN,
];

/// Images of a repository that are read one by one, the newest first, where their list does not tell all tags.
const MOST_READ: usize = 300;

/// <https://docs.oracle.com/en-us/iaas/Content/Identity/Reference/registrypolicyreference.htm>
fn grants(settings: &Values, _name: &str) -> Grants {
    let within = match settings.get("compartment") {
        "" => "tenancy".to_owned(),
        compartment => format!("compartment id {compartment}"),
    };
    let statement = format!("Allow group strongroom to {} in {within}", artifacts::READ);
    let caption = "Policy of the user's group: may read the registry".to_owned();
    Grants { role: None, policies: vec![(caption, statement)] }
}

struct OracleRegistry<'a> {
    calls: Calls<'a>,
    compartment: Option<String>,
    platforms: Platforms,
    /// `eu-frankfurt-1.ocir.io`
    host: Option<String>,
    /// Those that were listed, by name.
    known: Mutex<HashMap<String, Repository>>,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let secret = cx.main().ok_or(ProviderError::WrongCredential)?;
        let payload: Payload = credentials::payload(secret.values).ok_or(ProviderError::WrongCredential)?;
        let region = cx.settings.get("region");
        let host = artifacts::registry_host(&payload.tenancy_ocid, region);
        let report = cx.report.clone();
        let calls = Calls::new(payload, region, cx.outside.egress, cx.outside.endpoints)?;
        let calls = calls.told_to(Box::new(move |until| report.pause(until)));
        let compartment = Some(cx.settings.get("compartment")).filter(|ocid| !ocid.is_empty()).map(str::to_owned);
        // Shows that the key is good before anything else is asked.
        artifacts::repositories(&calls, compartment.as_deref(), None, Pages::First).await?;
        let data = match data_plane(cx, &calls).await {
            Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
            data => data.map(Some),
        };
        let (platforms, known) = (Platforms::new(data), Mutex::default());
        opened(OracleRegistry { calls, compartment, platforms, host, known })
    })
}

async fn data_plane(cx: &Context<'_>, calls: &Calls<'_>) -> Result<Registry, ProviderError> {
    let login = Login::Basic { username: "BEARER_TOKEN".to_owned(), password: artifacts::token(calls).await? };
    let address = artifacts::registry(calls, "/").ok_or(ProviderError::InvalidAddress)?;
    let registry = reach(cx, Tls::default(), &address, login)?;
    registry.sign_in().await?;
    Ok(registry)
}

impl OracleRegistry<'_> {
    /// The repositories of a list, which are remembered.
    async fn listed(&self, name: Option<&str>, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (found, rest) = artifacts::repositories(&self.calls, self.compartment.as_deref(), name, pages).await?;
        let names = found.iter().map(|repository| repository.display_name.clone()).collect();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(found.into_iter().map(|repository| (repository.display_name.clone(), repository)));
        Ok(places::repositories(names, rest))
    }

    fn known(&self, name: &str) -> Option<Repository> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    async fn repository(&self, name: &str) -> Result<Repository, ProviderError> {
        if self.known(name).is_none() {
            self.listed(Some(name), Pages::All).await?;
        }
        self.known(name).ok_or(ProviderError::NotFound)
    }

    /// The names of all tags, as far as the v2 interface can be asked.
    async fn names(&self, repository: &Repository, pages: Pages) -> Option<HashSet<String>> {
        let found = self.platforms.registry()?.tags(&path(repository), pages).await.ok()?;
        found.rest.is_none().then(|| found.good.into_iter().collect())
    }

    /// Adds the tags that only the images themselves tell: until those that are missing are found, else as many as are
    /// read at most.
    async fn complete(
        &self,
        images: &[Image],
        mut missing: Option<HashSet<String>>,
        tags: &mut BTreeMap<String, Tag>,
    ) -> Result<(), ProviderError> {
        let newest: Vec<&Image> = images.iter().take(MOST_READ).collect();
        for part in newest.chunks(AT_ONCE) {
            if missing.as_ref().is_some_and(HashSet::is_empty) {
                return Ok(());
            }
            let read = |image: &&Image| {
                let id = image.id.clone();
                async move { artifacts::image(&self.calls, &id).await }
            };
            let wholes: Vec<_> = stream::iter(part.iter().map(read)).buffered(AT_ONCE).collect().await;
            for whole in wholes {
                for tag in tags_of(whole?) {
                    missing.as_mut().map(|missing| missing.remove(&tag.name));
                    tags.insert(tag.name.clone(), tag);
                }
            }
        }
        for name in missing.into_iter().flatten() {
            tags.entry(name.clone()).or_insert_with(|| Tag::named(name));
        }
        Ok(())
    }
}

/// As the v2 interface names a repository.
fn path(repository: &Repository) -> String {
    format!("{}/{}", repository.namespace, repository.display_name)
}

fn tags_of(whole: Whole) -> Vec<Tag> {
    let Whole { digest, layers_size_in_bytes, versions } = whole;
    let details = Details { digest, size_bytes: layers_size_in_bytes.unwrap_or(0), platforms: Vec::new() };
    let versions = versions.unwrap_or_default().into_iter().filter_map(|entry| match entry {
        Lenient::Read(version) => Some(version),
        Lenient::Odd(_) => None,
    });
    let tag = |version: artifacts::Version| Tag {
        name: version.version,
        pushed_at: version.time_created,
        details: details.clone(),
    };
    versions.map(tag).filter(|tag| is_digest(&tag.details.digest)).collect()
}

impl Catalogue for OracleRegistry<'_> {
    async fn repositories(&self, _names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        self.listed(None, pages).await
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let repository = self.repository(repository).await?;
        let (images, mut rest) = artifacts::images(&self.calls, &repository, pages).await?;
        let mut tags: BTreeMap<String, Tag> = BTreeMap::new();
        for image in images.iter().filter(|image| is_digest(&image.digest)) {
            let details = Details { digest: image.digest.clone(), ..Details::default() };
            let tag = |name: &String| Tag { name: name.clone(), pushed_at: image.time_created, details };
            // The newest comes first.
            image.version.as_ref().map(|name| tags.entry(name.clone()).or_insert_with(|| tag(name)));
        }
        if pages == Pages::All {
            let names = self.names(&repository, pages).await;
            let missing = names.map(|names| names.into_iter().filter(|name| !tags.contains_key(name)).collect());
            match self.complete(&images, missing, &mut tags).await {
                Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
                completed => rest = rest.or(completed.err()),
            }
        }
        Ok(Listing::sorted_out((tags.into_values().collect(), rest), |tag: &Tag| &tag.name, is_tag))
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        let repository = self.known(repository).ok_or(ProviderError::NotFound)?;
        // The API counts layers alone, the manifest what is pulled.
        let unsized_details = Details { size_bytes: 0, ..tag.details.clone() };
        let mut found =
            self.platforms.add(&path(&repository), &Tag { details: unsized_details, ..tag.clone() }).await?;
        if found.details.size_bytes == 0 {
            found.details.size_bytes = tag.details.size_bytes;
        }
        Ok(found)
    }

    /// Each compartment that has repositories, and the one that was asked for.
    fn covers(&self, _registry: &str, selection: &Selection) -> Vec<Cover> {
        let Some(host) = &self.host else { return Vec::new() };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut compartments: Vec<&str> = known.values().map(|one| one.compartment_id.as_str()).collect();
        compartments.push(self.compartment.as_deref().unwrap_or(self.calls.tenancy()));
        compartments.sort_unstable();
        compartments.dedup();
        let scopes = compartments.into_iter().filter_map(|one| cover::registry(host, one));
        scopes.map(|scope| Cover::read(scope, selection.takes_all())).collect()
    }

    fn pulled_from(&self, repository: &str) -> Option<String> {
        let path = path(&self.known(repository)?);
        Some(format!("{}/{path}", self.host.as_ref()?)).filter(|_| is_repository(&path))
    }
}
