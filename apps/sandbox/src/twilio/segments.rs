//! How many SMS a text takes: 160 characters of the GSM alphabet or 70 of UCS-2, fewer when it has to be split
//! (3GPP TS 23.038 §6.2.1 and TS 23.040 §9.2.3.24.1).

/// The GSM 7-bit default alphabet, one unit each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Its extension table, two units each.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// The number of segments, at least 1.
pub(super) fn count(text: &str) -> usize {
    let (units, whole, part) = match gsm_units(text) {
        Some(units) => (units, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if units <= whole { 1 } else { units.div_ceil(part) }
}

fn gsm_units(text: &str) -> Option<usize> {
    text.chars()
        .map(
            |character| {
                if BASIC.contains(character) { Some(1) } else { EXTENDED.contains(character).then_some(2) }
            },
        )
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_fits_160_to_one_and_153_to_each_of_several() {
        for (length, segments) in [(1, 1), (160, 1), (161, 2), (306, 2), (307, 3)] {
            assert_eq!(count(&"a".repeat(length)), segments, "{length}");
        }
    }

    #[test]
    fn hindi_fits_70_to_one_and_67_to_each_of_several() {
        for (length, segments) in [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)] {
            assert_eq!(count(&"न".repeat(length)), segments, "{length}");
        }
    }

    #[test]
    fn a_rupee_sign_makes_it_ucs2_and_a_euro_sign_counts_twice() {
        assert_eq!(count(&"₹".repeat(71)), 2);
        assert_eq!(count(&"€".repeat(80)), 1);
        assert_eq!(count(&"€".repeat(81)), 2);
    }
}
