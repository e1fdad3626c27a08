//! Seals, checked beside the walk over the journals: the chain holds, and each range comes to what its seal says.

use sea_orm::ConnectionTrait;

use super::super::seal::{Gathered, Seal, following};
use super::super::stored::StoredJournal;
use super::{RowOf, Stop};

/// The seals, one after the other, and what the present one's range comes to so far.
pub(super) struct Seals {
    present: Option<Seal>,
    gathered: Gathered,
    checked: u64,
    newest: Option<String>,
}

impl Seals {
    pub(super) async fn begin(conn: &impl ConnectionTrait) -> Result<Self, Stop> {
        Ok(Self { present: next(conn, None).await?, gathered: Gathered::default(), checked: 0, newest: None })
    }

    /// The next journal in the order of ids.
    pub(super) async fn add(
        &mut self,
        conn: &impl ConnectionTrait,
        journal: &StoredJournal,
    ) -> Result<(), Stop> {
        while self.present.as_ref().is_some_and(|seal| seal.last < journal.id) {
            self.close(conn).await?;
        }
        if self.present.is_some() {
            self.gathered.add(journal);
        }
        Ok(())
    }

    /// There are no more journals; gives how many seals there are, and the hash of the newest.
    pub(super) async fn finish(mut self, conn: &impl ConnectionTrait) -> Result<(u64, Option<String>), Stop> {
        while self.present.is_some() {
            self.close(conn).await?;
        }
        Ok((self.checked, self.newest))
    }

    /// The range of the present seal is complete.
    async fn close(&mut self, conn: &impl ConnectionTrait) -> Result<(), Stop> {
        let Some(seal) = self.present.take() else { return Ok(()) };
        let range = std::mem::take(&mut self.gathered);
        let key = format!("n {}, journals {} to {}", seal.n, seal.first, seal.last);
        let row = RowOf { table: "ledger_seals", key: &key };
        row.check("journals", range.journals, seal.journals)?;
        let name = |id: Option<uuid::Uuid>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
        row.check("first_journal", name(range.first), name(Some(seal.first)))?;
        row.check("last_journal", name(range.last), name(Some(seal.last)))?;
        row.check("total", range.total(), seal.total)?;
        row.check("root", &range.root(), &seal.root)?;
        self.checked += 1;
        self.newest = Some(seal.hash.clone());
        self.present = next(conn, Some(&seal)).await?;
        Ok(())
    }
}

/// The seal that follows, as a link of the chain.
async fn next(conn: &impl ConnectionTrait, previous: Option<&Seal>) -> Result<Option<Seal>, Stop> {
    let (n, hash) = previous.map_or_else(|| (0, Seal::origin()), |seal| (seal.n, seal.hash.clone()));
    let Some(seal) = following(conn, n).await? else { return Ok(None) };
    let key = format!("n {}", seal.n);
    let row = RowOf { table: "ledger_seals", key: &key };
    row.check("n", n + 1, seal.n)?;
    row.check("prev_hash", &hash, &seal.prev_hash)?;
    row.check("hash", &seal.reckoned_hash(), &seal.hash)?;
    Ok(Some(seal))
}
