//! What the tests of listings stand on: a catalogue with two categories, people, and things to sell.

use std::sync::Arc;

use catalog::{
    AttributeSchema, Catalog, CatalogConfig, CatalogError, CategoryInput, CategoryName, Condition, Decision,
    Description, ListingFilters, ListingInput, ListingQuery, ListingSettings, ListingView, Location, Place,
    Price, Reviewed, Slug, Title,
};
use kernel::{
    Actor, Ambient, Caller, CategoryId, CursorCodec, InvalidInput, ListingId, Money, Origin, Paging, Role,
    UserId,
};
use serde_json::{Value as Json, json};
use store::Engine;
use testkit::{FakeClock, TestDb};

pub(crate) const SETTINGS: ListingSettings = ListingSettings { max_images: 3, expiry_days: 30 };

/// A catalogue, its clock, a category without review and one with it.
pub(crate) struct Shop {
    pub(crate) catalog: Catalog,
    pub(crate) ambient: Ambient,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) open: CategoryId,
    pub(crate) reviewed: CategoryId,
}

pub(crate) fn catalog(db: &TestDb, ambient: &Ambient) -> Catalog {
    let config = CatalogConfig {
        cursors: CursorCodec::new(b"0123456789abcdef0123456789abcdef"),
        media: catalog::photo::MediaUrls::default(),
    };
    Catalog::new(db.database().clone(), ambient.clone(), config)
}

impl Shop {
    pub(crate) async fn open(db: &TestDb) -> Self {
        let clock = FakeClock::at("2026-01-01T06:00:00Z");
        let ambient = testkit::ambient(&clock);
        let catalog = catalog(db, &ambient);
        let attributes = json!([
            {"name": "brand", "label": "Brand", "kind": "choice", "options": ["Apple", "One Plus"],
             "required": true, "filterable": true},
            {"name": "ram", "label": "RAM", "kind": "integer", "min": 1, "max": 64, "filterable": true},
            {"name": "model", "label": "Model", "kind": "text"},
        ]);
        let open = CategoryInput { auto_approve: true, ..category("open", None) };
        let reviewed = CategoryInput { attributes: schema(attributes), ..category("reviewed", None) };
        let open = catalog.create_category(&admin(), &open).await.unwrap().id;
        let reviewed = catalog.create_category(&admin(), &reviewed).await.unwrap().id;
        Self { catalog, ambient, clock, open, reviewed }
    }

    pub(crate) fn person(&self) -> Actor {
        person(Role::User)
    }

    /// Something for sale in the category without review.
    pub(crate) fn thing(&self, title: &str) -> ListingInput {
        ListingInput {
            category: self.open,
            title: Title::parse(title).unwrap(),
            description: Description::parse("Hardly ever used, kept indoors.").unwrap(),
            price: Price::parse(Money::inr(10_000)).unwrap(),
            negotiable: false,
            condition: Condition::Good,
            location: Location {
                city: Place::parse("Pune").unwrap(),
                state: Place::parse("Maharashtra").unwrap(),
                pincode: None,
                point: None,
            },
            attributes: serde_json::Map::new(),
            photos: Vec::new(),
            auto_renew: false,
        }
    }

    /// Something for sale in the category with review.
    pub(crate) fn phone(&self) -> ListingInput {
        let attributes = json!({"brand": "Apple", "ram": 8}).as_object().unwrap().clone();
        ListingInput { category: self.reviewed, attributes, ..self.thing("Good old phone") }
    }

    pub(crate) async fn create(&self, seller: &Actor, input: &ListingInput) -> ListingView {
        self.catalog.create_listing(seller, input, true, &SETTINGS).await.unwrap()
    }

    pub(crate) async fn review(
        &self,
        db: &TestDb,
        caller: &Caller,
        id: ListingId,
        decision: &Decision,
    ) -> Result<Reviewed, CatalogError> {
        db.in_txn(async |txn| {
            let listing = self.catalog.lock_for_review_in_txn(txn, id).await?;
            self.catalog.decide_in_txn(txn, caller, listing, decision, &SETTINGS).await
        })
        .await
    }

    pub(crate) async fn approve(&self, db: &TestDb, id: ListingId) {
        self.review(db, &staff(Role::Moderator), id, &Decision::Approve).await.unwrap();
    }

    /// The ids that a search finds, in its order, and how many there are in all.
    pub(crate) async fn find(&self, viewer: Option<&Actor>, query: &ListingQuery) -> Vec<ListingId> {
        let paging = Paging::Numbered { page: 1, limit: 100 };
        let page = self.catalog.search_listings(viewer, query, &paging).await.unwrap();
        assert_eq!(page.pagination.total, Some(u64::try_from(page.data.len()).unwrap()));
        page.data.into_iter().map(|card| card.id).collect()
    }

    /// The category's count of ACTIVE listings, as it is stored.
    pub(crate) async fn count(&self, db: &TestDb, category: CategoryId) -> i64 {
        let sql = "SELECT active_listings AS n FROM category_counts WHERE category_id = ?";
        number(db, sql, uuid(category)).await
    }
}

pub(crate) fn query(filters: ListingFilters) -> ListingQuery {
    ListingQuery::new(filters, None, None, None).unwrap()
}

pub(crate) fn person(role: Role) -> Actor {
    let ambient = Ambient::system();
    Actor::Person { user: ambient.new_id(), role, session: ambient.new_id(), staff: None }
}

pub(crate) fn id_of(actor: &Actor) -> UserId {
    actor.user().unwrap()
}

pub(crate) fn staff(role: Role) -> Caller {
    Caller { actor: person(role), origin: Origin::default() }
}

pub(crate) fn admin() -> Caller {
    staff(Role::Admin)
}

pub(crate) fn schema(specs: Json) -> AttributeSchema {
    AttributeSchema::parse(serde_json::from_value(specs).unwrap()).unwrap()
}

pub(crate) fn category(slug: &str, parent: Option<CategoryId>) -> CategoryInput {
    CategoryInput {
        slug: Slug::parse(slug).unwrap(),
        name: CategoryName::parse(slug).unwrap(),
        icon: None,
        parent,
        attributes: AttributeSchema::default(),
        auto_approve: false,
        expiry_days: None,
        order: 0,
        active: true,
    }
}

pub(crate) fn uuid(id: impl kernel::TypedId) -> sea_orm::Value {
    id.uuid().into()
}

/// The one number, named `n`, that a statement with one value finds.
pub(crate) async fn number(db: &TestDb, sql: &str, value: sea_orm::Value) -> i64 {
    use sea_orm::ConnectionTrait;
    let statement = db.engine().statement(sql, [value]);
    let row = db.reader().unwrap().query_one_raw(statement).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// The kinds of the events told of a listing, in their order.
pub(crate) async fn events(db: &TestDb, id: ListingId) -> Vec<String> {
    use sea_orm::ConnectionTrait;
    let sql = "SELECT kind FROM outbox_events WHERE subject = ? ORDER BY position";
    let statement = Engine::statement(db.engine(), sql, [format!("listing:{id}").into()]);
    let rows = db.reader().unwrap().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get::<String>("", "kind").unwrap()).collect()
}

pub(crate) fn code<T>(result: Result<T, CatalogError>) -> &'static str {
    use kernel::DomainError;
    result.err().unwrap().code()
}

/// Field and code of everything that was wrong.
pub(crate) fn faults<T>(result: Result<T, CatalogError>) -> Vec<(String, String)> {
    match result.err().unwrap() {
        CatalogError::Invalid(InvalidInput(errors)) => {
            errors.into_iter().map(|error| (error.field, error.code)).collect()
        }
        other => panic!("{other}"),
    }
}
