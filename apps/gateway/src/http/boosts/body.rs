//! A boost plan as administrators send it, and a boost as sellers ask for it.

use catalog::{BoostKind, BoostPlanInput, PlanDays, PlanFeatures, PlanName, PlanPrice, Slug};
use kernel::{BoostPlanId, FieldErrors, InvalidInput, Money};
use serde::Deserialize;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type,
};
use validator::Validate;

use crate::http::texts;

/// Which plan to buy.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BoostBody {
    /// The plan.
    pub(super) plan_id: BoostPlanId,
}

/// All that can be written of a boost plan.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct BoostPlanBody {
    /// BOOST makes a listing stand out in lists, FEATURE puts it among the featured ones.
    kind: BoostKind,
    /// Its name in addresses; no other plan has it.
    #[schema(example = "weekend", min_length = 2, max_length = 60, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$")]
    slug: String,
    #[schema(schema_with = name)]
    name: String,
    #[schema(schema_with = price)]
    price: Money,
    /// For how many days.
    #[schema(example = 2, minimum = 1, maximum = 365)]
    days: i64,
    #[serde(default)]
    #[schema(schema_with = features)]
    features: Vec<String>,
    /// Whether the listing stands before others in lists.
    #[serde(default)]
    top_placement: bool,
    /// Whether the listing is shown in another colour.
    #[serde(default)]
    highlight: bool,
    /// Whether it is recommended.
    #[serde(default)]
    popular: bool,
    /// Its place among the plans, from low to high.
    #[serde(default)]
    #[schema(example = 50)]
    order: i32,
    /// Whether it can be bought; true by default.
    #[serde(default = "yes")]
    active: bool,
}

fn yes() -> bool {
    true
}

fn name() -> ObjectBuilder {
    texts::line(2, 60).description(Some("Its name for people")).examples(["Weekend"])
}

fn price() -> ObjectBuilder {
    let amount = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .description(Some("Paise"))
        .minimum(Some(PlanPrice::MIN.amount()))
        .maximum(Some(PlanPrice::MAX.amount()));
    ObjectBuilder::new()
        .description(Some("What it costs, tax included: ₹1 to ₹1,00,000"))
        .property("amount", amount)
        .property("currency", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["INR"])))
        .required("amount")
        .required("currency")
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples([serde_json::json!({"amount": 3_900, "currency": "INR"})])
}

fn features() -> ArrayBuilder {
    ArrayBuilder::new()
        .items(texts::line(1, 120))
        .max_items(Some(PlanFeatures::MAX))
        .description(Some("What it gives, in words"))
        .examples([serde_json::json!(["Stands before other listings from Friday to Sunday"])])
}

impl BoostPlanBody {
    /// The plan, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<BoostPlanInput, InvalidInput> {
        let mut errors = FieldErrors::default();
        let slug = errors.check("slug", Slug::parse(&self.slug));
        let name = errors.check("name", PlanName::parse(&self.name));
        let price = errors.check("price.amount", PlanPrice::parse(self.price));
        let days = errors.check("days", PlanDays::parse(self.days));
        let features = errors.check("features", PlanFeatures::parse(&self.features));
        match (slug, name, price, days, features) {
            (Some(slug), Some(name), Some(price), Some(days), Some(features)) => Ok(BoostPlanInput {
                kind: self.kind,
                slug,
                name,
                price,
                days,
                features,
                top_placement: self.top_placement,
                highlight: self.highlight,
                popular: self.popular,
                order: self.order,
                active: self.active,
            }),
            _ => Err(errors.into_error()),
        }
    }
}
