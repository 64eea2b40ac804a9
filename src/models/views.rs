//! Saved views: filters, search and order of a list under a name, of one person or shared with everybody. A view decides
//! nothing; what it holds is checked when it is saved and when it is opened. The audit trail tells of the shared ones.

use std::collections::BTreeMap;

use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::schema::views;
use super::text_enum::text_enum;
use super::{Conn, DbError, UserId, ViewId};
use crate::names;
use crate::vault::Vault;

/// Most views of a list, of a person as well as shared ones.
pub const MOST: i64 = 50;
/// What [`DbError::Check`] names where another would be one too many.
pub const FULL: &str = "views_few";

text_enum! {
    /// What has views.
    pub enum List {
        Credentials => "credentials",
        Integrations => "integrations",
        Alerts => "alerts",
    }
}

impl List {
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|list| list.word() == word)
    }
}

/// A saved view.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = views)]
pub struct View {
    pub id: ViewId,
    pub list: List,
    pub name: String,
    /// Whose own it is; nobody's where it is shared.
    pub user_id: Option<UserId>,
    pub made_by: Uuid,
    /// Their name at the time.
    pub maker: String,
    query: serde_json::Value,
}

impl View {
    pub fn is_shared(&self) -> bool {
        self.user_id.is_none()
    }

    /// Names and values of the address; nothing of what is no text.
    pub fn query(&self) -> BTreeMap<String, String> {
        serde_json::from_value(self.query.clone()).unwrap_or_default()
    }

    fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        NewEvent { action, subject_kind: "view", subject_id: Some(self.id.0), subject_name: &self.name, detail }
    }
}

/// What is saved.
#[derive(Clone, Debug)]
pub struct NewView {
    pub list: List,
    pub name: String,
    pub shared: bool,
    pub query: BTreeMap<String, String>,
}

/// The shared views and the person's own, of a list or of all, by name.
pub fn of(conn: &mut Conn, user: UserId, list: Option<List>) -> Result<Vec<View>, DbError> {
    let mut rows = views::table.filter(views::user_id.is_null().or(views::user_id.eq(user))).into_boxed();
    if let Some(list) = list {
        rows = rows.filter(views::list.eq(list));
    }
    Ok(rows.order((views::name_key, views::id)).select(View::as_select()).load(conn)?)
}

/// One that the person may see.
pub fn find(conn: &mut Conn, user: UserId, id: ViewId) -> Result<View, DbError> {
    let visible = views::user_id.is_null().or(views::user_id.eq(user));
    Ok(views::table.find(id).filter(visible).select(View::as_select()).first(conn)?)
}

/// Saves a view. Call inside a transaction, as the others here.
pub fn create(conn: &mut Conn, vault: &Vault, actor: &Actor, user: UserId, new: &NewView) -> Result<ViewId, DbError> {
    let (id, owner) = (ViewId::fresh(), Some(user).filter(|_| !new.shared));
    let others = views::table.filter(views::list.eq(new.list).and(views::user_id.is_not_distinct_from(owner)));
    if others.count().get_result::<i64>(conn)? >= MOST {
        return Err(DbError::Check(FULL.to_owned()));
    }
    let query = serde_json::to_value(&new.query).unwrap_or_default();
    let row = (
        views::id.eq(id),
        views::list.eq(new.list),
        views::name.eq(&new.name),
        views::name_key.eq(names::key(&new.name)),
        views::user_id.eq(owner),
        views::made_by.eq(user.0),
        views::maker.eq(&actor.name),
        views::query.eq(query),
    );
    let view: View = diesel::insert_into(views::table).values(row).returning(View::as_returning()).get_result(conn)?;
    if new.shared {
        events::record(conn, vault, actor, &view.event(Action::ViewShared, new.list.word().to_owned()))?;
    }
    Ok(id)
}

/// Gives it another name.
pub fn rename(conn: &mut Conn, vault: &Vault, actor: &Actor, view: &View, name: &str) -> Result<(), DbError> {
    let renamed: View = diesel::update(views::table.find(view.id))
        .set((views::name.eq(name), views::name_key.eq(names::key(name))))
        .returning(View::as_returning())
        .get_result(conn)?;
    if view.is_shared() && renamed.name != view.name {
        let event = renamed.event(Action::ViewRenamed, format!("renamed from {}", view.name));
        events::record(conn, vault, actor, &event)?;
    }
    Ok(())
}

pub fn delete(conn: &mut Conn, vault: &Vault, actor: &Actor, view: &View) -> Result<(), DbError> {
    diesel::delete(views::table.find(view.id)).execute(conn)?;
    if view.is_shared() {
        events::record(conn, vault, actor, &view.event(Action::ViewRemoved, view.list.word().to_owned()))?;
    }
    Ok(())
}

/// Removes what a user kept for themselves; what they shared stays.
pub fn remove_all_of(conn: &mut Conn, user: UserId) -> Result<usize, DbError> {
    Ok(diesel::delete(views::table.filter(views::user_id.eq(user))).execute(conn)?)
}
