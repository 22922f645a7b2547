//! The page, which is part of the program, and the description of the service for readers.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Extracted;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use serde_json::Value;

use crate::api::{self, Shared};
use crate::state::State;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page, at its own name.
macro_rules! file {
    ($name:literal, $kind:expr) => {
        (
            concat!("/", $name),
            $kind,
            include_str!(concat!("../page/", $name)),
        )
    };
}

/// The page's files: where each is, what it is, and its text.
const FILES: [(&str, &str, &str); 15] = [
    ("/", HTML, include_str!("../page/index.html")),
    file!("favicon.svg", SVG),
    // Asked for by browsers that show an answer of the service and no page.
    ("/favicon.ico", SVG, include_str!("../page/favicon.svg")),
    file!("page.css", CSS),
    file!("address.js", SCRIPT),
    file!("element.js", SCRIPT),
    file!("library.js", SCRIPT),
    file!("moment.js", SCRIPT),
    file!("page.js", SCRIPT),
    file!("player.js", SCRIPT),
    file!("question.js", SCRIPT),
    file!("search.js", SCRIPT),
    file!("service.js", SCRIPT),
    file!("status.js", SCRIPT),
    file!("uploads.js", SCRIPT),
];

/// Whether a path is one of the page's, which hold no secret.
pub(crate) fn is_of_page(path: &str) -> bool {
    path == DOCS || FILES.iter().any(|(place, ..)| *place == path)
}

const DOCS: &str = "/docs";

/// The routes of what a browser shows.
pub(crate) fn routes() -> Router<Arc<State>> {
    let routes = Router::new()
        .route("/openapi.json", get(api::openapi))
        .route(DOCS, get(docs));
    FILES.iter().fold(routes, |routes, &(place, kind, text)| {
        let file = async move || ([(header::CONTENT_TYPE, kind)], text);
        routes.route(place, get(file))
    })
}

/// The routes with what they take and give.
async fn docs(Extracted(state): Shared) -> Html<String> {
    let document = state.openapi.get().map_or("", String::as_str);
    Html(described(
        &serde_json::from_str(document).unwrap_or_default(),
    ))
}

fn described(openapi: &Value) -> String {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Clover: the service</title>\
         <link rel=\"icon\" href=\"/favicon.svg\"><link rel=\"stylesheet\" href=\"/page.css\"></head><body><main><h1>Clover: the service</h1>",
    );
    let about = text(&openapi["info"]["description"]);
    let _ = write!(
        html,
        "<p>{about}</p><p>For programs: <a href=\"/openapi.json\">openapi.json</a></p>"
    );
    for (path, methods) in entries(&openapi["paths"]) {
        for (method, route) in entries(methods) {
            let _ = write!(
                html,
                "<h2><code>{} {}</code></h2>",
                escaped(&method.to_uppercase()),
                escaped(path)
            );
            let _ = write!(
                html,
                "<p>{} {}</p>",
                text(&route["summary"]),
                text(&route["description"])
            );
            let parameters = route["parameters"].as_array().into_iter().flatten();
            list(
                &mut html,
                "Parameters",
                parameters.map(|one| (text(&one["name"]), text(&one["description"]))),
            );
            let body = &route["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let properties = &schema(openapi, body)["properties"];
            let body = entries(properties)
                .map(|(name, about)| (escaped(name), text(&about["description"])));
            list(&mut html, "JSON", body);
            let responses = entries(&route["responses"]).map(|(status, response)| {
                let schema = schema(
                    openapi,
                    &response["content"]["application/json"]["schema"]["$ref"],
                );
                let names = entries(&schema["properties"]).map(|(name, _)| escaped(name));
                let names = names.collect::<Vec<_>>().join(", ");
                (
                    escaped(status),
                    format!("{} {names}", text(&response["description"])),
                )
            });
            list(&mut html, "Answers", responses);
        }
    }
    html.push_str("</main></body></html>");
    html
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// The schema that a reference names.
fn schema<'o>(openapi: &'o Value, reference: &Value) -> &'o Value {
    let name = reference.as_str().and_then(|path| path.rsplit('/').next());
    &openapi["components"]["schemas"][name.unwrap_or_default()]
}

fn list(html: &mut String, title: &str, items: impl Iterator<Item = (String, String)>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = write!(html, "<h3>{title}</h3><dl>");
    for (name, about) in items {
        let _ = write!(html, "<dt><code>{name}</code></dt><dd>{about}</dd>");
    }
    html.push_str("</dl>");
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
