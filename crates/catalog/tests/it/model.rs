//! Search against a model: 200 listings, random combinations of filters, orders and pages, on every engine the same as
//! a plain loop over the listings in memory.

use catalog::{
    AttributeFilters, CategoryInput, Condition, ListingFilters, ListingInput, ListingQuery, ListingSort,
    ListingStatus, Place, Point, Price, SearchWords, SortOrder, Title,
};
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Actor, Ambient, CategoryId, ListingId, Money, Paging, UserId};
use serde_json::json;
use testkit::{Domain, Scope, SeededEntropy, TestDb, on_every_engine};

use crate::shop::{Shop, admin, category, id_of, schema};

const WORDS: [&str; 6] = ["red", "Blue", "bicycle", "sofa", "साइकिल", "लाल"];
const CITIES: [&str; 3] = ["Pune", "Mumbai", "नई दिल्ली"];
const BRANDS: [&str; 3] = ["Apple", "One Plus", "Nothing"];

/// Repeatable dice.
struct Dice(Ambient);

impl Dice {
    fn new(seed: u64) -> Self {
        let clock = std::sync::Arc::new(kernel::SystemClock);
        Self(Ambient::new(clock, std::sync::Arc::new(SeededEntropy::new(seed))))
    }

    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.random_below(u64::try_from(bound).unwrap())).unwrap()
    }

    fn one_in(&self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Clone>(&self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A listing as the model knows it.
#[derive(Debug, Clone)]
struct Known {
    id: ListingId,
    seller: UserId,
    category: CategoryId,
    words: Vec<String>,
    price: i64,
    city: String,
    condition: Condition,
    brand: Option<String>,
    ram: Option<i64>,
    point: Option<Point>,
    views: i64,
    listed_at: DateTime<Utc>,
    status: ListingStatus,
}

/// What is asked, in the model's terms.
#[derive(Debug, Clone)]
struct Asked {
    category: Option<CategoryId>,
    words: Vec<String>,
    min: Option<i64>,
    max: Option<i64>,
    city: Option<String>,
    condition: Option<Condition>,
    seller: Option<UserId>,
    brands: Vec<String>,
    ram: Option<i64>,
    sort: ListingSort,
    order: SortOrder,
    near: Point,
}

struct World {
    shop: Shop,
    root: CategoryId,
    child: CategoryId,
    sellers: Vec<Actor>,
    known: Vec<Known>,
}

fn starts(word: &str, asked: &str, is_last: bool) -> bool {
    let (word, asked) = (word.to_lowercase(), asked.to_lowercase());
    if is_last { word.starts_with(&asked) } else { word == asked }
}

impl Asked {
    fn fits(&self, one: &Known, world: &World) -> bool {
        let category = match self.category {
            None => true,
            Some(id) if id == world.root => true,
            Some(id) => one.category == id,
        };
        // Every thing is described alike; only titles differ.
        let described = "Hardly ever used kept indoors Maharashtra";
        let texts: Vec<&str> = described
            .split(' ')
            .chain(one.words.iter().map(String::as_str))
            .chain(one.city.split(' '))
            .chain(one.brand.iter().flat_map(|brand| brand.split(' ')))
            .collect();
        let last = self.words.len().saturating_sub(1);
        let mut words = self.words.iter().enumerate();
        one.status == ListingStatus::Active
            && category
            && words.all(|(n, asked)| texts.iter().any(|word| starts(word, asked, n == last)))
            && self.min.is_none_or(|min| one.price >= min)
            && self.max.is_none_or(|max| one.price <= max)
            && self.city.as_ref().is_none_or(|city| one.city.to_lowercase() == city.to_lowercase())
            && self.condition.is_none_or(|condition| one.condition == condition)
            && self.seller.is_none_or(|seller| one.seller == seller)
            && (self.brands.is_empty() || one.brand.as_ref().is_some_and(|brand| self.brands.contains(brand)))
            && self.ram.is_none_or(|ram| one.ram == Some(ram))
            && (self.sort != ListingSort::Distance || one.point.is_some())
    }

    fn key(&self, one: &Known) -> (i64, i64, ListingId) {
        let listed = one.listed_at.timestamp_micros();
        match self.sort {
            ListingSort::CreatedAt => (listed, 0, one.id),
            ListingSort::Price => (one.price, 0, one.id),
            ListingSort::Views => (one.views, 0, one.id),
            ListingSort::Relevance => {
                let last = self.words.len() - 1;
                let in_title = self
                    .words
                    .iter()
                    .enumerate()
                    .filter(|(n, asked)| one.words.iter().any(|word| starts(word, asked, *n == last)))
                    .count();
                (i64::try_from(in_title).unwrap(), listed, one.id)
            }
            ListingSort::Distance => {
                let point = one.point.unwrap();
                let north = point.latitude_e3() - self.near.latitude_e3();
                let east = point.longitude_e3() - self.near.longitude_e3();
                let cosine = self.near.latitude().to_radians().cos();
                let scale: i64 = format!("{:.0}", cosine * cosine * 1e6).parse().unwrap();
                (north * north * 1_000_000 + east * east * scale, listed, one.id)
            }
        }
    }

    /// What the model finds, in its order.
    fn answer(&self, world: &World) -> Vec<ListingId> {
        let mut found: Vec<_> =
            world.known.iter().filter(|one| self.fits(one, world)).map(|one| self.key(one)).collect();
        found.sort_unstable();
        if self.order == SortOrder::Desc {
            found.reverse();
        }
        found.into_iter().map(|(_, _, id)| id).collect()
    }

    fn query(&self) -> ListingQuery {
        let mut attributes: Vec<String> = self.brands.iter().map(|brand| format!("brand:{brand}")).collect();
        attributes.extend(self.ram.map(|ram| format!("ram:{ram}")));
        let attributes = match attributes.is_empty() {
            true => AttributeFilters::default(),
            false => AttributeFilters::parse(&attributes.join(",")).unwrap(),
        };
        let search = match self.words.is_empty() {
            true => None,
            false => Some(SearchWords::parse(&self.words.join(" ")).unwrap()),
        };
        let filters = ListingFilters {
            category: self.category,
            search,
            min_price: self.min,
            max_price: self.max,
            city: self.city.as_ref().map(|city| Place::parse(city).unwrap()),
            state: None,
            attributes,
            condition: self.condition,
            seller: self.seller,
            ..ListingFilters::default()
        };
        ListingQuery::new(filters, Some(self.sort), Some(self.order), Some(self.near)).unwrap()
    }
}

fn ask(dice: &Dice, world: &World) -> Asked {
    let words = match dice.one_in(2) {
        true => Vec::new(),
        false => (0..=dice.below(2))
            .map(|_| {
                let word: String = dice.pick(&WORDS).to_uppercase();
                let length = word.chars().count();
                word.chars().take(if dice.one_in(3) { 2 } else { length }).collect()
            })
            .collect::<Vec<String>>(),
    };
    let sorts = if words.is_empty() {
        vec![ListingSort::CreatedAt, ListingSort::Price, ListingSort::Views, ListingSort::Distance]
    } else {
        ListingSort::ALL.to_vec()
    };
    let maybe = |n| dice.one_in(n);
    let max = maybe(4).then(|| i64::try_from(dice.below(12)).unwrap());
    Asked {
        category: maybe(3).then(|| dice.pick(&[world.root, world.child])),
        min: maybe(4).then(|| i64::try_from(dice.below(8)).unwrap().min(max.unwrap_or(8))),
        max,
        city: maybe(4).then(|| dice.pick(&CITIES).to_uppercase()),
        condition: maybe(4).then(|| dice.pick(&[Condition::New, Condition::Good])),
        seller: maybe(5).then(|| id_of(&dice.pick(&world.sellers))),
        brands: if maybe(4) {
            vec![dice.pick(&BRANDS).to_owned(), dice.pick(&BRANDS).to_owned()]
        } else {
            vec![]
        },
        ram: maybe(6).then(|| i64::try_from(1 + dice.below(3)).unwrap()),
        sort: dice.pick(&sorts),
        order: dice.pick(&[SortOrder::Asc, SortOrder::Desc]),
        near: Point::parse(18.5, 73.8).unwrap(),
        words,
    }
}

impl World {
    async fn make(db: &TestDb, dice: &Dice) -> Self {
        let shop = Shop::open(db).await;
        let specs = json!([
            {"name": "brand", "label": "Brand", "kind": "choice", "options": BRANDS, "filterable": true},
            {"name": "ram", "label": "RAM", "kind": "integer", "filterable": true},
        ]);
        let of = |slug: &str, parent| CategoryInput {
            auto_approve: true,
            attributes: schema(specs.clone()),
            ..category(slug, parent)
        };
        let root = shop.catalog.create_category(&admin(), &of("root", None)).await.unwrap().id;
        let child = shop.catalog.create_category(&admin(), &of("child", Some(root))).await.unwrap().id;
        let sellers = vec![shop.person(), shop.person(), shop.person()];
        let mut world = Self { shop, root, child, sellers, known: Vec::new() };
        for _ in 0..200 {
            let one = world.add(dice).await;
            world.known.push(one);
        }
        world.shop.catalog.flush_views().await.unwrap();
        world
    }

    async fn add(&self, dice: &Dice) -> Known {
        let shop = &self.shop;
        if dice.one_in(2) {
            shop.clock.advance(TimeDelta::seconds(1));
        }
        let seller = dice.pick(&self.sellers);
        let words: Vec<String> = (0..3).map(|_| dice.pick(&WORDS).to_owned()).collect();
        let brand = dice.one_in(2).then(|| dice.pick(&BRANDS).to_owned());
        let ram = dice.one_in(2).then(|| i64::try_from(1 + dice.below(3)).unwrap());
        let thousandth = |base: f64| base + f64::from(i32::try_from(dice.below(9)).unwrap()) / 1_000.0;
        let point = (!dice.one_in(4)).then(|| Point::parse(thousandth(18.496), thousandth(73.796)).unwrap());
        let mut input = shop.thing("placeholder");
        input.category = dice.pick(&[self.root, self.child]);
        input.title = Title::parse(&words.join(" ")).unwrap();
        input.price = Price::parse(Money::inr(i64::try_from(dice.below(10)).unwrap())).unwrap();
        input.condition = dice.pick(&[Condition::New, Condition::Good, Condition::Poor]);
        input.location.city = Place::parse(dice.pick(&CITIES)).unwrap();
        input.location.point = point;
        input.attributes = json!({"brand": brand, "ram": ram}).as_object().unwrap().clone();
        let view = shop.create(&seller, &ListingInput { ..input.clone() }).await;
        let views = dice.below(4);
        for n in 0..views {
            shop.catalog.record_view(None, &format!("192.0.2.{n}"), &view);
        }
        let mut status = view.status;
        if dice.one_in(8) {
            status = shop.catalog.pause_listing(&seller, view.id).await.unwrap().status;
        }
        Known {
            id: view.id,
            seller: view.seller_id,
            category: input.category,
            words,
            price: view.price.amount(),
            city: view.location.city,
            condition: view.condition,
            brand,
            ram,
            point,
            views: i64::try_from(views).unwrap(),
            listed_at: view.published_at.unwrap(),
            status,
        }
    }

    /// Every numbered page, one after another, with the total that each of them tells.
    async fn leaf(&self, query: &ListingQuery, limit: u32) -> Vec<ListingId> {
        let mut found = Vec::new();
        for page in 1.. {
            let paging = Paging::Numbered { page, limit };
            let answer = self.shop.catalog.search_listings(None, query, &paging).await.unwrap();
            found.extend(answer.data.iter().map(|card| card.id));
            if u64::from(page) >= answer.pagination.total_pages.unwrap() {
                assert_eq!(answer.pagination.total, Some(u64::try_from(found.len()).unwrap()));
                break;
            }
        }
        found
    }

    /// The whole feed, cursor by cursor.
    async fn walk(&self, query: &ListingQuery, limit: u32) -> Vec<ListingId> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let paging = Paging::After { cursor, limit };
            let page = self.shop.catalog.search_listings(None, query, &paging).await.unwrap();
            found.extend(page.data.iter().map(|card| card.id));
            cursor = page.pagination.next_cursor;
            if cursor.is_none() {
                return found;
            }
        }
    }
}

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn search_answers_as_the_model_does(db: TestDb) {
        let dice = Dice::new(20_260_101);
        let world = World::make(db, &dice).await;
        let mut not_empty = 0;
        for _ in 0..150 {
            let asked = ask(&dice, &world);
            let (query, answer) = (asked.query(), asked.answer(&world));
            not_empty += i32::from(!answer.is_empty());
            let limit = u32::try_from(5 + dice.below(40)).unwrap();
            assert_eq!(world.leaf(&query, limit).await, answer, "pages of {asked:?}");
            assert_eq!(world.walk(&query, limit).await, answer, "feed of {asked:?}");
        }
        assert!(not_empty > 60, "the dice asked for too little: {not_empty}");
    }
}
