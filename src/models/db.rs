//! The bridge between async code and blocking connections: the pool, its limits, and transactions that tell the truth
//! about how they ended. Queries do not belong here.
//!
//! A transaction that is still at work when its deadline passes is abandoned and will not commit. One that has begun
//! to commit is waited for a little longer, and if it stays silent its outcome is unknown, which is what the page says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::r2d2::Pool;
use diesel::result::{DatabaseErrorKind, Error};
use tokio::sync::Semaphore;

use super::manager::{Log, Manager};
use super::noted::{self, Reading};
use super::{Conn, DbError, Route};

/// Longest a request waits for the database before it is told to come back: with all around it, within five seconds.
const DEADLINE: Duration = Duration::from_millis(4_500);
/// Longest that a commit which has begun is waited for after the deadline.
const COMMIT_GRACE: Duration = Duration::from_secs(5);
/// For jobs whose one statement walks over a whole table.
const PATIENT: Duration = Duration::from_secs(300);
/// One round trip, also for the search path of [`super::SESSION`].
const BEGIN: &str = "BEGIN; SET LOCAL search_path = public, pg_temp";
/// The same where a pooler is between: with all that a direct connection of the pool is set to, in one round trip.
const BEGIN_POOLED: &str = "BEGIN; SET LOCAL search_path = public, pg_temp; SET LOCAL statement_timeout = '5s';
    SET LOCAL lock_timeout = '2s'; SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL timezone = 'UTC';
    SELECT set_config('lc_messages', 'C', true) WHERE has_parameter_privilege('lc_messages', 'SET')";
/// How often a transaction is run before its deadlock or serialisation failure is reported.
const TRIES: u32 = 4;
/// The shortest times after which the server reports a deadlock (by default), and a lock that took too long.
const DEADLOCK_AFTER: Duration = Duration::from_secs(1);
const TIMEOUT_AFTER: Duration = Duration::from_secs(2);

/// The connection pool and the way to it from async code.
#[derive(Clone)]
pub struct Db {
    pool: Pool<Manager>,
    /// As many blocking threads as connections plus a short queue: a frozen database must not pile up threads.
    threads: Arc<Semaphore>,
    route: Route,
}

impl Db {
    /// A pool of up to `size` connections; opens them as they are needed, so it succeeds while the server is down.
    pub fn new(url: &str, size: u32, route: Route) -> Self {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(true)
            .connection_timeout(Duration::from_secs(2))
            .error_handler(Box::new(Log))
            .build_unchecked(Manager::new(url, route));
        Self { pool, threads: Arc::new(Semaphore::new(size as usize * 2)), route }
    }

    /// Reads with a connection on a blocking thread; behind a pooler, in a transaction. What writes is a [`Db::transaction`]: a statement that is
    /// abandoned here may still take effect. Never call a provider inside: the connection is held.
    pub async fn run<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let pooled = self.route == Route::Pooled;
        let work = move |conn: &mut Conn| if pooled { read_by(BEGIN_POOLED, conn, f) } else { f(conn) };
        let reading = tokio::time::timeout(DEADLINE, self.blocking(work));
        reading.await.unwrap_or_else(|_| Err(DbError::Unavailable.into()))
    }

    /// One transaction, run again up to three times when Postgres asks for it. [`DbError::Unavailable`] means that
    /// nothing was changed; [`DbError::OutcomeUnknown`] that something may have been.
    pub async fn transaction<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<Error> + AsDb + Send + 'static,
    {
        self.within(DEADLINE, f).await
    }

    /// Like [`Db::transaction`], for a job that may take minutes. Never for a request.
    pub async fn patiently<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<Error> + AsDb + Send + 'static,
    {
        self.within(PATIENT, f).await
    }

    async fn within<T, E, F>(&self, deadline: Duration, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<Error> + AsDb + Send + 'static,
    {
        let fate = Arc::new(Fate::default());
        let shared = Arc::clone(&fate);
        let begin = if self.route == Route::Pooled { BEGIN_POOLED } else { BEGIN };
        let mut work = Box::pin(self.blocking(move |connection| transact(begin, connection, &shared, &f)));
        if let Ok(result) = tokio::time::timeout(deadline, &mut work).await {
            return result;
        }
        if fate.abandon() {
            return Err(DbError::Unavailable.into());
        }
        tokio::time::timeout(COMMIT_GRACE, work).await.unwrap_or_else(|_| Err(DbError::OutcomeUnknown.into()))
    }

    async fn blocking<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let permit = self.threads.clone().acquire_owned().await.map_err(|_| DbError::Unavailable)?;
        let pool = self.pool.clone();
        #[expect(clippy::disallowed_methods, reason = "this is the one bridge to blocking code")]
        let handle = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut connection = pool.get().map_err(|_| DbError::Unavailable)?;
            let _reading = Reading::begin();
            f(&mut connection)
        });
        handle.await.unwrap_or_else(|_| Err(DbError::Other.into()))
    }
}

/// Who decides how a transaction ends. It commits only if it gets to [`Fate::commit`] before its deadline abandons it.
#[derive(Debug, Default)]
struct Fate(AtomicU8);

impl Fate {
    const RUNNING: u8 = 0;
    const COMMITTING: u8 = 1;
    const ABANDONED: u8 = 2;
    /// Committing, and its deadline has passed: it is not run again.
    const LATE: u8 = 3;

    fn moves(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Just before COMMIT; `false` when it was abandoned.
    fn commit(&self) -> bool {
        self.moves(Self::RUNNING, Self::COMMITTING)
    }

    /// At the deadline; `false` when the commit has begun.
    fn abandon(&self) -> bool {
        loop {
            if self.moves(Self::RUNNING, Self::ABANDONED) {
                return true;
            }
            // Neither holds only while the other thread is between the two.
            if self.moves(Self::COMMITTING, Self::LATE) {
                return false;
            }
        }
    }

    /// After a commit that the server refused; `false` when there is no time for another try.
    fn run_again(&self) -> bool {
        self.0.load(Ordering::SeqCst) == Self::RUNNING || self.moves(Self::COMMITTING, Self::RUNNING)
    }

    fn is_abandoned(&self) -> bool {
        self.0.load(Ordering::SeqCst) == Self::ABANDONED
    }
}

/// Lets [`transaction`] see whether an error of the caller's own type asks for another try.
pub trait AsDb {
    fn as_db(&self) -> Option<&DbError>;
}

impl AsDb for DbError {
    fn as_db(&self) -> Option<&DbError> {
        Some(self)
    }
}

/// One transaction on a connection at hand, run again after serialisation failures and deadlocks.
pub fn transaction<T, E>(connection: &mut Conn, f: &dyn Fn(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<DbError> + From<Error> + AsDb,
{
    transact(BEGIN, connection, &Fate::default(), f)
}

/// Reads on a connection at hand, in a transaction for the sake of its search path.
pub fn read<T, E>(connection: &mut Conn, f: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<DbError>,
{
    read_by(BEGIN, connection, f)
}

fn read_by<T, E>(begin: &str, connection: &mut Conn, f: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<DbError>,
{
    let reading = Reading::begin();
    match AnsiTransactionManager::begin_transaction_sql(connection, begin) {
        Ok(()) => {}
        // The caller's own, which has the search path.
        Err(Error::AlreadyInTransaction) => {
            drop(reading);
            return f(connection);
        }
        Err(error) => return Err(DbError::from(error).into()),
    }
    let result = f(connection);
    let ended = match result {
        // After a statement that failed and was made up for, the server rolls back, and the values read are good.
        Ok(_) => AnsiTransactionManager::commit_transaction(connection),
        Err(_) => AnsiTransactionManager::rollback_transaction(connection),
    };
    match result {
        Ok(value) => ended.map(|()| value).map_err(|error| DbError::from(error).into()),
        Err(error) => Err(error),
    }
}

fn transact<T, E>(
    begin: &str,
    connection: &mut Conn,
    fate: &Fate,
    f: &dyn Fn(&mut Conn) -> Result<T, E>,
) -> Result<T, E>
where
    E: From<DbError> + From<Error> + AsDb,
{
    let mut tries = 1;
    loop {
        let started = Instant::now();
        let error = match attempt(begin, connection, fate, f) {
            Err(error) if error.as_db() == Some(&DbError::Other) => unexplained(error, started.elapsed()),
            Err(error) => error,
            result => return result,
        };
        let again = error.as_db() == Some(&DbError::TryAgain) && tries < TRIES && fate.run_again();
        if !again {
            return Err(error);
        }
        tries += 1;
    }
}

fn attempt<T, E>(begin: &str, connection: &mut Conn, fate: &Fate, f: &dyn Fn(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<DbError> + From<Error>,
{
    if fate.is_abandoned() {
        return Err(DbError::Unavailable.into());
    }
    noted::forget();
    let _reading = Reading::begin();
    AnsiTransactionManager::begin_transaction_sql(connection, begin)?;
    let result = match f(connection) {
        Ok(_) if !fate.commit() => Err(DbError::Unavailable.into()),
        result => result,
    };
    match result {
        Ok(value) => {
            AnsiTransactionManager::commit_transaction(connection).map_err(refused_commit)?;
            noted::keep();
            Ok(value)
        }
        Err(error) => match AnsiTransactionManager::rollback_transaction(connection) {
            // The connection is gone, and with it the transaction. The first error says why.
            Ok(()) | Err(Error::BrokenTransactionManager) => Err(error),
            Err(rollback) => Err(rollback.into()),
        },
    }
}

/// An error in answer to COMMIT means that nothing was saved. No answer means nothing.
fn refused_commit(error: Error) -> DbError {
    use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
    match error {
        Error::DatabaseError(ClosedConnection | UnableToSendCommand, _)
        | Error::RollbackErrorOnCommit { .. }
        | Error::BrokenTransactionManager => DbError::OutcomeUnknown,
        error => error.into(),
    }
}

/// An error that [`super::server_messages`] does not know: after so long it is a time-out or a deadlock.
fn unexplained<E: From<DbError>>(error: E, after: Duration) -> E {
    tracing::error!(milliseconds = after.as_millis(), "the database refused a statement in words that are not known");
    if after >= TIMEOUT_AFTER {
        DbError::Unavailable.into()
    } else if after >= DEADLOCK_AFTER {
        DbError::TryAgain.into()
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_abandoned_does_not_commit() {
        let fate = Fate::default();
        assert!(fate.abandon());
        assert!(fate.is_abandoned() && !fate.commit() && !fate.run_again());
    }

    #[test]
    fn what_commits_is_neither_abandoned_nor_run_again_when_it_is_late() {
        let fate = Fate::default();
        assert!(fate.commit() && !fate.abandon() && !fate.run_again());
        let fate = Fate::default();
        assert!(fate.commit() && fate.run_again() && fate.abandon());
    }
}
