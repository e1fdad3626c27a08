//! What the measurements of `make bench` are held against: actix answering the gateway's own bytes from memory.
//!
//! No middleware, no parsing, no database: what is left is what any answer of this size costs on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpResponseBuilder, HttpServer, web};
use anyhow::Context;
use clap::Parser;
use serde::Deserialize;

/// Serves captured answers.
#[derive(Debug, Parser)]
struct Cli {
    /// Where to listen.
    #[arg(long)]
    bind: String,
    /// A JSON file: for each route, such as `/api/listings/{id}`, the headers and the body to answer.
    #[arg(long)]
    answers: PathBuf,
    /// Threads that serve requests.
    #[arg(long)]
    workers: usize,
}

/// One captured answer.
#[derive(Debug, Clone, Deserialize)]
struct Answer {
    headers: Vec<(String, String)>,
    body: String,
}

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let text = std::fs::read(&cli.answers).context("the captured answers cannot be read")?;
    let answers: BTreeMap<String, Answer> = serde_json::from_slice(&text)?;
    let server = HttpServer::new(move || {
        answers.iter().fold(App::new(), |app, (route, answer)| {
            let answer = web::Data::new(answer.clone());
            let route = web::resource(route).app_data(answer).route(web::get().to(give));
            app.service(route)
        })
    });
    server.workers(cli.workers).bind(cli.bind)?.run().await?;
    Ok(())
}

async fn give(answer: web::Data<Answer>) -> HttpResponse {
    let mut response = HttpResponseBuilder::new(StatusCode::OK);
    for (name, value) in &answer.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(answer.body.clone())
}
