//! PostgreSQL's function that posts many journals in one round trip. What it means is said by `journal/plain.rs` in the
//! ledger's crate, and its tests hold it to that.
//!
//! Its arguments are arrays, those of one thing's columns side by side. One JSON value would do too, but finding a
//! record's columns by name, at each use, takes longer than the inserts. Each statement of a volatile function sees what
//! was committed before it began, so a lock that was waited for shows the row as it is now.

/// Posts those of many journals that need nothing but to be written, and gives their ids. The others are refused, or
/// their keys are taken: nothing of them is written, and the caller posts each alone to learn what becomes of it. A user
/// is among `w_users` at most once.
pub(super) const POST_MANY: &str = "
CREATE OR REPLACE FUNCTION ledger_post_many(
    j_at timestamptz, j_ids uuid[], j_keys text[], j_hashes text[], j_kinds text[], j_ref_types text[], j_ref_ids text[],
    j_reverses uuid[], j_actor_types text[], j_actor_ids text[], j_reasons text[], j_event_ats timestamptz[],
    l_journals uuid[], l_seqs integer[], l_from_kinds text[], l_from_users uuid[], l_to_kinds text[], l_to_users uuid[],
    l_amounts bigint[],
    w_users uuid[], w_journals uuid[], w_kinds text[], w_available bigint[], w_held bigint[], w_promo bigint[],
    w_earnings bigint[], w_debt bigint[],
    d_houses text[], d_journals uuid[], d_amounts bigint[]) RETURNS uuid[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    locked bigint;
    posted uuid[];
BEGIN
    PERFORM FROM ledger_wallets w WHERE w.user_id = ANY (w_users) ORDER BY w.user_id FOR UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked < cardinality(w_users) THEN
        INSERT INTO ledger_wallets (user_id, available, held, promo, earnings, debt, version, frozen, created_at)
            SELECT u, 0, 0, 0, 0, 0, 0, false, j_at FROM unnest(w_users) AS u ORDER BY u
            ON CONFLICT (user_id) DO NOTHING;
        PERFORM FROM ledger_wallets w WHERE w.user_id = ANY (w_users) ORDER BY w.user_id FOR UPDATE;
    END IF;

    WITH refused AS (
        SELECT c.journal FROM unnest(w_users, w_journals, w_available, w_held, w_promo, w_earnings, w_debt)
            AS c(user_id, journal, available, held, promo, earnings, debt)
        JOIN ledger_wallets w ON w.user_id = c.user_id
        WHERE (w.frozen AND (c.available < 0 OR c.promo < 0 OR c.earnings < 0))
            OR w.available + c.available < 0 OR w.held + c.held < 0 OR w.promo + c.promo < 0
            OR w.earnings + c.earnings < 0 OR w.debt + c.debt > 0
    ), written AS (
        INSERT INTO ledger_journals (id, idem_key, payload_hash, kind, currency, ref_type, ref_id, reverses_id,
                actor_type, actor_id, reason, event_at, created_at)
            SELECT j.id, j.key, j.hash, j.kind, 'INR', j.ref_type, j.ref_id, j.reverses, j.actor_type, j.actor_id,
                j.reason, j.event_at, j_at
            FROM unnest(j_ids, j_keys, j_hashes, j_kinds, j_ref_types, j_ref_ids, j_reverses, j_actor_types,
                j_actor_ids, j_reasons, j_event_ats) AS j(id, key, hash, kind, ref_type, ref_id, reverses, actor_type,
                actor_id, reason, event_at)
            WHERE j.id NOT IN (SELECT r.journal FROM refused r)
                AND NOT EXISTS (SELECT 1 FROM ledger_refusals r WHERE r.idem_key = j.key)
            ORDER BY j.key
            ON CONFLICT (idem_key) DO NOTHING
            RETURNING id
    )
    SELECT array_agg(id) INTO posted FROM written;

    INSERT INTO ledger_postings (journal_id, seq, from_kind, from_user, to_kind, to_user, amount)
        SELECT l.* FROM unnest(l_journals, l_seqs, l_from_kinds, l_from_users, l_to_kinds, l_to_users, l_amounts)
            AS l(journal_id, seq, from_kind, from_user, to_kind, to_user, amount)
        WHERE l.journal_id = ANY (posted);
    WITH changed AS (
        UPDATE ledger_wallets w SET available = w.available + c.available, held = w.held + c.held,
            promo = w.promo + c.promo, earnings = w.earnings + c.earnings, debt = w.debt + c.debt,
            version = w.version + 1
        FROM unnest(w_users, w_journals, w_kinds, w_available, w_held, w_promo, w_earnings, w_debt)
            AS c(user_id, journal, kind, available, held, promo, earnings, debt)
        WHERE w.user_id = c.user_id AND c.journal = ANY (posted)
        RETURNING w.user_id, w.version, c.journal, c.kind, w.available, w.held, w.promo, w.earnings, w.debt
    )
    INSERT INTO ledger_entries (user_id, version, journal_id, kind, available, held, promo, earnings, debt, created_at)
        SELECT c.*, j_at FROM changed c;
    INSERT INTO ledger_deltas (kind, journal_id, amount)
        SELECT d.* FROM unnest(d_houses, d_journals, d_amounts) AS d(kind, journal_id, amount)
        WHERE d.journal_id = ANY (posted);
    RETURN posted;
END
$$";
