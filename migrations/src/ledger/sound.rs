//! PostgreSQL's floors of wallets and rules of postings as functions, which mean what the tables' CHECKs say.
//!
//! The server reads and plans the text of each CHECK anew for every statement that writes to the table; for the ten of
//! these two tables that was an eighth of what a journal costs it. A function it keeps.

/// The floors of a wallet: only debt may be below zero, and is never above.
pub(super) const WALLET: &str = "
CREATE OR REPLACE FUNCTION ledger_wallet_is_sound(
    available bigint, held bigint, promo bigint, earnings bigint, debt bigint, version bigint) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN available >= 0 AND held >= 0 AND promo >= 0 AND earnings >= 0 AND debt <= 0 AND version >= 0;
END
$$";

/// A posting moves something, from one account to another, and names a user exactly for a user's accounts.
pub(super) const POSTING: &str = "
CREATE OR REPLACE FUNCTION ledger_posting_is_sound(
    from_kind text, from_user uuid, to_kind text, to_user uuid, amount bigint) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN amount > 0
        AND (from_user IS NOT NULL) = (from_kind IN ('available', 'held', 'promo', 'earnings', 'debt'))
        AND (to_user IS NOT NULL) = (to_kind IN ('available', 'held', 'promo', 'earnings', 'debt'))
        AND (from_kind <> to_kind OR (from_user IS NOT NULL AND to_user IS NOT NULL AND from_user <> to_user));
END
$$";

/// Puts the functions in the place of the CHECKs. The rows that are there are not read while nobody can move money, but
/// [afterwards](VALIDATE).
pub(super) const INSTEAD: &str = "
DO $$
DECLARE
    old record;
BEGIN
    LOCK TABLE ledger_wallets, ledger_postings IN ACCESS EXCLUSIVE MODE;
    FOR old IN SELECT conrelid::regclass AS tab, conname AS name FROM pg_constraint
        WHERE contype = 'c' AND conrelid IN ('ledger_wallets'::regclass, 'ledger_postings'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', old.tab, old.name);
    END LOOP;
    ALTER TABLE ledger_wallets ADD CONSTRAINT ledger_wallets_sound
        CHECK (ledger_wallet_is_sound(available, held, promo, earnings, debt, version)) NOT VALID;
    ALTER TABLE ledger_postings ADD CONSTRAINT ledger_postings_sound
        CHECK (ledger_posting_is_sound(from_kind, from_user, to_kind, to_user, amount)) NOT VALID;
END
$$";

/// Reads the rows that were there before the functions, beside those who write.
pub(super) const VALIDATE: [&str; 2] = [
    "ALTER TABLE ledger_wallets VALIDATE CONSTRAINT ledger_wallets_sound",
    "ALTER TABLE ledger_postings VALIDATE CONSTRAINT ledger_postings_sound",
];
