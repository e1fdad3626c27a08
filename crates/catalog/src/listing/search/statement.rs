//! The SQL of a search. Statuses are written into the text, so that the planner sees that the partial indexes of
//! ACTIVE listings fit; everything else is bound.

use chrono::{DateTime, Utc};
use kernel::{CategoryId, ListingId, TypedId};
use sea_orm::{Statement, Value};
use store::Engine;

use super::order::{Position, SortKey};
use super::{Audience, ListingQuery};
use crate::listing::ListingStatus;
use crate::listing::word_index::{self, WordMatch};

/// The columns of a card, in the order in which they are read.
pub(in crate::listing) const CARD: &str = "l.id, l.category_id, l.title, l.price, l.negotiable, l.item_condition, \
                                            l.city, l.cover, l.status, l.created_at, l.published_at";

/// A search on its way to the database.
pub(super) struct Select<'q> {
    engine: Engine,
    query: &'q ListingQuery,
    words: Option<WordMatch>,
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl<'q> Select<'q> {
    pub(super) fn new(
        engine: Engine,
        query: &'q ListingQuery,
        status: ListingStatus,
        audience: Audience,
        categories: Option<&[CategoryId]>,
        now: DateTime<Utc>,
    ) -> Self {
        let filters = query.filters();
        let words = filters.search.as_ref().map(|words| word_index::matching(engine, words));
        let mut select = Self {
            engine,
            query,
            words,
            conditions: vec![format!("l.status = '{}'", status.as_str())],
            values: Vec::new(),
        };
        if let Some(ids) = categories {
            select.one_of("l.category_id", ids.iter().map(|id| id.uuid().into()));
        }
        if let Audience::Own(user) = audience {
            select.and("l.seller_id = ?", user.uuid());
        }
        if let Some(seller) = filters.seller {
            select.and("l.seller_id = ?", seller.uuid());
        }
        if let Some(min) = filters.min_price {
            select.and("l.price >= ?", min);
        }
        if let Some(max) = filters.max_price {
            select.at_most(max, filters.min_price.is_some());
        }
        if let Some(city) = &filters.city {
            select.and("l.city_key = ?", city.key());
        }
        if let Some(state) = &filters.state {
            select.and("l.state_key = ?", state.key());
        }
        if let Some(condition) = filters.condition {
            select.and("l.item_condition = ?", condition.as_str());
        }
        for (name, values) in filters.attributes.each() {
            select.with_attribute(name, values);
        }
        if let Some((condition, value)) =
            select.words.as_ref().map(|words| (words.condition, words.value.clone()))
        {
            select.and(condition, value);
        }
        for (is_wanted, kind) in [(filters.boosted, "boosted"), (filters.featured, "featured")] {
            if is_wanted {
                select.in_force(kind, now);
            }
        }
        if matches!(query.key(), SortKey::Distance { .. }) {
            select.conditions.push("l.latitude_e3 IS NOT NULL".to_owned());
        }
        select
    }

    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.conditions.push(condition.to_owned());
        self.values.push(value.into());
    }

    /// With a lower bound beside, PostgreSQL is asked for the upper one in other words. Where it plans for values that it
    /// does not know, it takes a pair of bounds to leave a two-hundredth of the rows, and would rather read and sort all
    /// that are left than walk along the order and stop after a page. It sees no pair in a comparison of rows.
    fn at_most(&mut self, max: i64, is_pair: bool) {
        if is_pair && self.engine == Engine::Postgres {
            self.and("(l.price, l.id) <= (?, 'ffffffff-ffff-ffff-ffff-ffffffffffff')", max);
        } else {
            self.and("l.price <= ?", max);
        }
    }

    fn one_of(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let before = self.values.len();
        self.values.extend(values);
        let list = Engine::placeholders(self.values.len() - before);
        self.conditions.push(format!("{column} IN ({list})"));
    }

    fn in_force(&mut self, kind: &str, now: DateTime<Utc>) {
        self.conditions.push(format!(
            "l.id IN (SELECT h.listing_id FROM listing_prominence h WHERE h.over_at > ? AND h.{kind}_since <= ? \
             AND h.{kind}_until > ?)"
        ));
        self.values.extend([now, now, now].map(Value::from));
    }

    /// Those of these alone.
    pub(super) fn only(mut self, ids: &[ListingId]) -> Self {
        self.one_of("l.id", ids.iter().map(|id| id.uuid().into()));
        self
    }

    /// All but these.
    pub(super) fn but(mut self, ids: &[ListingId]) -> Self {
        if !ids.is_empty() {
            let list = Engine::placeholders(ids.len());
            self.conditions.push(format!("l.id NOT IN ({list})"));
            self.values.extend(ids.iter().map(|id| Value::from(id.uuid())));
        }
        self
    }

    fn with_attribute(&mut self, name: &str, values: &[String]) {
        let list = Engine::placeholders(values.len());
        self.conditions.push(format!(
            "l.id IN (SELECT a.listing_id FROM listing_attributes a WHERE a.name = ? AND a.value IN ({list}))"
        ));
        self.values.push(name.into());
        self.values.extend(values.iter().map(|value| Value::from(value.as_str())));
    }

    /// How many listings there are.
    pub(super) fn count(self) -> Statement {
        let join = self.words.as_ref().map_or("", |words| words.join);
        let sql =
            format!("SELECT COUNT(*) AS total FROM listings l{join} WHERE {}", self.conditions.join(" AND "));
        self.engine.statement(&sql, self.values)
    }

    /// So many cards, the newest first, whatever the query's own order.
    pub(super) fn newest(&self, rows: u32, after: Option<Position>) -> Statement {
        self.simple("l.listed_at", "", rows, 0, after.map(|at| (at.listed_at().into(), at)))
    }

    /// So many cards in the query's order.
    pub(super) fn page(&self, rows: u32, offset: u64, after: Option<Position>) -> Statement {
        let order = self.query.order().keyword();
        match self.query.key() {
            SortKey::Listed => {
                self.simple("l.listed_at", "", rows, offset, after.map(|at| (at.listed_at().into(), at)))
            }
            SortKey::Price => self.simple("l.price", "", rows, offset, keyed(after)),
            SortKey::Views => {
                let join = " JOIN listing_stats s ON s.listing_id = l.id";
                self.simple("s.views", join, rows, offset, keyed(after))
            }
            SortKey::Relevance => {
                let (key, values) = match &self.words {
                    Some(words) => (words.title_count.clone(), words.title_values.clone()),
                    None => ("0".to_owned(), Vec::new()),
                };
                self.computed(&key, values, &format!("{order} LIMIT {rows} OFFSET {offset}"), after)
            }
            SortKey::Distance { latitude_e3, longitude_e3, scale_e6 } => {
                // The square of the distance on a map that is true around the point, in whole numbers.
                let key = "(l.latitude_e3 - ?) * (l.latitude_e3 - ?) * 1000000 \
                           + (l.longitude_e3 - ?) * (l.longitude_e3 - ?) * ?";
                let values =
                    [latitude_e3, latitude_e3, longitude_e3, longitude_e3, scale_e6].map(Value::from);
                self.computed(key, values.into(), &format!("{order} LIMIT {rows} OFFSET {offset}"), after)
            }
        }
    }

    /// Ordered by a column.
    fn simple(
        &self,
        key: &str,
        join: &str,
        rows: u32,
        offset: u64,
        after: Option<(Value, Position)>,
    ) -> Statement {
        let words = self.words.as_ref().map_or("", |words| words.join);
        let mut conditions = self.conditions.join(" AND ");
        let mut values = self.values.clone();
        if let Some((at, position)) = after {
            let later = self.query.order().later();
            // The first part is implied, and lets every engine begin its index there.
            conditions += &format!(" AND {key} {later}= ? AND ({key} {later} ? OR l.id {later} ?)");
            values.extend([at.clone(), at, position.id.uuid().into()]);
        }
        let order = self.query.order().keyword();
        // A key that no card holds is read along, for the cursor.
        let also = match key {
            "l.listed_at" => String::new(),
            column => format!(", {column}"),
        };
        let sql = format!(
            "SELECT {CARD}{also} FROM listings l{join}{words} WHERE {conditions} \
             ORDER BY {key} {order}, l.id {order} LIMIT {rows} OFFSET {offset}"
        );
        self.engine.statement(&sql, values)
    }

    /// Ordered by an expression, then by time and id.
    fn computed(&self, key: &str, key_values: Vec<Value>, tail: &str, after: Option<Position>) -> Statement {
        let words = self.words.as_ref().map_or("", |words| words.join);
        let mut values = key_values;
        values.extend(self.values.iter().cloned());
        let order = self.query.order();
        let mut condition = String::new();
        if let Some(position) = after {
            let later = order.later();
            condition = format!(
                " WHERE t.sort_key {later} ? OR (t.sort_key = ? AND (t.listed_at {later} ? \
                 OR (t.listed_at = ? AND t.id {later} ?)))"
            );
            let key = position.key.unwrap_or_default();
            let listed_at = position.listed_at();
            values.extend([key.into(), key.into(), listed_at.into(), listed_at.into()]);
            values.push(position.id.uuid().into());
        }
        let keyword = order.keyword();
        let columns = CARD.replace("l.", "t.");
        let sql = format!(
            "SELECT {columns}, t.sort_key FROM (SELECT {CARD}, l.listed_at, {key} AS sort_key \
             FROM listings l{words} WHERE {}) t{condition} \
             ORDER BY t.sort_key {keyword}, t.listed_at {keyword}, t.id {tail}",
            self.conditions.join(" AND ")
        );
        self.engine.statement(&sql, values)
    }
}

fn keyed(after: Option<Position>) -> Option<(Value, Position)> {
    after.map(|at| (at.key.unwrap_or_default().into(), at))
}
