//! Word search: the same finds on all three engines.

use catalog::{Description, ListingFilters, ListingInput, SearchWords, Title};
use testkit::{Domain, Scope, on_every_engine};

use crate::shop::{SETTINGS, Shop, query};

/// Titles and descriptions, by their place.
const CORPUS: &[(&str, &str)] = &[
    ("Red BICYCLE for kids", "A small bicycle, hardly used, with training wheels."),
    ("Apple iPhone 13 (128GB)", "Battery at 90%, with box and charger. No scratches."),
    ("TV stand in oak", "Fits every TV up to 55 inches; the wood is solid."),
    ("पुरानी साइकिल बिकाऊ है", "अच्छी हालत में, हिन्दी में बात करें। रंग लाल।"),
    ("ताज़ा रंग का सोफ़ा", "तीन लोगों के लिए, बहुत आरामदायक सोफ़ा है।"),
    ("The best of the west", "It is what it is, and that was that; who knows why."),
    ("Ürün café ÉCLAIR set", "Porcelain from the seventies, with a cafe\u{301} pattern."),
    ("O'Neill jacket size M", "Warm; 'as new'. Code C++ & \"quotes\" -- (brackets) * % _ \\ ;"),
    ("Zebra crossing poster", "Pizza zone: zzz top and jazz on a poster of 50x70."),
];

/// Searches, and the places in the corpus of what they find.
const SEARCHES: &[(&str, &[usize])] = &[
    ("bicycle", &[0]),
    ("BiCyCle", &[0]),
    ("bic", &[0]),
    ("bicy red", &[]),
    ("red bicy", &[0]),
    ("bicycle iphone", &[]),
    ("iphone 13", &[1]),
    ("iphone 128gb box", &[1]),
    ("tv", &[2]),
    ("TV 55", &[2]),
    ("साइकिल", &[3]),
    ("साइ", &[3]),
    ("हिन्दी", &[3]),
    ("हिन", &[3]),
    ("लाल", &[3]),
    ("रंग", &[3, 4]),
    ("रंग लाल", &[3]),
    ("ताजा सोफा", &[4]),
    ("ताज़ा सोफ़ा", &[4]),
    ("the", &[2, 5, 6]),
    ("of the west", &[5]),
    ("it is that was", &[5]),
    ("éclair", &[6]),
    ("ÉCL", &[6]),
    ("ürün", &[6]),
    ("urun", &[6]),
    ("U\u{308}RU\u{308}N CAFE\u{301}", &[6]),
    ("cafe pattern", &[6]),
    ("o'neill", &[7]),
    ("neill m", &[7]),
    ("c++", &[1, 6, 7, 8]),
    ("\"quotes\"", &[7]),
    ("+brackets -new", &[7]),
    ("brackets*", &[7]),
    ("'; DROP TABLE listings; --", &[]),
    ("new OR west", &[]),
    ("NOT west", &[]),
    ("z", &[8]),
    ("zz", &[8]),
    ("zeb", &[8]),
    ("pizza zo", &[8]),
    ("maharashtra bicycle", &[0]),
    ("पुणे", &[]),
];

on_every_engine! { Scope::Domain(Domain::Catalog) =>
    async fn the_same_words_find_the_same_listings(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let mut ids = Vec::new();
        for (title, description) in CORPUS {
            let description = Description::parse(description).unwrap();
            ids.push(shop.create(&seller, &ListingInput { description, ..shop.thing(title) }).await.id);
        }
        for (text, expected) in SEARCHES {
            let search = Some(SearchWords::parse(text).unwrap());
            let mut found = shop.find(None, &query(ListingFilters { search, ..ListingFilters::default() })).await;
            found.sort_unstable();
            let mut expected: Vec<_> = expected.iter().map(|at| ids[*at]).collect();
            expected.sort_unstable();
            let places: Vec<_> = found.iter().map(|id| ids.iter().position(|other| other == id)).collect();
            assert_eq!(found, expected, "{text} found {places:?}");
        }
    }

    async fn what_changes_or_goes_is_found_no_more(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let id = shop.create(&seller, &shop.thing("A red bicycle")).await.id;
        let find = async |text: &str| {
            let search = Some(SearchWords::parse(text).unwrap());
            shop.find(None, &query(ListingFilters { search, ..ListingFilters::default() })).await
        };
        assert_eq!(find("bicycle").await, [id]);
        let edited = ListingInput { title: Title::parse("A blue tricycle").unwrap(), ..shop.thing("A red bicycle") };
        shop.catalog.edit_listing(&seller, id, None, &edited, &SETTINGS).await.unwrap();
        assert_eq!((find("bicycle").await, find("tricycle").await), (vec![], vec![id]));
        shop.catalog.delete_listing(&seller, id, None).await.unwrap();
        assert_eq!(find("tricycle").await, []);
    }

    async fn words_in_the_title_count_more(db: TestDb) {
        let shop = Shop::open(db).await;
        let seller = shop.person();
        let described = |title: &str, text: &str| ListingInput {
            description: Description::parse(text).unwrap(),
            ..shop.thing(title)
        };
        let both = shop.create(&seller, &described("Red bicycle pump", "Works for every valve there is.")).await.id;
        let one = shop.create(&seller, &described("Bicycle pump", "It is red and works for every valve.")).await.id;
        let none = shop.create(&seller, &described("Pumps", "For a red bicycle or whatever else.")).await;
        let search = Some(SearchWords::parse("red bicycle").unwrap());
        let found = shop.find(None, &query(ListingFilters { search, ..ListingFilters::default() })).await;
        assert_eq!(found, [both, one, none.id]);
    }
}
