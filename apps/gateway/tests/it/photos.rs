//! Photos over HTTP: uploads by members, files for everybody.

use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use testkit::{PeakMemory, Scope, on_every_engine, pictures};

use crate::support::{Answer, Session, TestApp};

const UPLOADS: &str = "/api/uploads";

fn part(bytes: Vec<u8>, name: &str, mime: &str) -> Part {
    Part::bytes(bytes).file_name(name.to_owned()).mime_str(mime).unwrap()
}

fn photo(width: u32) -> Part {
    part(pictures::jpeg(width, 300), "photo.jpg", "image/jpeg")
}

async fn upload(app: &TestApp, session: &Session, form: Form) -> Answer {
    app.post(UPLOADS).bearer(session).multipart(form).send().await
}

fn urls(photo: &Value) -> Vec<String> {
    ["thumbUrl", "cardUrl", "fullUrl"].map(|field| photo[field].as_str().unwrap().to_owned()).to_vec()
}

on_every_engine! { Scope::All =>
    async fn what_is_uploaded_can_be_seen_by_everybody(db: TestDb) {
        let app = TestApp::start(db).await;
        let seller = app.member().await;
        let picture = pictures::with_exif(&pictures::jpeg(1_200, 800), 6);
        let form = Form::new().part("file", part(picture, "DSC_1.jpg", "image/jpeg")).part("file", photo(400));
        let answer = upload(&app, &seller, form).await.expect(StatusCode::CREATED);
        let photos = answer.body["data"].as_array().unwrap();
        assert_eq!(photos.len(), 2);
        assert_eq!((&photos[0]["width"], &photos[0]["height"]), (&800.into(), &1_200.into()), "turned upright");
        for url in photos.iter().flat_map(urls) {
            let file = app.get(&url).send().await.expect(StatusCode::OK);
            for (name, value) in [
                ("content-type", "image/jpeg"),
                ("cache-control", "public, max-age=31536000, immutable"),
                ("cross-origin-resource-policy", "cross-origin"),
                ("x-content-type-options", "nosniff"),
            ] {
                assert_eq!(file.header(name), value);
            }
            assert_eq!(file.header("content-length"), file.bytes.len().to_string());
            assert!(file.bytes.starts_with(&[0xff, 0xd8]) && file.bytes.ends_with(&[0xff, 0xd9]));
            assert!(!file.bytes.windows(4).any(|bytes| bytes == b"Exif"));
        }
        app.stop().await;
    }

    async fn a_file_is_sent_once_and_known_by_its_tag(db: TestDb) {
        let app = TestApp::start(db).await;
        let seller = app.member().await;
        let answer = upload(&app, &seller, Form::new().part("file", photo(400))).await.expect(StatusCode::CREATED);
        let url = answer.text("/data/0/fullUrl");
        let first = app.get(&url).send().await.expect(StatusCode::OK);
        let tag = first.header("etag");
        assert!(url.contains(tag.trim_matches('"')), "the tag is the hash that the name is made of");
        for known in [tag, "*", &format!("\"other\", W/{tag}")] {
            let again = app.get(&url).header("if-none-match", known).send().await.expect(StatusCode::NOT_MODIFIED);
            assert_eq!((again.header("etag"), again.header("cache-control")), (tag, first.header("cache-control")));
            assert!(again.bytes.is_empty());
        }
        app.get(&url).header("if-none-match", "\"other\"").send().await.expect(StatusCode::OK);
        let head = app.call(Method::HEAD, &url).send().await.expect(StatusCode::OK);
        assert_eq!(head.header("content-length"), first.header("content-length"));
        assert!(head.bytes.is_empty());
        app.stop().await;
    }

    async fn no_other_name_reaches_the_folder(db: TestDb) {
        let app = TestApp::start(db).await;
        let unknown = format!("{}.jpg", "0".repeat(64));
        for name in [&unknown, "x.jpg", "..%2f..%2fetc%2fpasswd", "%2e%2e/Cargo.toml", "00", &"A".repeat(64)] {
            let answer = app.get(&format!("/media/{name}")).send().await;
            assert_eq!((answer.status, answer.header("content-type")), (404, "application/problem+json"), "{name}");
        }
        let answer = app.get(&format!("/media/{unknown}")).header("if-none-match", "*").send().await;
        answer.problem(StatusCode::NOT_FOUND, "photo_not_found");
        app.stop().await;
    }

    async fn every_hostile_file_is_a_problem_that_names_the_field(db: TestDb) {
        let app = TestApp::start(db).await;
        let seller = app.member().await;
        let files = pictures::hostile_files();
        let memory = PeakMemory::watch();
        for file in files {
            let form = Form::new().part("file", part(file.bytes, file.name, file.mime));
            let answer = upload(&app, &seller, form).await;
            let status = match file.code {
                "empty_upload" => StatusCode::BAD_REQUEST,
                "image_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
                "unsupported_image" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let answer = answer.problem(status, file.code);
            assert_eq!(answer.fields(), ["file"], "{}", file.what);
            assert_eq!(answer.body["errors"][0]["code"], file.code);
        }
        assert!(memory.grown_mib() < 128, "{} MiB", memory.grown_mib());
        app.stop().await;
    }

    async fn a_file_beyond_ten_mebibytes_is_refused_while_it_is_sent(db: TestDb) {
        let app = TestApp::start(db).await;
        let seller = app.member().await;
        let mut large = pictures::jpeg(400, 300);
        large.resize(10 * 1024 * 1024 + 1, 0);
        let memory = PeakMemory::watch();
        let form = Form::new().part("file", part(large, "large.jpg", "image/jpeg"));
        let answer = upload(&app, &seller, form).await.problem(StatusCode::PAYLOAD_TOO_LARGE, "upload_too_large");
        assert_eq!(answer.fields(), ["file"]);
        assert!(memory.grown_mib() < 64, "{} MiB", memory.grown_mib());
        app.stop().await;
    }

    async fn one_bad_file_spoils_the_upload_and_is_counted(db: TestDb) {
        let app = TestApp::start(db).await;
        let seller = app.member().await;
        let html = part(b"<html></html>".to_vec(), "photo.jpg", "image/jpeg");
        let form = Form::new().part("file", photo(400)).part("file", html).part("file", photo(500));
        let answer = upload(&app, &seller, form).await;
        let answer = answer.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_image");
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().starts_with("file 2: "), "{}", answer.body);
        let select = db.engine().statement("SELECT COUNT(*) AS n FROM photos", []);
        let row = sea_orm::ConnectionTrait::query_one_raw(db.reader().unwrap(), select).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), 0);
        app.stop().await;
    }

    async fn a_form_that_is_none_or_not_ours_is_refused(db: TestDb) {
        let app = TestApp::start(db).await;
        let seller = app.member().await;
        let unknown = Form::new().text("title", "x");
        let answer = upload(&app, &seller, unknown).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        assert_eq!(answer.fields(), ["title"]);
        let none = app.post(UPLOADS).bearer(&seller).raw("multipart/form-data; boundary=x", "--x--\r\n").send().await;
        assert_eq!(none.problem(StatusCode::BAD_REQUEST, "invalid_input").fields(), ["file"]);
        let too_many = (0..11).fold(Form::new(), |form, n| form.part("file", photo(20 + n)));
        let answer = upload(&app, &seller, too_many).await.problem(StatusCode::BAD_REQUEST, "invalid_input");
        assert_eq!((answer.fields(), &answer.body["errors"][0]["code"]), (vec!["file"], &"too_many".into()));
        for (content_type, status, code) in [
            ("application/json", StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            ("image/jpeg", StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            ("multipart/form-data", StatusCode::BAD_REQUEST, "malformed_multipart"),
            ("multipart/form-data; boundary=x", StatusCode::BAD_REQUEST, "malformed_multipart"),
        ] {
            let cut_off = "--x\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n\u{7f}";
            app.post(UPLOADS).bearer(&seller).raw(content_type, cut_off).send().await.problem(status, code);
        }
        app.stop().await;
    }

    async fn only_members_upload(db: TestDb) {
        let app = TestApp::start(db).await;
        let form = Form::new().part("file", photo(40));
        app.post(UPLOADS).multipart(form).send().await.problem(StatusCode::UNAUTHORIZED, "unauthenticated");
        app.stop().await;
    }

    async fn a_member_who_hoards_photos_is_stopped(db: TestDb) {
        let app = TestApp::start(db).await;
        let hoarder = app.member().await;
        for round in 0..5 {
            let ten = (0..10).fold(Form::new(), |form, n| form.part("file", photo(20 + 10 * round + n)));
            upload(&app, &hoarder, ten).await.expect(StatusCode::CREATED);
        }
        let one_more = upload(&app, &hoarder, Form::new().part("file", photo(99))).await;
        one_more.problem(StatusCode::CONFLICT, "photo_quota");
        app.stop().await;
    }
}
