//! The words in Hindi.

use crate::Kind;

/// A kind's title and sentence.
pub(super) fn of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::ListingApproved => {
            ("आपका विज्ञापन लाइव है", "“{{ title }}” स्वीकृत हो गया है और अब खरीदारों को दिख रहा है।")
        }
        Kind::ListingRejected => {
            ("आपका विज्ञापन स्वीकृत नहीं हुआ", "“{{ title }}” नहीं दिखाया जा सकता: {{ reason }}")
        }
        Kind::ListingExpiring => (
            "आपका विज्ञापन जल्द समाप्त होगा",
            "“{{ title }}” {{ until | day }} तक दिखेगा। दिखाते रहने के लिए इसे नवीनीकृत करें।",
        ),
        Kind::ListingExpired => {
            ("आपका विज्ञापन समाप्त हो गया", "“{{ title }}” अब नहीं दिख रहा है। फिर से दिखाने के लिए इसे नवीनीकृत करें।")
        }
        Kind::BoostStarted => ("आपका बूस्ट शुरू हो गया", "“{{ title }}” {{ until | day }} तक बूस्ट है।"),
        Kind::BoostEnded => ("आपका बूस्ट समाप्त हो गया", "“{{ title }}” का बूस्ट पूरा हो गया है।"),
        Kind::WalletToppedUp => ("पैसे आ गए हैं", "{{ amount | money }} आपके वॉलेट में जोड़े गए।"),
        Kind::WalletBonus => ("आपको क्रेडिट मिला है", "{{ amount | money }} का क्रेडिट आपके वॉलेट में जोड़ा गया।"),
        Kind::PaymentFailed => {
            ("आपका भुगतान विफल रहा", "{{ amount | money }} का भुगतान विफल रहा। आपका वॉलेट नहीं बदला है।")
        }
        Kind::RefundProcessed => ("आपका रिफ़ंड भेज दिया गया", "{{ amount | money }} वहीं वापस भेजे गए जहाँ से आए थे।"),
        Kind::RefundFailed => {
            ("आपका रिफ़ंड विफल रहा", "{{ amount | money }} वापस नहीं भेजे जा सके और फिर से आपके वॉलेट में हैं।")
        }
        Kind::PayoutCompleted => ("आपका भुगतान पहुँच गया", "{{ amount | money }} आपके खाते में भेजे गए।"),
        Kind::PayoutFailed => {
            ("आपका भुगतान नहीं पहुँचा", "{{ amount | money }} नहीं भेजे जा सके और फिर से आपके वॉलेट में हैं।")
        }
        Kind::AccountWarned => ("हमारी टीम की चेतावनी", "कृपया हमारे नियमों का पालन करें: {{ reason }}"),
        Kind::AccountBlocked => {
            ("आपका खाता ब्लॉक है", "अभी आप अपना खाता इस्तेमाल नहीं कर सकते। अगर यह ग़लती है तो हमें लिखें।")
        }
        Kind::AccountRestored => ("आपका खाता फिर चालू है", "आप अपना खाता फिर से इस्तेमाल कर सकते हैं।"),
        Kind::ContactReceived => (
            "किसी की रुचि है",
            "{% if count == 1 %}एक खरीदार{% else %}{{ count }} खरीदारों{% endif %} ने “{{ title }}” के लिए आपका नंबर माँगा।",
        ),
        Kind::SecurityNewLogin => (
            "नया लॉगिन",
            "{{ device }} पर आपके खाते में लॉगिन हुआ, {{ at | time }}। यदि यह आप नहीं थे, तो वह सत्र अभी समाप्त करें।",
        ),
        Kind::SecurityContactChanged => (
            "आपका संपर्क विवरण बदला गया",
            "आपके खाते का नंबर या पता बदला गया, {{ at | time }}। यदि यह आप नहीं थे, तो हमें अभी लिखें।",
        ),
        Kind::KycApproved => ("आप सत्यापित हैं", "आपका पहचान प्रमाण स्वीकार किया गया।"),
        Kind::KycRejected => ("सत्यापन नहीं हो सका", "आपका पहचान प्रमाण स्वीकार नहीं हुआ: {{ reason }}"),
        Kind::ReportResolved => ("हमने आपकी रिपोर्ट देखी", "धन्यवाद: आपकी रिपोर्ट पर निर्णय ले लिया गया है।"),
        Kind::Announcement => ("{{ headline }}", "{{ text }}"),
    }
}
