//! The mail server: what a mail client sends arrives, what breaks RFC 5321 is refused.

use std::time::Duration;

use lettre::message::{MultiPart, header::ContentType};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};
use sandbox::SandboxConfig;

use crate::bench::Bench;
use crate::wire::Wire;

fn transport(bench: &Bench) -> AsyncSmtpTransport<Tokio1Executor> {
    let address = bench.running.smtp_addr();
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
        .port(address.port())
        .build()
}

#[tokio::test]
async fn a_hindi_mail_reaches_every_recipient() {
    let bench = Bench::open().await;
    let subject = "आपका लॉगिन कोड और उससे जुड़ी हुई बहुत लंबी विषय पंक्ति";
    let body = "नमस्ते आशा,\nआपका कोड 123456 है।\n".repeat(40);
    let message = Message::builder()
        .from("दुकान <shop@example.in>".parse().unwrap())
        .to("asha@example.in".parse().unwrap())
        .cc("Ravi <ravi@example.in>".parse().unwrap())
        .bcc("hidden@example.in".parse().unwrap())
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(body.clone())
        .unwrap();
    transport(&bench).send(message).await.unwrap();

    let messages = bench.inbox("?channel=email").await;
    let to: Vec<_> = messages.iter().map(|message| message["to"].as_str().unwrap()).collect();
    assert_eq!(to, ["hidden@example.in", "ravi@example.in", "asha@example.in"]);
    for message in messages {
        assert_eq!(message["subject"], subject);
        assert_eq!(message["body"].as_str().unwrap(), body.trim_end());
    }
}

#[tokio::test]
async fn lines_that_begin_with_dots_arrive_as_they_were() {
    let bench = Bench::open().await;
    let body = ".\n..\n.hidden\n\nend";
    let mailer = transport(&bench);
    for _ in 0..2 {
        let message = Message::builder()
            .from("shop@example.in".parse().unwrap())
            .to("asha@example.in".parse().unwrap())
            .subject("dots")
            .body(body.to_owned())
            .unwrap();
        mailer.send(message).await.unwrap();
    }
    let messages = bench.inbox("?channel=email").await;
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message["body"] == body), "{messages:?}");
}

#[tokio::test]
async fn of_two_alternatives_the_plain_text_is_kept() {
    let bench = Bench::open().await;
    let message = Message::builder()
        .from("shop@example.in".parse().unwrap())
        .to("asha@example.in".parse().unwrap())
        .subject("both")
        .multipart(MultiPart::alternative_plain_html("सादा".to_owned(), "<p>सुंदर</p>".to_owned()))
        .unwrap();
    transport(&bench).send(message).await.unwrap();
    assert_eq!(bench.inbox("").await[0]["body"], "सादा");
}

#[tokio::test]
async fn the_server_says_what_it_can_do() {
    let bench = Bench::open().await;
    let mut wire = Wire::connect(bench.running.smtp_addr()).await;
    assert_eq!(wire.reply().await.0, 220);
    wire.write(b"EHLO test.example.in\r\n").await;
    let (code, lines) = wire.reply().await;
    assert_eq!(code, 250);
    for extension in ["SIZE 10485760", "8BITMIME", "PIPELINING"] {
        assert!(lines.iter().any(|line| line == extension), "{extension}");
    }
    assert_eq!(wire.say("QUIT").await, 221);
    assert!(wire.is_closed().await);
}

#[tokio::test]
async fn what_breaks_the_protocol_is_refused_and_the_conversation_goes_on() {
    let bench = Bench::open().await;
    let mut wire = Wire::connect(bench.running.smtp_addr()).await;
    assert_eq!(wire.reply().await.0, 220);
    let long = format!("NOOP {}", "a".repeat(600));
    for (command, code) in [
        ("MAIL FROM:<shop@example.in>", 503),
        ("EHLO", 501),
        ("EHLO test.example.in", 250),
        ("RCPT TO:<asha@example.in>", 503),
        ("DATA", 503),
        ("MAIL FROM:shop@example.in", 501),
        ("MAIL FROM:<shop@example.in> SIZE=10485761", 552),
        ("MAIL FROM:<shop@example.in> RET=FULL", 555),
        ("MAIL FROM:<shop@example.in> SIZE=100 BODY=8BITMIME", 250),
        ("MAIL FROM:<shop@example.in>", 503),
        ("DATA", 503),
        ("RCPT TO:<nobody>", 501),
        ("FROB", 500),
        (&long, 500),
        ("VRFY asha", 252),
        ("RSET", 250),
        ("RCPT TO:<asha@example.in>", 503),
        ("NOOP", 250),
        ("QUIT", 221),
    ] {
        assert_eq!(wire.say(command).await, code, "{command:.60}");
    }
    assert!(bench.inbox("").await.is_empty());
}

#[tokio::test]
async fn commands_may_be_sent_ahead_of_their_replies() {
    let bench = Bench::open().await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    wire.write(b"MAIL FROM:<>\r\nRCPT TO:<asha@example.in>\r\nRCPT TO:<bad>\r\nDATA\r\n").await;
    for code in [250, 250, 501, 354] {
        assert_eq!(wire.reply().await.0, code);
    }
    wire.write(b"Subject: hello\r\n\r\nworld\r\n.\r\nQUIT\r\n").await;
    assert_eq!(wire.reply().await.0, 250);
    assert_eq!(wire.reply().await.0, 221);
    assert_eq!(bench.inbox("").await[0]["body"], "world");
}

#[tokio::test]
async fn malformed_messages_are_refused_whole() {
    let bench = Bench::open().await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    let long = format!("Subject: a\r\n\r\n{}\r\n.\r\n", "a".repeat(999));
    for (message, code) in [
        (long.as_bytes(), 554),
        (b"Subject: a\r\n\r\nbare\nline feed\r\n.\r\n", 554),
        (b"Subject: a\r\n\r\nbare\rreturn\r\n.\r\n", 554),
        // A dot after a bare line feed does not end the message, so nothing can be smuggled in behind it.
        (b"Subject: a\r\n\r\n\n.\r\nMAIL FROM:<>\r\n.\r\n", 554),
        (b".\r\n", 554),
    ] {
        assert_eq!(wire.send(message).await, code, "{}", message.escape_ascii());
    }
    assert!(bench.inbox("").await.is_empty());
    let longest = format!("Subject: a\r\n\r\n..{}\r\n.\r\n", "a".repeat(997));
    assert_eq!(wire.send(longest.as_bytes()).await, 250);
    assert_eq!(bench.inbox("").await[0]["body"], format!(".{}", "a".repeat(997)));
}

#[tokio::test]
async fn a_message_of_more_than_ten_mebibytes_is_refused() {
    let bench = Bench::open().await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    let line = format!("{}\r\n", "a".repeat(998));
    let message = format!("Subject: a\r\n\r\n{}.\r\n", line.repeat(10_486));
    assert_eq!(wire.send(message.as_bytes()).await, 552);
    assert_eq!(wire.say("NOOP").await, 250);
    assert!(bench.inbox("").await.is_empty());
}

#[tokio::test]
async fn a_silent_client_is_left() {
    let bench = Bench::with(SandboxConfig {
        smtp_timeout: Duration::from_millis(100),
        ..SandboxConfig::on_free_ports()
    })
    .await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    assert_eq!(wire.reply().await.0, 421);
    assert!(wire.is_closed().await);
}

#[tokio::test]
async fn the_thirty_third_client_is_turned_away() {
    let bench = Bench::open().await;
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(Wire::greeted(bench.running.smtp_addr()).await);
    }
    let mut late = Wire::connect(bench.running.smtp_addr()).await;
    assert_eq!(late.reply().await.0, 421);
    assert!(late.is_closed().await);

    assert_eq!(clients.pop().unwrap().say("QUIT").await, 221);
    tokio::time::sleep(Duration::from_millis(100)).await;
    Wire::greeted(bench.running.smtp_addr()).await;
}

#[tokio::test]
async fn a_stop_says_goodbye_to_those_who_are_connected() {
    let bench = Bench::open().await;
    let mut wire = Wire::greeted(bench.running.smtp_addr()).await;
    bench.running.stop().await;
    assert_eq!(wire.reply().await.0, 421);
    assert!(wire.is_closed().await);
}
