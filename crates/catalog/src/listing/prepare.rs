//! What is checked of a seller's input against the category and the settings, before it is written.

use kernel::{FieldErrors, InvalidInput};
use store::StoreError;

use super::{ListingInput, ListingSettings, words};
use crate::CatalogError;
use crate::category::{AttributeValues, Category, CategoryTree, Completeness};
use crate::error::is_foreign_key_violation;

/// An input that may be written.
pub(super) struct Prepared {
    pub(super) attributes: AttributeValues,
    /// The attributes as the row keeps them.
    pub(super) attributes_json: String,
    /// The terms under which the listing is found.
    pub(super) document: String,
}

/// Checks an input. A listing may stay in a category that was closed since.
pub(super) fn prepare(
    tree: &CategoryTree,
    input: &ListingInput,
    completeness: Completeness,
    settings: &ListingSettings,
    stays: bool,
) -> Result<Prepared, InvalidInput> {
    let mut errors = FieldErrors::default();
    if input.photos.len() > settings.max_images {
        let message = format!("must be at most {}", settings.max_images);
        errors.add("photoIds", "too_many", message);
    }
    let category = open_category(tree, input, stays);
    let attributes = match category {
        Ok(category) => category.input.attributes.read(&input.attributes, completeness),
        Err(error) => Err(error),
    };
    let attributes = match attributes {
        Ok(attributes) if errors.is_empty() => attributes,
        Ok(_) => return Err(errors.into_error()),
        Err(InvalidInput(mut more)) => {
            let mut all = errors.into_error().0;
            all.append(&mut more);
            return Err(InvalidInput(all));
        }
    };
    // Names, texts, numbers and truth values always serialise.
    let attributes_json = serde_json::to_string(&attributes).unwrap_or_default();
    let place = &input.location;
    let rest = [input.description.as_str(), place.city.as_str(), place.state.as_str()];
    let document = words::document(input.title.as_str(), rest.into_iter().chain(attributes.texts()));
    Ok(Prepared { attributes, attributes_json, document })
}

fn open_category<'t>(
    tree: &'t CategoryTree,
    input: &ListingInput,
    stays: bool,
) -> Result<&'t Category, InvalidInput> {
    tree.get(input.category)
        .filter(|category| stays || tree.is_visible(category.id))
        .ok_or_else(unknown_category)
}

/// The refusal of a category that nothing can be listed in.
pub(super) fn unknown_category() -> InvalidInput {
    InvalidInput::field("categoryId", "unknown_category", "must be an active category")
}

/// A category that was deleted after it was looked up is refused by the foreign key.
pub(super) fn category_gone(error: StoreError) -> CatalogError {
    if is_foreign_key_violation(&error) { unknown_category().into() } else { error.into() }
}
