//! The parts of a listing that have a form of their own.

use kernel::{Money, ParseError, bounded_text};

use crate::fold::fold_to;

/// A listing's title: a line of 5 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Reads a title.
    ///
    /// # Errors
    /// When it is too short, too long, or holds a character that is not taken.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 5, 100, false).map(Self)
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A listing's description: 20 to 5 000 characters, in several lines if need be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// When it is too short, too long, or holds a character that is not taken.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 20, 5_000, true).map(Self)
    }

    /// The description.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a thing costs: from nothing to ₹100 crore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(Money);

impl Price {
    /// The highest price: ₹100 crore, which is ₹1,000,000,000.
    pub const MAX: Money = Money::inr(100_000_000_000);

    /// Reads a price.
    ///
    /// # Errors
    /// When it is below nothing or above [`Price::MAX`].
    pub fn parse(money: Money) -> Result<Self, ParseError> {
        if (0..=Self::MAX.amount()).contains(&money.amount()) {
            Ok(Self(money))
        } else {
            Err(ParseError::new("out_of_range", format!("must be from 0 to {} paise", Self::MAX.amount())))
        }
    }

    /// The amount.
    pub fn money(self) -> Money {
        self.0
    }
}

/// The name of a city or a state: a line of 2 to 60 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is too short, too long, or holds a character that is not taken.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 2, 60, false).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as filters compare it.
    pub(crate) fn key(&self) -> String {
        fold_to(&self.0, 80)
    }
}

/// An Indian postal index number: six digits, the first not 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pincode(String);

impl Pincode {
    /// Reads a PIN code.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("invalid_pincode", "must be six digits, the first not 0, such as 411001"))
        }
    }

    /// The six digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A point on the map in thousandths of a degree, some 110 metres: near enough for buyers, too coarse to find a
/// seller's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    latitude_e3: i64,
    longitude_e3: i64,
}

impl Point {
    /// Reads a point from degrees and rounds it.
    ///
    /// # Errors
    /// When a coordinate is no number or beyond its range; with the name of the coordinate.
    pub fn parse(latitude: f64, longitude: f64) -> Result<Self, (&'static str, ParseError)> {
        let read = |degrees: f64, bound: f64| {
            if (-bound..=bound).contains(&degrees) {
                Ok(thousandths(degrees))
            } else {
                Err(ParseError::new("out_of_range", format!("must be from -{bound} to {bound} degrees")))
            }
        };
        Ok(Self {
            latitude_e3: read(latitude, 90.0).map_err(|error| ("latitude", error))?,
            longitude_e3: read(longitude, 180.0).map_err(|error| ("longitude", error))?,
        })
    }

    /// The point that a row holds.
    pub(crate) fn from_e3(latitude_e3: i64, longitude_e3: i64) -> Self {
        Self { latitude_e3, longitude_e3 }
    }

    /// Latitude in thousandths of a degree.
    pub fn latitude_e3(self) -> i64 {
        self.latitude_e3
    }

    /// Longitude in thousandths of a degree.
    pub fn longitude_e3(self) -> i64 {
        self.longitude_e3
    }

    /// Latitude in degrees.
    pub fn latitude(self) -> f64 {
        degrees(self.latitude_e3)
    }

    /// Longitude in degrees.
    pub fn longitude(self) -> f64 {
        degrees(self.longitude_e3)
    }

    /// By how much a degree of longitude is shorter here than one of latitude, squared, in millionths.
    pub(crate) fn longitude_scale_squared_e6(self) -> i64 {
        let cosine = self.latitude().to_radians().cos();
        round(cosine * cosine * 1_000_000.0)
    }
}

fn thousandths(degrees: f64) -> i64 {
    round(degrees * 1_000.0)
}

#[expect(
    clippy::as_conversions,
    reason = "there is no other way from a float; callers give numbers far within i64"
)]
fn round(number: f64) -> i64 {
    number.round() as i64
}

fn degrees(thousandths: i64) -> f64 {
    f64::from(i32::try_from(thousandths).unwrap_or_default()) / 1_000.0
}

/// Where a thing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// City.
    pub city: Place,
    /// State.
    pub state: Place,
    /// PIN code.
    pub pincode: Option<Pincode>,
    /// Point on the map.
    pub point: Option<Point>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_price_is_from_nothing_to_a_hundred_crore() {
        assert!(Price::parse(Money::inr(0)).is_ok());
        assert!(Price::parse(Price::MAX).is_ok());
        for paise in [-1, Price::MAX.amount() + 1, i64::MIN, i64::MAX] {
            assert!(Price::parse(Money::inr(paise)).is_err(), "{paise}");
        }
    }

    #[test]
    fn a_point_is_rounded_to_three_decimals() {
        let point = Point::parse(18.520_43, -73.856_74).unwrap();
        assert_eq!((point.latitude_e3(), point.longitude_e3()), (18_520, -73_857));
        assert_eq!((point.latitude(), point.longitude()), (18.52, -73.857));
        for (latitude, longitude, field) in [
            (90.1, 0.0, "latitude"),
            (f64::NAN, 0.0, "latitude"),
            (0.0, f64::INFINITY, "longitude"),
            (0.0, -180.5, "longitude"),
        ] {
            assert_eq!(Point::parse(latitude, longitude).unwrap_err().0, field);
        }
    }

    #[test]
    fn a_degree_of_longitude_shrinks_towards_the_pole() {
        let scale = |latitude| Point::parse(latitude, 0.0).unwrap().longitude_scale_squared_e6();
        assert_eq!((scale(0.0), scale(60.0), scale(90.0)), (1_000_000, 250_000, 0));
    }

    #[test]
    fn a_pin_code_is_six_digits() {
        assert!(Pincode::parse("411001").is_ok());
        for text in ["", "41100", "4110011", "011001", "41100a", "४११००१"] {
            assert!(Pincode::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_point_on_earth_is_refused_or_moved_far(latitude in -90.0f64..=90.0, longitude in -180.0f64..=180.0) {
            let point = Point::parse(latitude, longitude).unwrap();
            prop_assert!((point.latitude() - latitude).abs() <= 0.000_51);
            prop_assert!((point.longitude() - longitude).abs() <= 0.000_51);
        }
    }
}
