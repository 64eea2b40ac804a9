//! The access tokens of a GitLab server: the form, and how a scan signs in. How they are read is in [`read`].
//! <https://docs.gitlab.com/api/personal_access_tokens/> <https://docs.gitlab.com/api/project_access_tokens/>
//! <https://docs.gitlab.com/api/group_access_tokens/>

use futures_util::future::BoxFuture;

use crate::form::{Errors, Field, Values};
use crate::integrations::context::Context;
use crate::integrations::family::Family;
use crate::integrations::patterns::{all_if_blank, check_patterns};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Scan};
use crate::integrations::spec::{Does, Grants, Host, Scanner, Spec, Use};
use crate::providers::ProviderError;

mod check;
mod places;
mod plan;
mod read;
mod token;
mod visit;

use plan::Plan;

pub static GITLAB_TOKENS: Spec = Spec {
    slug: "gitlab_tokens",
    label: "GitLab",
    fields: FIELDS,
    uses: &[Use::main(&["gitlab_token"])],
    host: Host::OfCredential,
    suits,
    grants,
    check: Some(|cx| Box::pin(async { Ok(Some(check::check(cx).await?)) })),
    does: Does::Scan(&Tokens),
};

static FIELDS: &[Field] = &[
    Field::checkbox("personal", "Personal access tokens")
        .default("on")
        .help("Those of the credential's user; of all users, where that one is an administrator of the server."),
    Field::checkbox("places", "Access tokens of groups and projects")
        .default("on")
        .help("Of those that the credential's user is a member of. It lists them as Owner or Maintainer only."),
    Field::text("names", "Groups and projects")
        .optional()
        .placeholder("team/*")
        .help(
            "Whose access tokens are listed. Leave blank for all; * is a wildcard, and commas stand between patterns.",
        )
        .max(4096)
        .check(check_patterns)
        .summary(all_if_blank)
        .advanced(),
    Field::text("exclude", "Groups and projects to exclude").optional().max(4096).check(check_patterns).advanced(),
];

fn suits(settings: &Values, _kind: &str, _credential: &Values) -> Result<(), Errors> {
    let plan = Plan::of(settings);
    if plan.personal || plan.places {
        return Ok(());
    }
    Err(Errors::one("personal", "Choose whose tokens the scan looks for."))
}

/// GitLab grants by scope and role; there is no policy to paste.
fn grants(settings: &Values, name: &str) -> Grants {
    let plan = Plan::of(settings);
    let mut lines = vec!["Scope of the token: read_api"];
    if plan.places {
        lines.push("Role in each project: Maintainer or Owner");
        lines.push("Role in each group: Owner");
    }
    if plan.personal {
        lines.push("For the tokens of all users: an administrator's token; else its own user's are listed");
    }
    let caption = format!("Access token for “{name}”: may list access tokens");
    Grants { role: None, policies: vec![(caption, lines.join("\n"))] }
}

struct Tokens;

impl Scanner for Tokens {
    fn family(&self) -> Family {
        Family::CloudScan
    }

    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, Gap>> {
        Box::pin(async {
            let stopped = || Err(visit::failed(Step::SIGNING_IN, "", ProviderError::Stopped));
            cx.stop.run_until_cancelled(read::read(cx)).await.unwrap_or_else(stopped)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_that_looks_for_nobodys_tokens_cannot_be_saved() {
        let suits = |on: &[(&str, &str)]| suits(&on.iter().copied().collect(), "gitlab_token", &Values::default());
        assert!(suits(&[]).is_err());
        assert!(suits(&[("personal", "on")]).is_ok() && suits(&[("places", "on")]).is_ok());
    }

    #[test]
    fn the_rights_are_those_of_what_the_scan_looks_for() {
        let text = |field| grants(&[(field, "on")].into_iter().collect(), "x").policies.remove(0).1;
        assert!(text("personal").contains("administrator") && !text("personal").contains("Maintainer"));
        assert!(text("places").contains("Maintainer") && text("places").contains("read_api"));
    }
}
