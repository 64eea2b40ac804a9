-- The audit page without automatic use: however many uses stand between two other events, it reads the others alone.
CREATE INDEX events_without_uses ON events (at DESC, lane, seq)
    WHERE NOT (action = 'credential.opened' AND actor = 'Strongroom');
