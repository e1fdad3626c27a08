//! Categories and listings.
//!
//! What changes often (views, contacts, counts per category) lives in tables of its own: an update of it must not
//! touch the rows that the feed scans, or PostgreSQL could not answer from its indexes alone.

use crate::sql::Step;

pub(crate) const STEPS: &[Step] = &[
    Step::Table(
        "categories",
        "id {id} PRIMARY KEY,
         slug VARCHAR(60) NOT NULL UNIQUE,
         name VARCHAR(80) NOT NULL,
         icon VARCHAR(200) NULL,
         parent_id {id} NULL,
         attributes {text} NOT NULL,
         auto_approve BOOLEAN NOT NULL,
         expiry_days INTEGER NULL,
         sort_order INTEGER NOT NULL,
         active BOOLEAN NOT NULL,
         version BIGINT NOT NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         FOREIGN KEY (parent_id) REFERENCES categories (id)",
    ),
    Step::Index("ix_categories_parent", "categories", "parent_id"),
    // One row that every change of the tree locks first: two moves at once could otherwise close a circle.
    Step::Table("category_tree", "id INTEGER PRIMARY KEY, version BIGINT NOT NULL"),
    Step::Each {
        sqlite: &["INSERT OR IGNORE INTO category_tree (id, version) VALUES (1, 0)"],
        postgres: &["INSERT INTO category_tree (id, version) VALUES (1, 0) ON CONFLICT DO NOTHING"],
        mariadb: &["INSERT IGNORE INTO category_tree (id, version) VALUES (1, 0)"],
    },
    Step::Table(
        "category_counts",
        "category_id {id} PRIMARY KEY,
         active_listings BIGINT NOT NULL,
         FOREIGN KEY (category_id) REFERENCES categories (id)",
    ),
    Step::Table(
        "listings",
        "id {id} PRIMARY KEY,
         seller_id {id} NOT NULL,
         category_id {id} NOT NULL,
         title VARCHAR(100) NOT NULL,
         description {text} NOT NULL,
         price BIGINT NOT NULL,
         negotiable BOOLEAN NOT NULL,
         item_condition VARCHAR(10) NOT NULL,
         city VARCHAR(80) NOT NULL,
         state VARCHAR(80) NOT NULL,
         city_key VARCHAR(80) NOT NULL,
         state_key VARCHAR(80) NOT NULL,
         pincode VARCHAR(6) NULL,
         latitude_e3 BIGINT NULL,
         longitude_e3 BIGINT NULL,
         attributes {text} NOT NULL,
         photos {text} NOT NULL,
         cover VARCHAR(68) NULL,
         status VARCHAR(10) NOT NULL,
         created_at {instant} NOT NULL,
         updated_at {instant} NOT NULL,
         published_at {instant} NULL,
         listed_at {instant} NOT NULL,
         expires_at {instant} NULL,
         sold_at {instant} NULL,
         auto_renew BOOLEAN NOT NULL,
         renew_count INTEGER NOT NULL,
         reviewed_at {instant} NULL,
         review_reason VARCHAR(64) NULL,
         review_note {text} NULL,
         version BIGINT NOT NULL,
         FOREIGN KEY (category_id) REFERENCES categories (id),
         CHECK (price >= 0),
         CHECK ((latitude_e3 IS NULL) = (longitude_e3 IS NULL)),
         CHECK (status IN ('DRAFT', 'PENDING', 'ACTIVE', 'PAUSED', 'EXPIRED', 'SOLD', 'REJECTED', 'DELETED'))",
    ),
    // The feed: newest first, cheapest first, of a category or of all. The price is a key column, so that a range
    // of prices is decided within the index.
    Step::Each {
        sqlite: &[
            "CREATE INDEX IF NOT EXISTS ix_listings_category ON listings (category_id, listed_at, id, price) WHERE status = 'ACTIVE'",
            "CREATE INDEX IF NOT EXISTS ix_listings_newest ON listings (listed_at, id, category_id, price) WHERE status = 'ACTIVE'",
            "CREATE INDEX IF NOT EXISTS ix_listings_price ON listings (price, id, category_id) WHERE status = 'ACTIVE'",
            "CREATE INDEX IF NOT EXISTS ix_listings_city ON listings (city_key, listed_at, id, price) WHERE status = 'ACTIVE'",
        ],
        postgres: &[
            "CREATE INDEX IF NOT EXISTS ix_listings_category ON listings (category_id, listed_at, id, price) WHERE status = 'ACTIVE'",
            "CREATE INDEX IF NOT EXISTS ix_listings_newest ON listings (listed_at, id, category_id, price) WHERE status = 'ACTIVE'",
            "CREATE INDEX IF NOT EXISTS ix_listings_price ON listings (price, id, category_id) WHERE status = 'ACTIVE'",
            "CREATE INDEX IF NOT EXISTS ix_listings_city ON listings (city_key, listed_at, id, price) WHERE status = 'ACTIVE'",
        ],
        mariadb: &[
            "CREATE INDEX ix_listings_category ON listings (status, category_id, listed_at, id, price)",
            "CREATE INDEX ix_listings_newest ON listings (status, listed_at, id, category_id, price)",
            "CREATE INDEX ix_listings_price ON listings (status, price, id, category_id)",
            "CREATE INDEX ix_listings_city ON listings (status, city_key, listed_at, id, price)",
        ],
    },
    Step::Index("ix_listings_of_category", "listings", "category_id"),
    Step::Index("ix_listings_seller", "listings", "seller_id, created_at, id"),
    // The review queue and staff's lists of other states.
    Step::Index("ix_listings_status", "listings", "status, listed_at, id"),
    Step::IndexWhere(
        "ix_listings_expiry",
        "listings",
        "expires_at, id",
        "status IN ('ACTIVE', 'PAUSED')",
    ),
    Step::Table(
        "listing_stats",
        "listing_id {id} PRIMARY KEY,
         views BIGINT NOT NULL,
         contact_views BIGINT NOT NULL,
         FOREIGN KEY (listing_id) REFERENCES listings (id)",
    ),
    Step::Index("ix_listing_stats_views", "listing_stats", "views, listing_id"),
    Step::Table(
        "listing_attributes",
        "listing_id {id} NOT NULL,
         name VARCHAR(40) NOT NULL,
         value VARCHAR(200) NOT NULL,
         PRIMARY KEY (listing_id, name),
         FOREIGN KEY (listing_id) REFERENCES listings (id)",
    ),
    Step::Index(
        "ix_listing_attributes_value",
        "listing_attributes",
        "name, value, listing_id",
    ),
    Step::Table(
        "listing_contacts",
        "listing_id {id} NOT NULL,
         buyer_id {id} NOT NULL,
         day DATE NOT NULL,
         created_at {instant} NOT NULL,
         PRIMARY KEY (listing_id, buyer_id, day),
         FOREIGN KEY (listing_id) REFERENCES listings (id)",
    ),
    Step::Index("ix_listing_contacts_buyer", "listing_contacts", "buyer_id, day"),
    Step::Table(
        "contact_quotas",
        "buyer_id {id} NOT NULL,
         day DATE NOT NULL,
         used INTEGER NOT NULL,
         PRIMARY KEY (buyer_id, day)",
    ),
    // Word search, each engine by its own means. The words come ready-made from the catalogue, the same for all
    // three; see `catalog::listing::words`.
    Step::Each {
        sqlite: &[
            "CREATE TABLE IF NOT EXISTS listing_search (word_row INTEGER PRIMARY KEY AUTOINCREMENT, \
             listing_id {id} NOT NULL UNIQUE REFERENCES listings (id))",
            "CREATE VIRTUAL TABLE IF NOT EXISTS listing_words USING fts5(words, content='', \
             contentless_delete=1, detail='none', tokenize='ascii')",
        ],
        postgres: &[
            "CREATE TABLE IF NOT EXISTS listing_search (listing_id {id} PRIMARY KEY REFERENCES listings (id), \
             words TSVECTOR NOT NULL)",
            "CREATE INDEX IF NOT EXISTS ix_listing_search_words ON listing_search USING GIN (words)",
        ],
        mariadb: &[
            "CREATE TABLE IF NOT EXISTS listing_search (listing_id {id} PRIMARY KEY, words {text} NOT NULL, \
             FULLTEXT KEY ix_listing_search_words (words), \
             FOREIGN KEY (listing_id) REFERENCES listings (id)) \
             ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
        ],
    },
];
