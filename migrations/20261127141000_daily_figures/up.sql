-- The figures of the dashboard, one row a day: what their lines are drawn from.
CREATE TABLE daily_figures (
    day date PRIMARY KEY,
    credentials bigint NOT NULL,
    stale bigint NOT NULL,
    failing bigint NOT NULL,
    expiring bigint NOT NULL,
    not_covered bigint NOT NULL
);
