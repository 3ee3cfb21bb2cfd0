"""The tables of the state database, and how those of an older version are brought up to date."""

from __future__ import annotations

import sqlite3

__all__ = ["APPLICATION_ID", "NEWEST_VERSION", "migrate"]

APPLICATION_ID = 0x41504550  # "APEP"
"""By which SQLite's `application_id` tells a database of this program."""

# Numbered migrations: the database's `user_version` says how many of them it has had.
_MIGRATIONS = (
    """
    CREATE TABLE run (
        seed INTEGER NOT NULL,
        output_name TEXT NOT NULL,                 -- without its directory
        base_count INTEGER NOT NULL DEFAULT 0,     -- conversations in the output that are not in `samples`
        base_end INTEGER NOT NULL DEFAULT 1,       -- byte offset behind the last of them
        base_position INTEGER NOT NULL DEFAULT 0,  -- samples up to here are among them
        synced_position INTEGER NOT NULL DEFAULT 0 -- samples up to here are known to be on the disk
    );
    CREATE TABLE prompt_sets (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, texts TEXT NOT NULL);
    CREATE TABLE timelines (
        id INTEGER PRIMARY KEY,
        conversations INTEGER NOT NULL DEFAULT 0,  -- finished ones
        closed INTEGER NOT NULL DEFAULT 0,
        last_question TEXT,
        last_answer TEXT
    );
    CREATE INDEX open_timelines ON timelines (id) WHERE NOT closed;
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY,
        timeline_id INTEGER NOT NULL REFERENCES timelines,
        prompt_set_id INTEGER NOT NULL REFERENCES prompt_sets,
        plan TEXT NOT NULL,
        provider TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'finished', 'set aside')),
        reason TEXT,
        started_at REAL NOT NULL,
        ended_at REAL
    );
    CREATE INDEX active_conversations ON conversations (id) WHERE status = 'active';
    CREATE INDEX conversations_set_aside ON conversations (id) WHERE status = 'set aside';
    CREATE TABLE steps (
        conversation_id INTEGER NOT NULL REFERENCES conversations,
        number INTEGER NOT NULL,                   -- from 1
        kind TEXT NOT NULL,                        -- ask, answer, continue, rewrite or tools
        text TEXT NOT NULL,                        -- the model's words, or the results as a JSON array
        finish_reason TEXT NOT NULL DEFAULT '',
        provider TEXT,
        model TEXT,
        prompt_tokens INTEGER,
        completion_tokens INTEGER,
        seconds REAL,
        at REAL NOT NULL,
        PRIMARY KEY (conversation_id, number)
    );
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY,
        timeline_id INTEGER NOT NULL,
        shelf TEXT NOT NULL CHECK (shelf IN ('memory', 'diary')),
        date TEXT NOT NULL,
        text TEXT NOT NULL,
        added_in INTEGER NOT NULL,                 -- conversation
        deleted_in INTEGER                         -- conversation, or null while the note is there
    );
    CREATE INDEX notes_of_timeline ON notes (timeline_id, shelf, id);
    CREATE INDEX notes_added_in ON notes (added_in);
    CREATE INDEX notes_deleted_in ON notes (deleted_in) WHERE deleted_in IS NOT NULL;
    CREATE TABLE samples (
        position INTEGER PRIMARY KEY,              -- in the order of finishing, from 1
        conversation_id INTEGER NOT NULL UNIQUE REFERENCES conversations,
        line TEXT NOT NULL,
        end INTEGER NOT NULL                       -- byte offset behind it in the output
    );
    """,
    """
    ALTER TABLE run ADD COLUMN target INTEGER;     -- of the last invocation
    CREATE TABLE reservations (                    -- requests under way, with the most that they can cost
        id INTEGER PRIMARY KEY,
        month TEXT NOT NULL,                       -- as 2026-01
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        role TEXT NOT NULL,                        -- as of a model's role
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL
    );
    CREATE TABLE spending (
        month TEXT NOT NULL,
        provider TEXT NOT NULL,
        model TEXT NOT NULL,
        role TEXT NOT NULL,
        requests INTEGER NOT NULL DEFAULT 0,       -- sent
        answers INTEGER NOT NULL DEFAULT 0,        -- that are used
        lost INTEGER NOT NULL DEFAULT 0,           -- under way at a crash, counted with the most that they can cost
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0,           -- that the used answers took, together
        PRIMARY KEY (month, provider, model, role)
    ) WITHOUT ROWID;
    CREATE TABLE failures (
        provider TEXT NOT NULL,
        kind TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (provider, kind)
    ) WITHOUT ROWID;
    INSERT INTO spending (month, provider, model, role, requests, answers, prompt_tokens, completion_tokens, seconds)
        SELECT strftime('%Y-%m', at, 'unixepoch', 'localtime'), provider, model,
            CASE kind WHEN 'ask' THEN 'tester' WHEN 'rewrite' THEN 'rewriter' ELSE 'ada' END,
            count(*), count(*), total(prompt_tokens), total(completion_tokens), total(seconds)
        FROM steps WHERE provider IS NOT NULL GROUP BY 1, 2, 3, 4;
    """,
    """
    ALTER TABLE timelines ADD COLUMN story TEXT;   -- who the user is and what Ada knows, as JSON
    ALTER TABLE timelines ADD COLUMN rejected_in_a_row INTEGER NOT NULL DEFAULT 0;
    UPDATE timelines SET closed = 1;               -- they have no user
    CREATE TABLE conversations_with_verdict (
        id INTEGER PRIMARY KEY,
        timeline_id INTEGER NOT NULL REFERENCES timelines,
        prompt_set_id INTEGER NOT NULL REFERENCES prompt_sets,
        plan TEXT NOT NULL,
        provider TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'finished', 'rejected', 'set aside')),
        stage TEXT,                                -- that rejected it
        reason TEXT,
        detail TEXT,
        started_at REAL NOT NULL,
        ended_at REAL
    );
    INSERT INTO conversations_with_verdict
        SELECT id, timeline_id, prompt_set_id, plan, provider, status, NULL, reason, NULL, started_at, ended_at
        FROM conversations;
    DROP TABLE conversations;
    ALTER TABLE conversations_with_verdict RENAME TO conversations;
    CREATE INDEX active_conversations ON conversations (id) WHERE status = 'active';
    CREATE INDEX conversations_set_aside ON conversations (id) WHERE status = 'set aside';
    CREATE TABLE verdicts (
        provider TEXT NOT NULL,
        ability TEXT NOT NULL,
        stage TEXT NOT NULL,                       -- empty for what was accepted
        reason TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (provider, ability, stage, reason)
    ) WITHOUT ROWID;
    CREATE TABLE near (                            -- which accepted texts may be nearly the same
        key INTEGER,                               -- one for each band of a text
        conversation_id INTEGER,
        PRIMARY KEY (key, conversation_id)
    ) WITHOUT ROWID;
    CREATE TABLE openings (
        part TEXT,                                 -- question, reply, first thought or later thought
        opening TEXT,                              -- its first words
        count INTEGER NOT NULL,                    -- accepted conversations that begin so
        PRIMARY KEY (part, opening)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE conversations ADD COLUMN quote TEXT;  -- the words that were its undoing
    ALTER TABLE conversations ADD COLUMN ability TEXT GENERATED ALWAYS AS (
        CASE WHEN typeof(plan) = 'text' AND json_valid(plan) THEN json_extract(plan, '$.scenario.ability') END
    ) VIRTUAL;
    CREATE INDEX ended_conversations ON conversations (prompt_set_id, ability, id) WHERE status != 'active';
    CREATE INDEX rejected_conversations ON conversations (stage, reason, ability, id) WHERE status = 'rejected';
    CREATE INDEX conversations_of_timeline ON conversations (timeline_id, id);
    CREATE TABLE rewrites (                        -- what became of rewritten thoughts
        provider TEXT NOT NULL,
        reason TEXT NOT NULL,                      -- why the original was kept, empty for those used
        count INTEGER NOT NULL,
        PRIMARY KEY (provider, reason)
    ) WITHOUT ROWID;
    CREATE TABLE phrases (                         -- of the thoughts of accepted conversations
        id INTEGER PRIMARY KEY CHECK (id = 1),
        counts BLOB NOT NULL                       -- as `quality.phrase_counts` keeps them
            CHECK (typeof(counts) = 'blob' AND length(counts) = 65536)
    );
    ALTER TABLE samples ADD COLUMN notes_before TEXT;  -- as JSON, of one that stands by itself, outside its timeline
    CREATE INDEX samples_by_themselves ON samples (position) WHERE notes_before IS NOT NULL;
    CREATE TABLE taken_out (                       -- left the output again, but not the memory of their timelines
        conversation_id INTEGER PRIMARY KEY REFERENCES conversations,
        line TEXT NOT NULL                         -- as it was in the output
    );
    ALTER TABLE run ADD COLUMN replacing TEXT;     -- how the output is to be written anew, as JSON, or null
    """,
    """
    ALTER TABLE run ADD COLUMN evaluation TEXT;    -- what an evaluation was begun with, as JSON, or null for a dataset
    """,
    """
    CREATE TABLE reviews (                         -- of conversations that the code had accepted
        provider TEXT NOT NULL,
        is_given INTEGER NOT NULL,                 -- 0 where the reviewer gave no answer of use
        count INTEGER NOT NULL,
        PRIMARY KEY (provider, is_given)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE person_batches (                  -- what people said, as it was applied at once
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,                        -- who said so
        source TEXT NOT NULL,                      -- the file that it came from, without its directory
        at REAL NOT NULL
    );
    CREATE TABLE person_verdicts (                 -- of a conversation the one of the latest batch counts
        batch INTEGER NOT NULL REFERENCES person_batches,
        digest TEXT NOT NULL,                      -- of the conversation, as this program spells it
        given TEXT NOT NULL,                       -- the digest that the file had, as of another layout
        conversation_id INTEGER,                   -- null where the run did not make it
        word TEXT NOT NULL CHECK (word IN ('good', 'bad', 'unsure')),
        tags TEXT NOT NULL,                        -- a JSON array
        note TEXT NOT NULL,
        said_at TEXT NOT NULL,                     -- as the file says
        PRIMARY KEY (batch, digest)
    ) WITHOUT ROWID;
    CREATE TABLE person_dependents (               -- what leaves the output with what it was built on
        batch INTEGER NOT NULL REFERENCES person_batches,
        digest TEXT NOT NULL,
        root TEXT NOT NULL,                        -- the digest of the one that is bad
        PRIMARY KEY (batch, digest, root)
    ) WITHOUT ROWID;
    CREATE TABLE person_removed (                  -- what has left the output for it, so that it can come back
        id INTEGER PRIMARY KEY,
        digest TEXT NOT NULL,
        conversation_id INTEGER,                   -- null where the run did not make it
        line TEXT NOT NULL,                        -- as it was in the output
        notes_before TEXT,                         -- as of a sample that stands by itself, null where nothing is known
        is_remembered INTEGER NOT NULL             -- whether new ones were compared with it
    );
    CREATE INDEX person_removed_by_digest ON person_removed (digest);
    """,
)


NEWEST_VERSION = len(_MIGRATIONS)
"""The `user_version` of a database that is up to date."""


def migrate(
    connection: sqlite3.Connection,
    *,
    seed: int,
    output_name: str,
    base_count: int,
    base_end: int,
    evaluation: str | None = None,
) -> None:
    """Make the tables, or bring those of an older version up to date.

    Args:
        connection: The open database.
        seed: What a new run draws its decisions from.
        output_name: The name of the output file.
        base_count: How many conversations the output of a new run holds already.
        base_end: Byte offset behind the last of them in the output.
        evaluation: What a new run is begun with, as JSON, if it is an evaluation.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, statements in enumerate(_MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        if number == 1:
            connection.execute(
                "INSERT INTO run (seed, output_name, base_count, base_end) VALUES (?, ?, ?, ?)",
                (seed, output_name, base_count, base_end),
            )
        if number == NEWEST_VERSION:
            connection.execute(
                "UPDATE run SET evaluation = ? WHERE base_count = 0 AND NOT EXISTS (SELECT 1 FROM conversations)",
                (evaluation,),
            )
        connection.execute("COMMIT")
