//! What is searched for, checked.

use kernel::{Actor, CategoryId, FieldErrors, InvalidInput, ParseError, UserId};
use serde_json::json;

use super::order::SortKey;
use super::{ListingSort, SortOrder};
use crate::boost::Prominent;
use crate::category::index_value;
use crate::listing::{Condition, ListingStatus, Place, Point, Price, SearchWords};

/// The most attributes that one search filters by.
const MAX_ATTRIBUTES: usize = 10;
/// The most values that one search filters by.
const MAX_VALUES: usize = 30;

/// Attributes to filter by: each name with the values that will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeFilters(Vec<(String, Vec<String>)>);

impl AttributeFilters {
    /// Reads `brand:Apple,ram:8`. A name given twice takes either value.
    ///
    /// # Errors
    /// When a part is not `name:value`, or there are too many.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut filters: Vec<(String, Vec<String>)> = Vec::new();
        if text.split(',').count() > MAX_VALUES {
            return Err(ParseError::new("too_many", format!("must have at most {MAX_VALUES} values")));
        }
        for part in text.split(',') {
            let (name, value) = part
                .split_once(':')
                .map(|(name, value)| (name.trim(), index_value(value)))
                .filter(|(name, value)| is_name(name) && !value.is_empty())
                .ok_or_else(|| ParseError::new("invalid_attributes", "must be like brand:Apple,ram:8"))?;
            if value.chars().any(char::is_control) {
                return Err(ParseError::new("invalid_character", "must not hold control characters"));
            }
            match filters.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => filters.push((name.to_owned(), vec![value])),
            }
        }
        if filters.len() > MAX_ATTRIBUTES {
            return Err(ParseError::new(
                "too_many",
                format!("must name at most {MAX_ATTRIBUTES} attributes"),
            ));
        }
        Ok(Self(filters))
    }

    pub(super) fn each(&self) -> &[(String, Vec<String>)] {
        &self.0
    }
}

fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Conditions, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListingFilters {
    /// In this category or one below it.
    pub category: Option<CategoryId>,
    /// Holding all these words.
    pub search: Option<SearchWords>,
    /// Costing at least so many paise.
    pub min_price: Option<i64>,
    /// Costing at most so many paise.
    pub max_price: Option<i64>,
    /// In this city, whatever its case.
    pub city: Option<Place>,
    /// In this state, whatever its case.
    pub state: Option<Place>,
    /// With these attributes.
    pub attributes: AttributeFilters,
    /// In this condition.
    pub condition: Option<Condition>,
    /// Of this seller.
    pub seller: Option<UserId>,
    /// In this state of its life; ACTIVE by default.
    pub status: Option<ListingStatus>,
    /// Boosted at present.
    pub boosted: bool,
    /// Featured at present.
    pub featured: bool,
}

/// A search that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingQuery {
    filters: ListingFilters,
    key: SortKey,
    order: SortOrder,
    /// Nothing was said about the order: listings that a plan puts before others come first.
    by_default: bool,
}

impl ListingQuery {
    /// Puts filters and order together. By default the newest come first, or the most relevant where words are searched
    /// for, and before them those that a boost gives that place.
    ///
    /// # Errors
    /// With the fields that do not fit each other: `maxPrice`, `sortBy`, and prices out of range.
    pub fn new(
        filters: ListingFilters,
        sort: Option<ListingSort>,
        order: Option<SortOrder>,
        near: Option<Point>,
    ) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        for (field, price) in [("minPrice", filters.min_price), ("maxPrice", filters.max_price)] {
            if price.is_some_and(|paise| !(0..=Price::MAX.amount()).contains(&paise)) {
                let message = format!("must be from 0 to {} paise", Price::MAX.amount());
                errors.add(field, "out_of_range", message);
            }
        }
        if let (Some(min), Some(max)) = (filters.min_price, filters.max_price)
            && min > max
        {
            errors.add("maxPrice", "out_of_range", "must not be below minPrice");
        }
        let by_default =
            sort.is_none() && order.is_none() && matches!(filters.status, None | Some(ListingStatus::Active));
        let usual = match filters.search {
            Some(_) => ListingSort::Relevance,
            None => ListingSort::CreatedAt,
        };
        let sort = sort.unwrap_or(usual);
        let key = match (sort, &filters.search, near) {
            (ListingSort::CreatedAt, ..) => Some(SortKey::Listed),
            (ListingSort::Price, ..) => Some(SortKey::Price),
            (ListingSort::Views, ..) => Some(SortKey::Views),
            (ListingSort::Relevance, Some(_), _) => Some(SortKey::Relevance),
            (ListingSort::Distance, _, Some(point)) => Some(SortKey::distance_from(point)),
            (ListingSort::Relevance, None, _) => {
                errors.add("sortBy", "needs_search", "relevance needs words to search for");
                None
            }
            (ListingSort::Distance, _, None) => {
                errors.add("sortBy", "needs_point", "distance needs latitude and longitude");
                None
            }
        };
        match (key, errors.is_empty()) {
            (Some(key), true) => {
                Ok(Self { filters, key, order: order.unwrap_or(sort.usual_order()), by_default })
            }
            _ => Err(errors.into_error()),
        }
    }

    /// The conditions.
    pub fn filters(&self) -> &ListingFilters {
        &self.filters
    }

    pub(super) fn key(&self) -> SortKey {
        self.key
    }

    pub(super) fn order(&self) -> SortOrder {
        self.order
    }

    /// Whether listings that stand before others come first.
    pub(super) fn is_by_default(&self) -> bool {
        self.by_default
    }

    /// Whether a listing may match, as far as memory tells: not words and attributes.
    pub(super) fn may_match(&self, listing: &Prominent, categories: Option<&[CategoryId]>) -> bool {
        let filters = &self.filters;
        categories.is_none_or(|ids| ids.contains(&listing.category))
            && filters.seller.is_none_or(|seller| seller == listing.seller)
            && filters.min_price.is_none_or(|min| listing.price >= min)
            && filters.max_price.is_none_or(|max| listing.price <= max)
            && filters.condition.is_none_or(|condition| condition.as_str() == listing.condition)
            && filters.city.as_ref().is_none_or(|city| city.key() == listing.city_key)
            && filters.state.as_ref().is_none_or(|state| state.key() == listing.state_key)
    }

    /// Refuses attributes that lists cannot be filtered by.
    pub(super) fn check_attributes(&self, is_filterable: impl Fn(&str) -> bool) -> Result<(), InvalidInput> {
        let mut errors = FieldErrors::default();
        for (name, _) in self.filters.attributes.each() {
            if !is_filterable(name) {
                let message = format!("{name} is no attribute that this list can be filtered by");
                errors.add("attributes", "unknown_attribute", message);
            }
        }
        errors.finish()
    }

    /// What a cursor belongs to: these filters, this order, and the viewer, whose own listings they may be.
    pub(super) fn scope(&self, viewer: Option<&Actor>) -> String {
        let filters = &self.filters;
        json!([
            "listings",
            filters.category,
            filters.search.as_ref().map(SearchWords::terms),
            filters.min_price,
            filters.max_price,
            filters.city.as_ref().map(Place::key),
            filters.state.as_ref().map(Place::key),
            filters.attributes.each(),
            filters.condition,
            filters.seller,
            filters.status,
            filters.boosted,
            filters.featured,
            // Pages of what everybody sees are anybody's.
            filters.status.and(viewer.and_then(Actor::user)),
            self.key,
            self.order,
            self.by_default,
        ])
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_pairs_and_a_repeated_name_takes_either_value() {
        let filters = AttributeFilters::parse("brand:Apple,ram:8,brand: One  Plus").unwrap();
        let brand = vec!["apple".to_owned(), "one plus".to_owned()];
        assert_eq!(filters.each(), [("brand".to_owned(), brand), ("ram".to_owned(), vec!["8".to_owned()])]);
        for wrong in ["", "brand", ":x", "brand:", "br and:x", "a:b,,c:d", "a:\u{0}"] {
            assert!(AttributeFilters::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(AttributeFilters::parse(&"a:b,".repeat(40)).is_err());
    }

    fn refused(filters: ListingFilters, sort: Option<ListingSort>) -> Vec<String> {
        match ListingQuery::new(filters, sort, None, None) {
            Ok(_) => Vec::new(),
            Err(InvalidInput(errors)) => errors.into_iter().map(|error| error.field).collect(),
        }
    }

    #[test]
    fn what_does_not_fit_together_is_named() {
        let prices = ListingFilters { min_price: Some(2), max_price: Some(1), ..ListingFilters::default() };
        assert_eq!(refused(prices, None), ["maxPrice"]);
        assert_eq!(refused(ListingFilters::default(), Some(ListingSort::Relevance)), ["sortBy"]);
        assert_eq!(refused(ListingFilters::default(), Some(ListingSort::Distance)), ["sortBy"]);
        assert!(refused(ListingFilters::default(), Some(ListingSort::Views)).is_empty());
    }

    #[test]
    fn a_search_for_words_is_ordered_by_relevance() {
        let filters =
            ListingFilters { search: Some(SearchWords::parse("red").unwrap()), ..ListingFilters::default() };
        assert_eq!(ListingQuery::new(filters, None, None, None).unwrap().key(), SortKey::Relevance);
    }
}
