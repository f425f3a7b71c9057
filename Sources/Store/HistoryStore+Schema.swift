import GRDB

extension HistoryStore {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("history") { db in
            try db.execute(
                sql: """
                    CREATE TABLE attempt (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL, commit_id TEXT NOT NULL,
                        started_at REAL NOT NULL, finished_at REAL NOT NULL, conclusion TEXT NOT NULL, report TEXT NOT NULL
                    );
                    CREATE INDEX attempt_by_application ON attempt (application, id);
                    """)
        }
        migrator.registerMigration("steps") { db in
            // Steps in a column of their own: the thousand of a large sync are neither made nor read with the rest.
            try db.execute(sql: "ALTER TABLE attempt ADD COLUMN steps TEXT NOT NULL DEFAULT '[]'")
        }
        migrator.registerMigration("chain") { db in
            try db.execute(
                sql: """
                    ALTER TABLE attempt ADD COLUMN manifests TEXT;
                    ALTER TABLE attempt ADD COLUMN fingerprint TEXT;
                    CREATE INDEX attempt_succeeded ON attempt (application, id) WHERE conclusion = 'Succeeded';
                    CREATE INDEX attempt_by_time ON attempt (finished_at);
                    CREATE INDEX attempt_by_manifests ON attempt (manifests) WHERE manifests IS NOT NULL;

                    -- Outside the chain: what is counted is not what happened.
                    CREATE TABLE repeats (
                        attempt INTEGER PRIMARY KEY REFERENCES attempt (id) ON DELETE CASCADE, count INTEGER NOT NULL,
                        last_finished_at REAL NOT NULL
                    );
                    CREATE TABLE manifests (id TEXT PRIMARY KEY, digest BLOB NOT NULL, size INTEGER NOT NULL, content BLOB NOT NULL);
                    CREATE TABLE drift (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL, seen_at REAL NOT NULL, event TEXT NOT NULL,
                        fingerprint TEXT NOT NULL UNIQUE, healed_by INTEGER, healed_at REAL
                    );
                    CREATE INDEX drift_by_application ON drift (application, id);
                    CREATE INDEX drift_by_time ON drift (seen_at);

                    CREATE TABLE chain (
                        position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, subject INTEGER NOT NULL, digest BLOB NOT NULL,
                        hash BLOB NOT NULL
                    );
                    CREATE UNIQUE INDEX chain_by_subject ON chain (kind, subject) WHERE kind <> 'anchor';
                    CREATE TABLE gap (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, hash BLOB NOT NULL);
                    CREATE TABLE housekeeping (id INTEGER PRIMARY KEY CHECK (id = 1), looked_at REAL NOT NULL);
                    """)
            try HistoryChain.begin(db)
        }
        migrator.registerMigration("journal") { db in
            // Of syncs that are under way: emptied by the record of the attempt.
            try db.execute(
                sql: """
                    CREATE TABLE journal (
                        id INTEGER PRIMARY KEY AUTOINCREMENT, application TEXT NOT NULL, report TEXT NOT NULL, steps TEXT NOT NULL,
                        owner TEXT NOT NULL
                    );
                    CREATE INDEX journal_by_application ON journal (application);
                    CREATE TABLE journal_step (
                        journal INTEGER NOT NULL REFERENCES journal (id) ON DELETE CASCADE, step TEXT NOT NULL, at REAL NOT NULL
                    );
                    CREATE INDEX journal_step_by_journal ON journal_step (journal);
                    """)
        }
        migrator.registerMigration("partial") { db in
            // Syncs of chosen objects succeed without the application being as declared.
            try db.execute(sql: "ALTER TABLE attempt ADD COLUMN partial INTEGER NOT NULL DEFAULT 0")
        }
        migrator.registerMigration("settled") { db in
            // Only a memory: what is missing is found out anew.
            try db.execute(sql: "CREATE TABLE settled (application TEXT PRIMARY KEY, evidence TEXT NOT NULL, finding TEXT NOT NULL) WITHOUT ROWID")
        }
        migrator.registerMigration("settled but for statuses") { db in
            try db.execute(sql: "ALTER TABLE settled ADD COLUMN but_status TEXT")
        }
        return migrator
    }
}
