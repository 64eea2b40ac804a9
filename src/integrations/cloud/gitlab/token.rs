//! An access token as GitLab lists it, and the item that becomes of it. Tokens of people, groups and projects share one
//! row of numbers.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Deserializer};

use super::visit::Visit;
use crate::credentials;
use crate::integrations::cloud::key::Facts;
use crate::integrations::gitlab::{Place, Sort, number};
use crate::integrations::scan::Item;
use crate::providers::calls::shown;
use crate::providers::gitlab;

#[derive(Deserialize)]
pub(super) struct Token {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    name: Option<String>,
    scopes: Option<Vec<String>>,
    #[serde(default, deserialize_with = "perhaps")]
    pub user_id: Option<u64>,
    created_at: Option<DateTime<Utc>>,
    /// `None`: this server does not tell.
    #[serde(default, deserialize_with = "told")]
    last_used_at: Option<Option<DateTime<Utc>>>,
    /// The token is good until midnight (UTC) of this day begins.
    expires_at: Option<NaiveDate>,
    active: Option<bool>,
    revoked: Option<bool>,
}

fn perhaps<'de, D: Deserializer<'de>>(member: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    struct Known(#[serde(deserialize_with = "number")] u64);
    Ok(Option::<Known>::deserialize(member)?.map(|Known(number)| number))
}

fn told<'de, D: Deserializer<'de>>(member: D) -> Result<Option<Option<DateTime<Utc>>>, D::Error> {
    Option::deserialize(member).map(Some)
}

/// Who has a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    User(String),
    Place { sort: Sort, id: u64, name: String },
}

impl Owner {
    pub fn of(place: &Place) -> Self {
        Self::Place { sort: place.sort, id: place.id, name: place.path.clone() }
    }

    /// A user by its name: those of groups and projects are users too, and their names say so: `project_45_bot_1a2b`.
    /// <https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects>
    pub fn named(username: &str) -> Self {
        let bot = |word, sort| {
            let (id, _) = username.strip_prefix(word)?.split_once("_bot")?;
            Some(Self::Place { sort, id: id.parse().ok()?, name: username.to_owned() })
        };
        let place = bot("project_", Sort::Project).or_else(|| bot("group_", Sort::Group));
        place.unwrap_or_else(|| Self::User(username.to_owned()))
    }

    fn name(&self) -> &str {
        match self {
            Self::User(name) | Self::Place { name, .. } => name,
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::User(_) => "Personal token",
            Self::Place { sort: Sort::Group, .. } => "Group token",
            Self::Place { sort: Sort::Project, .. } => "Project token",
        }
    }

    /// How the names of its items begin: `project/45`. It stays when the path changes.
    pub fn beginning(&self) -> String {
        match self {
            Self::User(_) => "personal".to_owned(),
            Self::Place { sort: Sort::Group, id, .. } => format!("group/{id}"),
            Self::Place { sort: Sort::Project, id, .. } => format!("project/{id}"),
        }
    }
}

/// The item of a token.
pub(super) fn item(visit: &Visit<'_>, owner: &Owner, token: Token) -> Item {
    let named = token.name.as_deref().and_then(shown).map(|name| format!(" “{name}”")).unwrap_or_default();
    let scopes = token.scopes.unwrap_or_default().join(", ");
    let scopes = shown(&scopes).map(|scopes| format!(" ({scopes})")).unwrap_or_default();
    let name = shown(owner.name()).unwrap_or_default();
    let facts = Facts {
        kind: credentials::gitlab_token::KIND.slug.to_owned(),
        arn: name.clone(),
        owner: name,
        active: token.active.unwrap_or(true) && !token.revoked.unwrap_or(false),
        made: token.created_at,
        used: token.last_used_at.flatten(),
        never: token.last_used_at == Some(None),
        expires: token.expires_at.map(|day| day.and_time(NaiveTime::MIN).and_utc()),
        label: format!("{}{named}{scopes}", owner.label()),
        held_as: i64::try_from(token.id).map(|id| gitlab::key_id(&visit.server, id)).unwrap_or_default(),
        ..Facts::default()
    };
    let name = format!("{}/{}", owner.beginning(), token.id);
    Item::new(visit.host.clone(), name, facts.state().to_owned(), &facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_of_groups_and_projects_are_known_by_their_names() {
        let beginning = |username| Owner::named(username).beginning();
        assert_eq!(beginning("project_45_bot_1a2b"), "project/45");
        assert_eq!(beginning("group_7_bot"), "group/7");
        for person in ["ada", "project_x_bot", "project_manager", "group_7"] {
            assert_eq!(beginning(person), "personal", "{person}");
        }
    }

    #[test]
    fn a_token_is_read_with_numbers_as_texts_and_without_what_a_server_does_not_tell() {
        let read = |json| serde_json::from_value::<Token>(json);
        let token = read(serde_json::json!({"id": "9007199254740993", "user_id": "3", "scopes": null})).unwrap();
        assert_eq!((token.id, token.user_id), (9_007_199_254_740_993, Some(3)));
        assert_eq!(token.last_used_at, None, "nobody says that it was never used");
        assert_eq!(read(serde_json::json!({"id": 1, "last_used_at": null})).unwrap().last_used_at, Some(None));
        for bad in [serde_json::json!({"id": null}), serde_json::json!({"id": 1, "created_at": "then"})] {
            assert!(read(bad).is_err());
        }
    }
}
