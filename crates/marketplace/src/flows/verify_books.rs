//! Whether the books are right: the ledger within itself, and what payments, refunds and boosts say of it and it of them.
//! Each domain is migrated alone, so no foreign key joins their rows to journals and holds.

use ledger::{Mismatch, Progress, Report};
use sea_orm::ConnectionTrait;
use store::StoreError;
use uuid::Uuid;

use crate::{FlowError, Marketplace};

/// Rows per statement: each sees one moment, and the writers of both sides are one transaction.
const PAGE: usize = 500;

/// What every row of a table says of the ledger.
struct Link {
    table: &'static str,
    column: &'static str,
    expected: &'static str,
    /// The rows `x`, and what is theirs in the ledger.
    from: &'static str,
    /// When a row is right.
    is_right: &'static str,
}

/// What a journal moved in the postings of which this is true, or 0.
macro_rules! moved {
    ($journal:literal, $which:literal) => {
        concat!(
            "(SELECT COALESCE(SUM(l.amount), 0) FROM ledger_postings l WHERE l.journal_id = ",
            $journal,
            " AND l.",
            $which,
            ")"
        )
    };
}

const LINKS: [Link; 11] = [
    Link {
        table: "payments",
        column: "credit_journal",
        expected: "the journal that credited its payer with all of it, if it was credited",
        from: "payments x LEFT JOIN ledger_journals j ON j.id = x.credit_journal AND j.kind = 'top_up' \
               AND j.ref_id = x.provider_payment_id",
        is_right: "(CASE WHEN x.outcome = 'credited' THEN x.amount = (SELECT SUM(l.amount) FROM ledger_postings l \
                   WHERE l.journal_id = j.id AND l.to_user = x.user_id) ELSE x.credit_journal IS NULL END)",
    },
    Link {
        table: "refunds",
        column: "hold_id",
        expected: "a hold of its amount of the payer's money that has ended as it has",
        from: "refunds x JOIN payments p ON p.id = x.payment_id LEFT JOIN ledger_holds h ON h.id = x.hold_id \
               AND h.purpose = 'refund' AND h.user_id = p.user_id AND h.amount = x.amount \
               AND h.status = (CASE x.status WHEN 'processed' THEN 'captured' WHEN 'failed' THEN 'released' ELSE 'open' END)",
        is_right: "((x.origin = 'app') = (h.id IS NOT NULL))",
    },
    Link {
        table: "ledger_holds",
        column: "id",
        expected: "the hold of a refund",
        from: "ledger_holds x LEFT JOIN refunds r ON r.hold_id = x.id",
        is_right: "(x.purpose <> 'refund' OR r.id IS NOT NULL)",
    },
    Link {
        table: "boosts",
        column: "charge_journal",
        expected: "the journal that took its price from its buyer",
        from: "boosts x LEFT JOIN ledger_journals j ON j.id = x.charge_journal \
               AND j.kind = (CASE x.kind WHEN 'BOOST' THEN 'boost_charge' ELSE 'feature_charge' END)",
        is_right: "(j.id IS NOT NULL AND x.price = (SELECT SUM(l.amount) FROM ledger_postings l \
                   WHERE l.journal_id = j.id AND l.from_user = x.user_id))",
    },
    Link {
        table: "boosts",
        column: "promo_part, available_part and earnings_part",
        expected: "what its journal took from each purse",
        from: "boosts x",
        is_right: concat!(
            "(x.promo_part = ",
            moved!("x.charge_journal", "from_kind = 'promo'"),
            " AND x.available_part = ",
            moved!("x.charge_journal", "from_kind = 'available'"),
            " AND x.earnings_part = ",
            moved!("x.charge_journal", "from_kind = 'earnings'"),
            ")"
        ),
    },
    Link {
        table: "boosts",
        column: "cgst and sgst",
        expected: "what its journal put aside for tax, each half that of its rate to half a paisa",
        from: "boosts x",
        is_right: concat!(
            "(x.cgst = ",
            moved!("x.charge_journal", "to_kind = 'tax:gst_output:cgst'"),
            " AND x.sgst = ",
            moved!("x.charge_journal", "to_kind = 'tax:gst_output:sgst'"),
            " AND ABS(x.cgst * 2 * (100 + x.gst_percent) - (x.available_part + x.earnings_part) * x.gst_percent) \
             <= 100 + x.gst_percent)"
        ),
    },
    Link {
        table: "boosts",
        column: "refund_journal",
        expected: "the journal that gave back what was left, if that was given back",
        from: "boosts x LEFT JOIN ledger_journals j ON j.id = x.refund_journal AND j.kind = 'boost_refund'",
        is_right: "(x.refund_journal IS NULL OR x.refunded = (SELECT SUM(l.amount) FROM ledger_postings l \
                   WHERE l.journal_id = j.id AND l.to_user = x.user_id))",
    },
    Link {
        table: "boosts",
        column: "refunded",
        expected: "given back to each purse by its share, whole paise where shares meet, with the tax in it",
        from: concat!(
            "(SELECT b.id, b.refund_journal, b.price, b.refunded, b.gst_percent, b.promo_part, \
             b.promo_part + b.available_part AS early_part, ",
            moved!("b.refund_journal", "to_kind = 'promo'"),
            " AS promo, ",
            moved!("b.refund_journal", "to_kind IN ('promo', 'available')"),
            " AS early, ",
            moved!("b.refund_journal", "from_kind = 'tax:gst_output:cgst'"),
            " AS cgst, ",
            moved!("b.refund_journal", "from_kind = 'tax:gst_output:sgst'"),
            " AS sgst FROM boosts b) x"
        ),
        is_right: "(x.refund_journal IS NULL OR (x.promo * x.price <= x.promo_part * x.refunded \
                   AND x.promo_part * x.refunded < (x.promo + 1) * x.price \
                   AND x.early * x.price <= x.early_part * x.refunded \
                   AND x.early_part * x.refunded < (x.early + 1) * x.price AND x.cgst = x.sgst \
                   AND ABS(x.cgst * 2 * (100 + x.gst_percent) - (x.refunded - x.promo) * x.gst_percent) \
                   <= 100 + x.gst_percent))",
    },
    Link {
        table: "payments",
        column: "fee",
        expected: "what the journal of the provider's fee took, if there was a fee",
        from: "payments x LEFT JOIN ledger_journals j ON j.ref_type = 'payment' AND j.ref_id = x.provider_payment_id \
               AND j.kind = 'gateway_fee'",
        is_right: "(CASE WHEN x.fee > 0 THEN x.fee = (SELECT SUM(l.amount) FROM ledger_postings l \
                   WHERE l.journal_id = j.id) ELSE j.id IS NULL END)",
    },
    Link {
        table: "payments",
        column: "outcome",
        expected: "nobody's money, if it is in suspense by a journal of its amount",
        from: "payments x LEFT JOIN ledger_journals j ON j.ref_type = 'payment' AND j.ref_id = x.provider_payment_id \
               AND j.kind = 'unmatched' LEFT JOIN ledger_postings l ON l.journal_id = j.id AND l.amount = x.amount",
        // What is not in rupees cannot be posted; what had gone back before it was seen is not.
        is_right: "(CASE WHEN x.outcome = 'unmatched' THEN x.currency <> 'INR' OR l.seq IS NOT NULL \
                   WHEN x.outcome = 'returned' THEN j.id IS NULL OR l.seq IS NOT NULL ELSE j.id IS NULL END)",
    },
    // The other way: what a journal says has happened to a payment, refund or boost, its row says, too.
    Link {
        table: "ledger_journals",
        column: "ref_id",
        expected: "a payment, refund or boost that says the same",
        from: "ledger_journals x \
               LEFT JOIN payments p ON x.ref_type = 'payment' AND p.provider = 'razorpay' \
               AND p.provider_payment_id = x.ref_id \
               LEFT JOIN refunds r ON x.kind IN ('unmatched_return', 'refund_elsewhere') \
               AND r.provider_refund_id = x.ref_id \
               LEFT JOIN payments o ON o.id = r.payment_id \
               LEFT JOIN ledger_holds h ON h.open_journal = x.id \
               LEFT JOIN ledger_holds e ON e.resolve_journal = x.id \
               LEFT JOIN boosts b ON b.charge_journal = x.id \
               LEFT JOIN boosts g ON g.refund_journal = x.id",
        is_right: "(CASE x.kind \
                   WHEN 'top_up' THEN p.outcome = 'credited' AND p.credit_journal = x.id \
                   WHEN 'gateway_fee' THEN p.fee > 0 \
                   WHEN 'unmatched' THEN p.outcome IN ('unmatched', 'returned') \
                   WHEN 'unmatched_return' THEN r.status = 'processed' AND r.origin <> 'app' \
                   AND o.outcome IN ('unmatched', 'returned') \
                   AND r.amount = (SELECT SUM(l.amount) FROM ledger_postings l WHERE l.journal_id = x.id) \
                   WHEN 'refund_elsewhere' THEN r.status = 'processed' AND r.origin = 'dashboard' \
                   AND o.outcome = 'credited' \
                   AND r.amount = (SELECT SUM(l.amount) FROM ledger_postings l WHERE l.journal_id = x.id \
                   AND l.from_user = o.user_id) \
                   WHEN 'refund_hold' THEN h.purpose = 'refund' \
                   WHEN 'refund_done' THEN e.purpose = 'refund' AND e.status = 'captured' \
                   WHEN 'refund_release' THEN e.purpose = 'refund' AND e.status = 'released' \
                   WHEN 'boost_charge' THEN b.kind = 'BOOST' \
                   WHEN 'feature_charge' THEN b.kind = 'FEATURE' \
                   WHEN 'boost_refund' THEN g.id IS NOT NULL \
                   ELSE 1 = 1 END)",
    },
];

impl Marketplace {
    /// Checks the whole ledger, and then what the other domains' rows say of it. Stops at the first row that is wrong
    /// and names it. `progress` is told now and then.
    ///
    /// # Errors
    /// When the database fails; a wrong row is no error but [`Report::first_wrong`].
    pub async fn verify_books(&self, progress: impl FnMut(Progress) + Send) -> Result<Report, FlowError> {
        let mut report = self.ledger.verify_by_templates(progress).await?;
        for link in &LINKS {
            if report.first_wrong.is_none() {
                report.first_wrong = self.broken(link).await?;
            }
        }
        Ok(report)
    }

    /// The first row that says something else than the ledger.
    async fn broken(&self, link: &Link) -> Result<Option<Mismatch>, StoreError> {
        let Link { from, is_right, .. } = link;
        let sql = format!(
            "SELECT x.id, CASE WHEN {is_right} THEN 'right' ELSE 'wrong' END AS verdict FROM {from} \
             WHERE x.id > ? ORDER BY x.id LIMIT {PAGE}"
        );
        let mut after = Uuid::nil();
        loop {
            let page = self.db.engine().statement(&sql, [after.into()]);
            let rows = self.db.reader()?.query_all_raw(page).await?;
            for row in &rows {
                after = row.try_get("", "id")?;
                if row.try_get::<String>("", "verdict")? == "wrong" {
                    return Ok(Some(mismatch(link, after)));
                }
            }
            if rows.len() < PAGE {
                return Ok(None);
            }
        }
    }
}

fn mismatch(link: &Link, id: Uuid) -> Mismatch {
    Mismatch {
        table: link.table,
        key: format!("id {id}"),
        column: link.column,
        expected: link.expected.to_owned(),
        found: "another, or none".to_owned(),
    }
}
