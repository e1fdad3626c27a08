//! The words themselves. What an SMS says is registered with the operators: changing it needs a new registration.

use crate::Language;

/// Code first, so that it shows in a notification's first line and phones offer to fill it in.
pub(super) fn sms(brand: &str, code: &str, minutes: u64, language: Language) -> String {
    match language {
        Language::English => format!(
            "{code} is your {brand} verification code. It is valid for {minutes} minutes. Do not share it with anyone."
        ),
        Language::Hindi => {
            format!("{code} आपका {brand} सत्यापन कोड है। यह {minutes} मिनट तक मान्य है। इसे किसी के साथ साझा न करें।")
        }
    }
}

/// Without the code: subjects are kept by relays and shown on lock screens.
pub(super) fn subject(brand: &str, language: Language) -> String {
    match language {
        Language::English => format!("Your {brand} verification code"),
        Language::Hindi => format!("आपका {brand} सत्यापन कोड"),
    }
}

pub(super) fn mail(brand: &str, code: &str, minutes: u64, language: Language) -> String {
    let [greeting, validity, warning] = sentences(brand, minutes, language);
    format!("{greeting}\r\n\r\n    {code}\r\n\r\n{validity}\r\n{warning}\r\n\r\n{brand}\r\n")
}

pub(super) fn html(brand: &str, code: &str, minutes: u64, language: Language) -> String {
    let [greeting, validity, warning] =
        sentences(brand, minutes, language).map(|sentence| escaped(&sentence));
    let (tag, brand, code) = (language.tag(), escaped(brand), escaped(code));
    format!(
        "<!doctype html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\"><title>{brand}</title></head>\n\
         <body style=\"font-family:sans-serif;color:#222;max-width:32em;margin:auto;padding:1em\">\n\
         <p>{greeting}</p>\n\
         <p style=\"font-size:2em;letter-spacing:.2em;font-weight:bold\">{code}</p>\n\
         <p>{validity}<br>{warning}</p>\n\
         <p style=\"color:#666\">{brand}</p>\n\
         </body></html>\n"
    )
}

fn sentences(brand: &str, minutes: u64, language: Language) -> [String; 3] {
    match language {
        Language::English => [
            format!("Your verification code for {brand} is:"),
            format!("It is valid for {minutes} minutes."),
            "Do not share it with anyone: we never ask for it. If you did not ask for it, ignore this mail."
                .to_owned(),
        ],
        Language::Hindi => [
            format!("{brand} के लिए आपका सत्यापन कोड है:"),
            format!("यह {minutes} मिनट तक मान्य है।"),
            "इसे किसी के साथ साझा न करें: हम इसे कभी नहीं माँगते। यदि आपने इसे नहीं माँगा था, तो इस मेल को अनदेखा करें।"
                .to_owned(),
        ],
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_english_sms_fits_one_part_with_the_longest_brand() {
        let text = sms(&"B".repeat(30), "123456", 10, Language::English);
        assert!(text.is_ascii(), "one character beyond GSM-7 would halve what fits");
        assert!(text.len() <= 160, "{}", text.len());
    }

    #[test]
    fn a_hindi_sms_fits_two_parts() {
        // Two parts of UCS-2 hold 67 characters each.
        let text = sms("DGT Marketplace", "123456", 10, Language::Hindi);
        assert!(text.encode_utf16().count() <= 134, "{}", text.encode_utf16().count());
    }

    #[test]
    fn each_text_names_brand_code_and_minutes() {
        for language in Language::ALL {
            for text in [
                sms("DGT Marketplace", "123456", 5, language),
                mail("DGT Marketplace", "123456", 5, language),
                html("DGT Marketplace", "123456", 5, language),
            ] {
                assert!(text.contains("123456") && text.contains("DGT Marketplace"), "{text}");
                assert!(text.contains("5 minutes") || text.contains("5 मिनट"), "{text}");
            }
            assert!(!subject("DGT Marketplace", language).contains("123456"));
        }
    }

    #[test]
    fn a_brand_cannot_write_html() {
        let page = html("<script>A & B's \"x\"", "1", 5, Language::English);
        assert!(!page.contains("<script>"));
        assert!(page.contains("&lt;script&gt;A &amp; B&#39;s &quot;x&quot;"));
    }
}
