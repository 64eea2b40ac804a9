//! Ids as types of their own, so that one is not taken for another. A further id is a further line of `id`.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An id that Diesel maps to a `uuid` column, and serde to the text of a UUID. Where ids of several kinds stand in one
/// place (the subject of an event, a row of a signed table), the bare UUID stands there with its kind beside it.
macro_rules! id {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(Serialize, Deserialize, AsExpression, FromSqlRow)]
        #[serde(transparent)]
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// An id that no row has. Ids that are made later are greater, by the millisecond.
            pub fn fresh() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl ToSql<diesel::sql_types::Uuid, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                ToSql::<diesel::sql_types::Uuid, Pg>::to_sql(&self.0, out)
            }
        }

        impl FromSql<diesel::sql_types::Uuid, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                Uuid::from_sql(bytes).map(Self)
            }
        }
    };
}

id! {
    /// A process among those that run on one store.
    ReplicaId
}

id! {
    /// A stored credential.
    CredentialId
}

id! {
    /// A scan or an alert channel.
    IntegrationId
}

id! {
    /// Who logs in.
    UserId
}

id! {
    /// One run of a scan.
    RunId
}

id! {
    /// What is wrong with one subject, from its first warning to its end.
    AlertId
}

id! {
    /// A message to one channel, or to one person through it.
    DeliveryId
}

id! {
    /// A person who gets mail.
    RecipientId
}

id! {
    /// An address that a registry calls.
    HookId
}

id! {
    /// A login, from its first page to its end.
    SessionId
}

id! {
    /// A token by which a user's program uses the API.
    ApiTokenId
}

id! {
    /// A mail to a user about their own account.
    LetterId
}

id! {
    /// A row of an inventory.
    ItemId
}

id! {
    /// A snooze of old keys of the cloud.
    SnoozeId
}

id! {
    /// An upgrade of many deployments.
    RolloutId
}

id! {
    /// A saved view of a list.
    ViewId
}

id! {
    /// A program that fetches credentials.
    ClientId
}

id! {
    /// A way in of a client.
    ClientLoginId
}

id! {
    /// Something that a client may fetch.
    ClientRuleId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_uuid_in_addresses_forms_and_json() {
        let (text, id) = ("01890a5d-ac96-774b-bcce-b302099a8057", CredentialId::fresh());
        assert_eq!(text.parse::<CredentialId>().unwrap().to_string(), text);
        assert_eq!(serde_json::to_value(id).unwrap(), id.to_string());
        assert_eq!(serde_json::from_value::<CredentialId>(id.to_string().into()).unwrap(), id);
        assert!("robot".parse::<CredentialId>().is_err());
    }
}
