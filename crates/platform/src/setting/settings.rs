//! Every setting there is. A new one is a constant here and a line in [`ALL`].

use std::marker::PhantomData;

use super::{Category, Definition, Literal, Rule, Setting};

/// The marketplace's name, as people see it, also in SMS; 30 characters fit a registered template's variable.
pub static PLATFORM_NAME: Setting<String> = text(
    "platform_name",
    Category::General,
    "DGT Marketplace",
    Rule::Text { min: 1, max: 30 },
    "The marketplace's name, as people see it",
)
.public();

/// Where people write for help.
pub static SUPPORT_EMAIL: Setting<String> = text(
    "support_email",
    Category::General,
    "support@dgt.example",
    Rule::Email,
    "Where people write for help",
)
.public();

/// How long a listing stays up, in days, where its category does not say otherwise.
pub static LISTING_EXPIRY_DAYS: Setting<i64> = whole(
    "listing_expiry_days",
    Category::Listings,
    30,
    Rule::Whole { min: 1, max: 365, unit: "days" },
    "How long a listing stays up where its category does not say otherwise",
)
.public();

/// How many photos a listing may have.
pub static MAX_IMAGES_PER_LISTING: Setting<i64> = whole(
    "max_images_per_listing",
    Category::Listings,
    10,
    Rule::Whole { min: 1, max: 30, unit: "photos" },
    "How many photos a listing may have",
)
.public();

/// How many sellers' numbers a person may see in a day.
pub static CONTACT_DAILY_CAP: Setting<i64> = whole(
    "contact_daily_cap",
    Category::Listings,
    30,
    Rule::Whole { min: 1, max: 1_000, unit: "sellers" },
    "How many sellers' numbers a person may see in a day",
);

/// Whether wallets can be topped up.
pub static WALLET_TOPUP: Setting<bool> =
    switch("wallet_topup", Category::Payments, true, "Whether wallets can be topped up").public();

/// The least that a wallet is topped up by, in paise; the provider takes nothing below 100.
pub static MIN_TOPUP_AMOUNT: Setting<i64> = whole(
    "min_topup_amount",
    Category::Payments,
    100,
    Rule::Whole { min: 100, max: 10_000_000, unit: "paise" },
    "The least that a wallet is topped up by, in paise",
)
.public();

/// The most that a wallet is topped up by at a time, in paise.
pub static MAX_TOPUP_AMOUNT: Setting<i64> = whole(
    "max_topup_amount",
    Category::Payments,
    5_000_000,
    Rule::Whole { min: 100, max: 50_000_000, unit: "paise" },
    "The most that a wallet is topped up by at a time, in paise",
)
.public();

/// The GST within the price of a boost, in percent; half of it central, half the state's.
pub static BOOST_GST_PERCENT: Setting<i64> = whole(
    "boost_gst_percent",
    Category::Payments,
    18,
    Rule::Whole { min: 0, max: 50, unit: "percent" },
    "The GST within the price of a boost, in percent",
)
.public();

/// The least that can be paid out, in paise.
pub static MIN_PAYOUT_AMOUNT: Setting<i64> = whole(
    "min_payout_amount",
    Category::Payments,
    10_000,
    Rule::Whole { min: 100, max: 10_000_000, unit: "paise" },
    "The least that can be paid out, in paise",
)
.public();

/// What the marketplace keeps of a sale, in percent.
pub static PLATFORM_COMMISSION: Setting<i64> = whole(
    "platform_commission",
    Category::Payments,
    5,
    Rule::Whole { min: 0, max: 50, unit: "percent" },
    "What the marketplace keeps of a sale, in percent",
);

/// Whether staff need an authenticator to act as staff.
pub static STAFF_TOTP_REQUIRED: Setting<bool> = switch(
    "staff_totp_required",
    Category::Security,
    true,
    "Whether staff need an authenticator to act as staff",
);

/// All of them, in the order of the settings page.
pub static ALL: &[&Definition] = &[
    &PLATFORM_NAME.definition,
    &SUPPORT_EMAIL.definition,
    &LISTING_EXPIRY_DAYS.definition,
    &MAX_IMAGES_PER_LISTING.definition,
    &CONTACT_DAILY_CAP.definition,
    &WALLET_TOPUP.definition,
    &MIN_TOPUP_AMOUNT.definition,
    &MAX_TOPUP_AMOUNT.definition,
    &BOOST_GST_PERCENT.definition,
    &MIN_PAYOUT_AMOUNT.definition,
    &PLATFORM_COMMISSION.definition,
    &STAFF_TOTP_REQUIRED.definition,
];

/// The setting of a key.
pub fn find(key: &str) -> Option<&'static Definition> {
    ALL.iter().copied().find(|definition| definition.key == key)
}

impl<T: super::SettingValue> Setting<T> {
    /// The same, for everybody to read.
    const fn public(mut self) -> Self {
        self.definition.is_public = true;
        self
    }
}

const fn whole(
    key: &'static str,
    category: Category,
    default: i64,
    rule: Rule,
    description: &'static str,
) -> Setting<i64> {
    let definition = define(key, category, rule, Literal::Whole(default), description);
    Setting { definition, default, value: PhantomData }
}

const fn text(
    key: &'static str,
    category: Category,
    default: &'static str,
    rule: Rule,
    description: &'static str,
) -> Setting<String> {
    let definition = define(key, category, rule, Literal::Text(default), description);
    Setting { definition, default, value: PhantomData }
}

const fn switch(
    key: &'static str,
    category: Category,
    default: bool,
    description: &'static str,
) -> Setting<bool> {
    let definition = define(key, category, Rule::Switch, Literal::Switch(default), description);
    Setting { definition, default, value: PhantomData }
}

const fn define(
    key: &'static str,
    category: Category,
    rule: Rule,
    default: Literal,
    description: &'static str,
) -> Definition {
    Definition { key, category, rule, is_public: false, description, default }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_default_obeys_its_own_rule() {
        for definition in ALL {
            let default = definition.default_value();
            assert_eq!(definition.rule.check(&default), Ok(default), "{}", definition.key);
        }
    }

    #[test]
    fn each_key_is_there_once_and_fits_its_column() {
        let keys: HashSet<_> = ALL.iter().map(|definition| definition.key).collect();
        assert_eq!(keys.len(), ALL.len());
        assert!(keys.iter().all(|key| key.len() <= 64));
        assert!(keys.into_iter().all(|key| find(key).is_some()));
        assert!(find("no_such_setting").is_none());
    }

    #[test]
    fn the_second_factor_is_on_unless_somebody_turns_it_off() {
        assert!(STAFF_TOTP_REQUIRED.default);
        assert!(!STAFF_TOTP_REQUIRED.definition.is_public);
    }
}
