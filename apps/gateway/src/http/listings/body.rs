//! A listing as sellers send it.

use catalog::{Condition, Description, ListingInput, Location, Pincode, Place, Point, Price, Title};
use kernel::{CategoryId, FieldErrors, InvalidInput, Money, PhotoId};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType,
    Type,
};
use validator::Validate;

use crate::http::texts;

/// Where the thing is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LocationBody {
    #[schema(schema_with = city)]
    city: String,
    #[schema(schema_with = state)]
    state: String,
    /// PIN code.
    #[schema(example = "411001", pattern = "^[1-9][0-9]{5}$")]
    pincode: Option<String>,
    /// Degrees north; kept to three decimals. Only together with `longitude`.
    #[schema(example = 18.52, minimum = -90, maximum = 90)]
    latitude: Option<f64>,
    /// Degrees east; kept to three decimals. Only together with `latitude`.
    #[schema(example = 73.857, minimum = -180, maximum = 180)]
    longitude: Option<f64>,
}

/// All that a seller writes of a listing.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ListingBody {
    /// The category it stands in.
    category_id: CategoryId,
    #[schema(schema_with = title)]
    title: String,
    #[schema(schema_with = description)]
    description: String,
    #[schema(schema_with = price)]
    price: Money,
    /// Whether the price can be talked about.
    #[serde(default)]
    negotiable: bool,
    /// In what condition it is.
    condition: Condition,
    /// Where it is.
    location: LocationBody,
    #[serde(default)]
    #[schema(schema_with = attributes)]
    attributes: Map<String, Value>,
    #[serde(default)]
    #[schema(schema_with = photo_ids)]
    photo_ids: Vec<PhotoId>,
    /// Whether it is renewed by itself when its time runs out, three times at most.
    #[serde(default)]
    auto_renew: bool,
}

fn title() -> ObjectBuilder {
    texts::line(5, 100).description(Some("What it is")).examples(["iPhone 13, 128 GB, with box"])
}

fn description() -> ObjectBuilder {
    let example = "Bought in January, always in a case, battery at 90 %. With box, charger and bill.";
    texts::lines(20, 5_000).description(Some("All about it, as plain text")).examples([example])
}

fn city() -> ObjectBuilder {
    texts::line(2, 60).description(Some("City")).examples(["Pune"])
}

fn state() -> ObjectBuilder {
    texts::line(2, 60).description(Some("State")).examples(["Maharashtra"])
}

fn price() -> ObjectBuilder {
    let amount = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .description(Some("Paise"))
        .minimum(Some(0))
        .maximum(Some(Price::MAX.amount()));
    ObjectBuilder::new()
        .description(Some("What it costs: from nothing to ₹100 crore"))
        .property("amount", amount)
        .property("currency", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["INR"])))
        .required("amount")
        .required("currency")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples([serde_json::json!({"amount": 5_500_000, "currency": "INR"})])
}

fn attributes() -> ObjectBuilder {
    let of = |kind| ObjectBuilder::new().schema_type(SchemaType::Type(kind));
    let value = OneOfBuilder::new().item(of(Type::String)).item(of(Type::Integer)).item(of(Type::Boolean));
    ObjectBuilder::new()
        .description(Some("What the category asks, by the names in its `attributes`"))
        .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
        .examples([serde_json::json!({"brand": "Apple", "model": "iPhone 13", "storage": 128})])
}

fn photo_ids() -> ArrayBuilder {
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    ArrayBuilder::new()
        .items(id)
        .unique_items(true)
        .max_items(Some(30))
        .description(Some(
            "Its photos, uploaded before; the first is shown in lists. The setting `max_images_per_listing` bounds them",
        ))
}

impl ListingBody {
    /// The listing, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<ListingInput, InvalidInput> {
        let mut errors = FieldErrors::default();
        let title = errors.check("title", Title::parse(&self.title));
        let description = errors.check("description", Description::parse(&self.description));
        let price = errors.check("price.amount", Price::parse(self.price));
        let location = self.location.parse(&mut errors);
        match (title, description, price, location) {
            (Some(title), Some(description), Some(price), Some(location)) if errors.is_empty() => {
                Ok(ListingInput {
                    category: self.category_id,
                    title,
                    description,
                    price,
                    negotiable: self.negotiable,
                    condition: self.condition,
                    location,
                    attributes: self.attributes,
                    photos: self.photo_ids,
                    auto_renew: self.auto_renew,
                })
            }
            _ => Err(errors.into_error()),
        }
    }
}

impl LocationBody {
    fn parse(&self, errors: &mut FieldErrors) -> Option<Location> {
        let city = errors.check("location.city", Place::parse(&self.city));
        let state = errors.check("location.state", Place::parse(&self.state));
        let pincode = self.pincode.as_deref();
        let pincode = pincode.and_then(|text| errors.check("location.pincode", Pincode::parse(text)));
        let point = point(self.latitude, self.longitude).unwrap_or_else(|InvalidInput(faults)| {
            for fault in faults {
                errors.add(format!("location.{}", fault.field), "invalid_point", fault.message);
            }
            None
        });
        Some(Location { city: city?, state: state?, pincode, point })
    }
}

/// A point on the map, of which neither or both coordinates are given.
pub(super) fn point(latitude: Option<f64>, longitude: Option<f64>) -> Result<Option<Point>, InvalidInput> {
    let both = "latitude and longitude go together";
    match (latitude, longitude) {
        (None, None) => Ok(None),
        (Some(latitude), Some(longitude)) => Point::parse(latitude, longitude)
            .map(Some)
            .map_err(|(field, error)| InvalidInput(vec![error.of(field)])),
        (Some(_), None) => Err(InvalidInput::field("longitude", "required", both)),
        (None, Some(_)) => Err(InvalidInput::field("latitude", "required", both)),
    }
}
