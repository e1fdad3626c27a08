//! A category as administrators send it.

use catalog::{AttributeSchema, AttributeSpec, CategoryIcon, CategoryInput, CategoryName, ExpiryDays, Slug};
use kernel::{CategoryId, FieldErrors, InvalidInput};
use serde::Deserialize;
use utoipa::openapi::schema::ObjectBuilder;
use validator::Validate;

use crate::http::texts;

/// All that can be written of a category.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CategoryBody {
    /// Its name in addresses; no other category has it.
    #[schema(
        example = "musical-instruments",
        min_length = 2,
        max_length = 60,
        pattern = "^[a-z0-9]+(-[a-z0-9]+)*$"
    )]
    slug: String,
    #[schema(schema_with = name)]
    name: String,
    /// An icon's name, a path of this site or an https address.
    #[schema(
        example = "piano",
        min_length = 1,
        max_length = 200,
        pattern = "^[A-Za-z0-9_.-][A-Za-z0-9_./-]*$"
    )]
    icon: Option<String>,
    /// The category above it; none at the top. The tree has three levels.
    parent_id: Option<CategoryId>,
    /// What its listings tell of themselves.
    #[serde(default)]
    #[schema(max_items = 30)]
    attributes: Vec<AttributeSpec>,
    /// Whether its listings become ACTIVE without review.
    #[serde(default)]
    auto_approve: bool,
    /// For how many days its listings run; without it, as long as the setting `listing_expiry_days` says.
    #[schema(example = 45, minimum = 1, maximum = 365)]
    expiry_days: Option<i64>,
    /// Its place among its siblings, from low to high.
    #[serde(default)]
    #[schema(example = 10)]
    order: i32,
    /// Whether people see it and may list in it; true by default.
    #[serde(default = "yes")]
    active: bool,
}

fn yes() -> bool {
    true
}

fn name() -> ObjectBuilder {
    texts::line(2, 80).description(Some("Its name for people")).examples(["Musical instruments"])
}

impl CategoryBody {
    /// The category, or everything that is wrong with it.
    pub(super) fn parse(self) -> Result<CategoryInput, InvalidInput> {
        let mut errors = FieldErrors::default();
        let slug = errors.check("slug", Slug::parse(&self.slug));
        let name = errors.check("name", CategoryName::parse(&self.name));
        let icon = self.icon.map(|icon| errors.check("icon", CategoryIcon::parse(&icon)));
        let expiry_days = self.expiry_days.map(|days| errors.check("expiryDays", ExpiryDays::parse(days)));
        let attributes = AttributeSchema::parse(self.attributes);
        match (slug, name, attributes) {
            (Some(slug), Some(name), Ok(attributes)) if errors.is_empty() => Ok(CategoryInput {
                slug,
                name,
                icon: icon.flatten(),
                parent: self.parent_id,
                attributes,
                auto_approve: self.auto_approve,
                expiry_days: expiry_days.flatten(),
                order: self.order,
                active: self.active,
            }),
            (_, _, attributes) => {
                let mut all = errors.into_error().0;
                all.extend(attributes.err().into_iter().flat_map(|InvalidInput(more)| more));
                Err(InvalidInput(all))
            }
        }
    }
}
