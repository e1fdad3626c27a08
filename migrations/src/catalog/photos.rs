//! Uploaded photos and the files they stand for.

use crate::sql::Step;

pub(crate) const STEPS: &[Step] = &[
    // One row per stored file, written before the file: a file without a row cannot be. `check_at` is when to see
    // whether any photo still shows the file; null while one is known to.
    Step::Table(
        "photo_blobs",
        "name VARCHAR(68) PRIMARY KEY,
         check_at {instant} NULL",
    ),
    Step::IndexWhere("ix_photo_blobs_check", "photo_blobs", "check_at", "check_at IS NOT NULL"),
    // A row to lock while a person's unattached photos are counted.
    Step::Table("photo_owners", "owner_id {id} PRIMARY KEY"),
    // No foreign key to listings: a listing's row carries its photos and is written after they are attached.
    Step::Table(
        "photos",
        "id {id} PRIMARY KEY,
         owner_id {id} NOT NULL,
         listing_id {id} NULL,
         position INTEGER NULL,
         width INTEGER NOT NULL,
         height INTEGER NOT NULL,
         thumb_name VARCHAR(68) NOT NULL,
         card_name VARCHAR(68) NOT NULL,
         full_name VARCHAR(68) NOT NULL,
         created_at {instant} NOT NULL,
         free_since {instant} NULL,
         CHECK (width > 0 AND height > 0),
         CHECK ((listing_id IS NULL) = (position IS NULL)),
         CHECK ((listing_id IS NULL) = (free_since IS NOT NULL)),
         FOREIGN KEY (thumb_name) REFERENCES photo_blobs (name),
         FOREIGN KEY (card_name) REFERENCES photo_blobs (name),
         FOREIGN KEY (full_name) REFERENCES photo_blobs (name)",
    ),
    Step::Index("ix_photos_owner", "photos", "owner_id, listing_id"),
    Step::Index("ix_photos_listing", "photos", "listing_id, position"),
    Step::IndexWhere("ix_photos_free", "photos", "free_since", "free_since IS NOT NULL"),
    Step::Index("ix_photos_thumb", "photos", "thumb_name"),
    Step::Index("ix_photos_card", "photos", "card_name"),
    Step::Index("ix_photos_full", "photos", "full_name"),
];
