//! What is sold in India's classifieds, for how much, and where: enough of it that no two listings look alike.

use catalog::{AttributeKind, AttributeSpec, CatalogError, Condition, Location, Pincode, Place};
use kernel::ParseError;
use serde_json::{Map, Value as Json};

use crate::dice::Dice;

/// What is sold in a category.
#[derive(Debug)]
pub(crate) struct Goods {
    /// The category.
    pub(crate) slug: &'static str,
    /// How much of it there is, beside the others.
    pub(crate) weight: u64,
    /// The cheapest and the dearest, in rupees.
    pub(crate) rupees: (u64, u64),
    things: [&'static str; 4],
}

const fn goods(slug: &'static str, weight: u64, rupees: (u64, u64), things: [&'static str; 4]) -> Goods {
    Goods { slug, weight, rupees, things }
}

/// Everything that is sold.
pub(crate) const GOODS: [Goods; 16] = [
    goods("mobiles", 20, (3_000, 120_000), ["iPhone 13", "Galaxy S23", "OnePlus 11R", "Redmi Note 12"]),
    goods(
        "laptops",
        9,
        (12_000, 180_000),
        ["MacBook Air M2", "ThinkPad T14", "Inspiron 15", "ROG Strix G15"],
    ),
    goods("tablets", 3, (6_000, 90_000), ["iPad Air", "Galaxy Tab S8", "Xiaomi Pad 6", "Lenovo Tab P11"]),
    goods("tvs", 5, (7_000, 150_000), ["Bravia 55 inch", "Samsung Frame", "LG OLED C2", "Mi TV 43 inch"]),
    goods("cars", 14, (120_000, 3_000_000), ["Maruti Swift", "Hyundai Creta", "Tata Nexon", "Honda City"]),
    goods(
        "bikes",
        10,
        (20_000, 300_000),
        ["Royal Enfield Classic 350", "Pulsar 150", "KTM Duke 390", "Hero Splendor"],
    ),
    goods(
        "scooters",
        5,
        (15_000, 150_000),
        ["Honda Activa 6G", "Ola S1 Pro", "TVS Jupiter", "Suzuki Access 125"],
    ),
    goods(
        "houses",
        4,
        (1_500_000, 30_000_000),
        ["Independent house", "Villa with garden", "Row house", "Duplex"],
    ),
    goods(
        "apartments",
        8,
        (1_200_000, 20_000_000),
        ["2 BHK flat", "3 BHK apartment", "Studio flat", "Penthouse"],
    ),
    goods("plots", 3, (500_000, 50_000_000), ["Corner plot", "Gated plot", "Farm land", "Commercial plot"]),
    goods("men", 4, (200, 8_000), ["Denim jacket", "Running shoes", "Kurta set", "Formal shirt"]),
    goods("women", 5, (200, 15_000), ["Banarasi saree", "Lehenga", "Anarkali suit", "Handbag"]),
    goods("kids", 2, (150, 4_000), ["School bag", "Frock", "Sherwani", "Sports shoes"]),
    goods("sofa-chairs", 4, (1_500, 80_000), ["L-shaped sofa", "Recliner", "Office chair", "Rocking chair"]),
    goods("beds", 3, (3_000, 60_000), ["King size bed", "Bunk bed", "Diwan", "Queen size bed"]),
    goods("tables", 3, (800, 40_000), ["Dining table", "Study table", "Coffee table", "Computer table"]),
];

const PLACES: [(&str, &str, &str); 8] = [
    ("Pune", "Maharashtra", "411001"),
    ("Mumbai", "Maharashtra", "400001"),
    ("Bengaluru", "Karnataka", "560001"),
    ("Hyderabad", "Telangana", "500001"),
    ("Chennai", "Tamil Nadu", "600001"),
    ("Jaipur", "Rajasthan", "302001"),
    ("Lucknow", "Uttar Pradesh", "226001"),
    ("Kochi", "Kerala", "682001"),
];

const PRAISE: [&str; 5] =
    ["single owner", "hardly used", "with bill and box", "urgent sale", "excellent condition"];

impl Goods {
    /// A title and a description.
    pub(crate) fn text(&self, dice: &mut Dice) -> (String, String) {
        let thing = choice(dice, &self.things);
        let praise = choice(dice, &PRAISE);
        let number = dice.below(10_000);
        let description = format!(
            "Selling my {thing}, {praise}. Bought by me and looked after well; everything works as it should. \
             Can be seen on any day after six in the evening. Reference {number}. Price can be talked about a little, \
             no exchange please."
        );
        (format!("{thing}, {praise}"), description)
    }

    /// A price in paise: cheap things are more common than dear ones.
    pub(crate) fn paise(&self, dice: &mut Dice) -> u64 {
        let (low, high) = self.rupees;
        let spread = dice.below(high - low).min(dice.below(high - low));
        (low + spread) / 10 * 1_000
    }

    /// A band of prices that holds a good part of what there is, in paise.
    pub(crate) fn band(&self) -> (u64, u64) {
        let (low, high) = self.rupees;
        let spread = high - low;
        ((low + spread / 20) * 100, (low + spread / 2) * 100)
    }
}

/// Somewhere.
pub(crate) fn place(dice: &mut Dice) -> Result<Location, ParseError> {
    let (city, state, pincode) = PLACES.get(dice.index(PLACES.len())).copied().unwrap_or_default();
    Ok(Location {
        city: Place::parse(city)?,
        state: Place::parse(state)?,
        pincode: Some(Pincode::parse(pincode)?),
        point: None,
    })
}

/// Some condition.
pub(crate) fn condition(dice: &mut Dice) -> Result<Condition, CatalogError> {
    Condition::ALL.get(dice.index(Condition::ALL.len())).copied().ok_or(CatalogError::Forbidden)
}

/// A value for each attribute.
pub(crate) fn attributes(specs: &[AttributeSpec], dice: &mut Dice) -> Map<String, Json> {
    let value = |spec: &AttributeSpec, dice: &mut Dice| match spec.kind {
        AttributeKind::Text => Json::from(choice(dice, &["Classic", "Black", "Special edition"])),
        AttributeKind::Boolean => Json::from(dice.below(2) == 0),
        AttributeKind::Integer => {
            let low = spec.min.unwrap_or(0);
            let high = spec.max.unwrap_or(100);
            let above = dice.below(u64::try_from(high - low).unwrap_or(0) + 1);
            Json::from(low.saturating_add_unsigned(above))
        }
        AttributeKind::Choice => {
            let options = spec.options.as_deref().unwrap_or_default();
            Json::from(options.get(dice.index(options.len())).cloned())
        }
    };
    specs.iter().map(|spec| (spec.name.clone(), value(spec, dice))).collect()
}

fn choice<'a>(dice: &mut Dice, of: &[&'a str]) -> &'a str {
    of.get(dice.index(of.len())).copied().unwrap_or_default()
}
