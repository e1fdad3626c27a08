-- Prints what the application's user may do on MariaDB and MySQL, a GRANT for each table: run this in the marketplace's
-- database, then run what it prints. A grant on the whole database cannot be narrowed for one of its tables.
SELECT CONCAT(
    'GRANT SELECT, INSERT',
    -- History is written once.
    IF(table_name IN (
        'audit_log', 'ledger_entries', 'ledger_journals', 'ledger_postings', 'ledger_refusals', 'ledger_seals'
    ), '', ', UPDATE, DELETE'),
    ' ON `', table_schema, '`.`', table_name, '` TO ''dgt_app''@''%'';'
)
FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE';
