-- What the application's user may do on PostgreSQL: run this as the owner of the tables, in the marketplace's database.
GRANT USAGE ON SCHEMA public TO dgt_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO dgt_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO dgt_app;
-- History is written once.
REVOKE UPDATE, DELETE
    ON audit_log, ledger_entries, ledger_journals, ledger_postings, ledger_refusals, ledger_seals
    FROM dgt_app;
