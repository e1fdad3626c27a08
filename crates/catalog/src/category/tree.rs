//! The whole tree in memory: what is asked of it at every request, answered without the database.

use std::collections::HashMap;

use bytes::Bytes;
use kernel::CategoryId;
use sha2::{Digest, Sha256};

use super::{Category, CategoryNode, CategoryView};

/// The tree as it is sent, ready-made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeDocument {
    /// JSON: `[CategoryNode, …]`.
    pub body: Bytes,
    /// A strong entity tag of the body, with its quotes (RFC 9110 §8.8.3).
    pub etag: String,
}

/// All categories at one moment.
#[derive(Debug)]
pub(crate) struct CategoryTree {
    by_id: HashMap<CategoryId, Category>,
    children: HashMap<Option<CategoryId>, Vec<CategoryId>>,
    document: TreeDocument,
}

impl CategoryTree {
    pub(crate) fn new(mut categories: Vec<Category>) -> Self {
        categories.sort_by(|a, b| {
            let key = |c: &Category| (c.input.order, c.input.name.as_str().to_owned(), c.id);
            key(a).cmp(&key(b))
        });
        let mut children: HashMap<_, Vec<_>> = HashMap::new();
        for category in &categories {
            children.entry(category.input.parent).or_default().push(category.id);
        }
        let by_id = categories.into_iter().map(|category| (category.id, category)).collect();
        let empty = TreeDocument { body: Bytes::new(), etag: String::new() };
        let mut tree = Self { by_id, children, document: empty };
        tree.document = tree.render();
        tree
    }

    fn render(&self) -> TreeDocument {
        // Strings, numbers and lists always serialise.
        let body = serde_json::to_vec(&self.nodes(None)).unwrap_or_default();
        let digest = Sha256::digest(&body);
        let tag: String = hex::encode(digest).chars().take(32).collect();
        TreeDocument { body: body.into(), etag: format!("\"{tag}\"") }
    }

    pub(crate) fn document(&self) -> &TreeDocument {
        &self.document
    }

    pub(crate) fn get(&self, id: CategoryId) -> Option<&Category> {
        self.by_id.get(&id)
    }

    pub(crate) fn children_of(&self, parent: Option<CategoryId>) -> &[CategoryId] {
        self.children.get(&parent).map_or(&[], Vec::as_slice)
    }

    /// The category and all below it. One that does not exist stands for itself, and finds nothing.
    pub(crate) fn with_descendants(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut all = vec![id];
        let mut at = 0;
        while let Some(next) = all.get(at).copied() {
            all.extend_from_slice(self.children_of(Some(next)));
            at += 1;
        }
        all
    }

    /// Whether people see it: it and all above it are active.
    pub(crate) fn is_visible(&self, id: CategoryId) -> bool {
        let mut next = Some(id);
        while let Some(at) = next {
            match self.get(at) {
                Some(category) if category.input.active => next = category.input.parent,
                _ => return false,
            }
        }
        true
    }

    /// ACTIVE listings of the category and those below it.
    pub(crate) fn listing_count(&self, id: CategoryId) -> i64 {
        self.with_descendants(id)
            .into_iter()
            .filter_map(|id| self.get(id))
            .map(|category| category.active_listings)
            .sum()
    }

    /// The tree that people see.
    pub(crate) fn nodes(&self, parent: Option<CategoryId>) -> Vec<CategoryNode> {
        self.children_of(parent)
            .iter()
            .filter_map(|id| self.get(*id))
            .filter(|category| category.input.active)
            .map(|category| CategoryNode {
                id: category.id,
                slug: category.input.slug.as_str().to_owned(),
                name: category.input.name.as_str().to_owned(),
                icon: category.input.icon.as_ref().map(|icon| icon.as_str().to_owned()),
                attributes: category.input.attributes.specs().to_vec(),
                listing_count: self.listing_count(category.id),
                children: self.nodes(Some(category.id)),
            })
            .collect()
    }

    /// All categories, each followed by those below it.
    pub(crate) fn views(&self) -> Vec<CategoryView> {
        let mut views = Vec::with_capacity(self.by_id.len());
        self.push_views(None, &mut views);
        views
    }

    fn push_views(&self, parent: Option<CategoryId>, views: &mut Vec<CategoryView>) {
        for category in self.children_of(parent).iter().filter_map(|id| self.get(*id)) {
            views.push(CategoryView::new(category, self.listing_count(category.id)));
            self.push_views(Some(category.id), views);
        }
    }

    /// Whether lists can be filtered by an attribute of this name, within the given categories or anywhere.
    pub(crate) fn is_filterable(&self, name: &str, within: Option<&[CategoryId]>) -> bool {
        self.by_id
            .values()
            .filter(|category| within.is_none_or(|ids| ids.contains(&category.id)))
            .flat_map(|category| category.input.attributes.specs())
            .any(|spec| spec.name == name && spec.filterable)
    }
}
