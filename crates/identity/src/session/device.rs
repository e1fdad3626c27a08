//! What somebody logs in with, in a few words: enough for them to know it again, and the same after each update of a
//! browser.

/// Programs by the mark that they leave, before those whose mark they carry too.
const PROGRAMS: [(&str, &str); 7] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems, in the same way: Android says that it is a Linux too.
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
];

/// `Chrome on Android`, or the program's own name when it is none of the known ones; `None` when it names itself by
/// nothing.
pub(super) fn device(agent: &str) -> Option<String> {
    let among = |names: &[(&'static str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (among(&PROGRAMS), among(&SYSTEMS)) {
        (Some(program), Some(system)) => Some(format!("{program} on {system}")),
        (Some(program), None) => Some(program.to_owned()),
        (None, _) => {
            let name: String = agent
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
                .take(40)
                .collect();
            (!name.is_empty()).then_some(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_named_as_its_owner_knows_it() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36",
                Some("Chrome on Android"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Safari/604.1",
                Some("Safari on iPhone"),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
                Some("Edge on Windows"),
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
                Some("Firefox on Linux"),
            ),
            ("okhttp/4.12.0", Some("okhttp")),
            ("<script>", None),
            ("", None),
        ] {
            assert_eq!(device(agent).as_deref(), name, "{agent}");
        }
    }

    #[test]
    fn an_update_makes_no_other_device() {
        let of = |version: &str| {
            device(&format!("Mozilla/5.0 (Linux; Android 14) Chrome/{version} Safari/537.36"))
        };
        assert_eq!(of("126.0"), of("127.0"));
    }
}
