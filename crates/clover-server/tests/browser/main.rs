//! The page in a real browser, as one who looks and clicks, and as one who has a keyboard alone.
//!
//! Needs `chromium` and `chromedriver` (Debian: `chromium-driver`). With `CLOVER_SCREENSHOTS=FOLDER` it writes
//! images of what it sees.

#![cfg(test)]

mod library;
mod webdriver;

use std::path::Path;

use clover_server::{ServerConfig, Token};
use serde_json::{Value, json};
use webdriver::{Browser, ENTER, ESCAPE, LEFT, RIGHT, TAB};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Whether an expression's element has the focus.
fn focus_is(browser: &Browser, selector: &str) -> bool {
    let script = "return Boolean(document.activeElement?.matches(arguments[0]));";
    browser.script(script, json!([selector])) == json!(true)
}

/// Presses Tab until an element has the focus.
fn tab_to(browser: &Browser, selector: &str) {
    for _ in 0..60 {
        browser.press(TAB);
        if focus_is(browser, selector) {
            let outline = "getComputedStyle(document.activeElement).outlineStyle";
            assert_eq!(
                browser.value(outline),
                "solid",
                "no visible focus: {selector}"
            );
            return;
        }
    }
    panic!("Tab does not come to {selector}");
}

fn assert_accessible(browser: &Browser, what: &str) {
    for scheme in ["light", "dark"] {
        for width in [1280, 360] {
            browser.look(width, scheme);
            browser.screenshot(&format!("{what}-{scheme}-{width}"));
            let faults = browser.script(include_str!("accessibility.js"), json!([]));
            assert_eq!(faults, json!([]), "{what}, {scheme}, {width} wide");
        }
    }
    browser.look(1280, "light");
}

/// The button of the moment that was found in a file, as an expression.
fn card(file: &str) -> String {
    format!(
        "[...$('grid').querySelectorAll('.open')].find((open) => open.textContent.includes('{file}'))"
    )
}

/// Clicks on it.
fn open_card(browser: &Browser, file: &str) {
    browser.script(
        &format!("{}.classList.add('chosen');", card(file)),
        json!([]),
    );
    browser.click("#grid .chosen");
    browser.script(
        "document.querySelector('.chosen').classList.remove('chosen');",
        json!([]),
    );
}

/// What of the video was played first: where its moment starts, as the address has it.
fn assert_plays_from(browser: &Browser, expected: Option<f64>) {
    browser.wait_for("$('player').open && document.querySelector('video')?.played.length > 0");
    let start = "Number(/@(\\d+)-/.exec(decodeURIComponent(location.hash))?.[1] ?? 0) / 1000";
    let start = browser.value(start).as_f64().unwrap();
    let played = browser.value("document.querySelector('video').played.start(0)");
    let played = played.as_f64().unwrap();
    let as_asked = |expected: f64| (expected - start).abs() < 1e-9;
    assert!(expected.is_none_or(as_asked), "{start}");
    assert!(
        (played - start).abs() < 0.05,
        "played from {played}, and the moment starts at {start}"
    );
}

/// Searches, looks, asks.
fn look_around(browser: &Browser, page: &str) {
    browser.open(page);
    browser.wait_for("$('status').textContent.includes('video')");
    assert_accessible(browser, "start");

    // An example of the library is a search; "back" leads to the start again.
    browser.wait_for("document.querySelector('#example-list a')");
    browser.click("#example-list a");
    browser.wait_for("$('grid').children.length > 0 && $('status').textContent.includes('moment')");
    browser.script("history.back();", json!([]));
    browser.wait_for("$('grid').children.length === 0 && !$('examples').hidden");

    // A text of one's own, without what is not wanted.
    browser.type_into("#text", "a red circle");
    browser.type_into("#without", "blue, a square");
    browser.click("#search-form button");
    browser.wait_for("$('grid').children.length > 1");
    browser.wait_for("[...$('grid').querySelectorAll('img')].every((image) => image.complete && image.naturalWidth)");
    assert!(
        browser
            .value("location.hash")
            .as_str()
            .unwrap()
            .contains("not=blue")
    );
    assert_accessible(browser, "grid");

    // Pointed at, a moment moves.
    browser.script(&format!("{}.id = 'small';", card("small.mp4")), json!([]));
    let shown = "$('small').querySelector('img').src";
    let first = browser.value(shown);
    browser.point_at("#small");
    browser.wait_for(&format!("{shown} !== {first}"));

    // It plays from where the moment starts, whichever that is.
    open_card(browser, "small.mp4");
    assert_plays_from(browser, None);
    let moment = "location.replace(location.hash.replace(/v=(\\w+).*/, 'v=$1%40600-1000'));";
    browser.script(moment, json!([]));
    browser.wait_for("$('player-heading').textContent.includes('0:00.6')");
    assert_plays_from(browser, Some(0.6));

    // A question with choices.
    browser.type_into("#question", "a circle that is");
    browser.type_into("#choices", "red\nblue");
    browser.click("#ask-form button");
    browser.wait_for("$('answers').children.length === 2");
    let sum =
        "[...$('answers').querySelectorAll('meter')].reduce((sum, one) => sum + one.value, 0)";
    assert!((browser.value(sum).as_f64().unwrap() - 1.0).abs() < 1e-3);
    assert_accessible(browser, "player");

    // A format that browsers do not play is shown all the same, and the page says how.
    browser.click("#close");
    browser.wait_for("!$('player').open");
    open_card(browser, "small.mkv");
    browser.wait_for("$('screen').querySelector('img')?.naturalWidth && $('player-note').textContent.includes('preview')");

    // What is like it.
    browser.click("#like");
    browser.wait_for("!$('player').open && document.getElementById('results-heading').textContent === 'More like this'");
    browser.wait_for("$('grid').children.length > 0");

    // The library, with what could not be read.
    browser.click("#to-library");
    browser.wait_for("$('files').children.length > 1");
    browser.wait_for("$('files').textContent.includes('broken <i>.mp4') && $('files').textContent.includes('not readable')");
    assert_accessible(browser, "library");
}

/// Adds a video, and finds it.
fn upload(browser: &Browser, page: &str, file: &Path) {
    browser.open(page);
    browser.wait_for("!$('upload').hidden");
    browser.type_into("#file", file.to_str().unwrap());
    browser.wait_for("$('uploads').textContent.includes('can be searched now')");
    assert_accessible(browser, "upload");
    browser.click("#uploads a");
    browser.wait_for("$('player').open && document.querySelector('video')?.readyState >= 2");
    browser.click("#close");
    browser.wait_for("!$('player').open");

    // What is no video is refused, with the reason.
    let sender = "const list = new DataTransfer(); list.items.add(new File(['no video'], 'no.mp4')); \
                  dispatchEvent(new DragEvent('drop', { dataTransfer: list, cancelable: true }));";
    browser.script(sender, json!([]));
    browser.wait_for("document.querySelector('#uploads .fault')?.textContent");
}

/// All of it without a mouse.
fn use_the_keyboard(browser: &Browser, page: &str) {
    browser.open("about:blank");
    browser.open(page);
    browser.wait_for("document.querySelector('#example-list a')");
    tab_to(browser, ".skip");
    tab_to(browser, "#text");
    browser.press("a red circle");
    browser.press(ENTER);
    browser.wait_for("$('grid').children.length > 1");

    tab_to(browser, "#grid li:first-child .open");
    browser.press(RIGHT);
    assert!(focus_is(browser, "#grid li:nth-child(2) .open"), "right");
    browser.press(LEFT);
    assert!(focus_is(browser, "#grid li:first-child .open"), "left");
    browser.press(ENTER);
    browser.wait_for("$('player').open");
    assert!(focus_is(browser, "#player *"), "the focus is in the player");
    tab_to(browser, "#question");
    browser.press("a circle that is");
    tab_to(browser, "#choices");
    browser.press(&format!("red{ENTER}blue"));
    tab_to(browser, "#ask-form button");
    browser.press(ENTER);
    browser.wait_for("$('answers').children.length === 2");
    browser.press(ESCAPE);
    browser.wait_for("!$('player').open && !location.hash.includes('v=')");
    assert!(
        focus_is(browser, "#grid li:first-child .open"),
        "the focus goes back"
    );
}

/// A service with a token asks for it once; images and videos come, too.
fn sign_in(browser: &Browser, page: &str, token: &str) {
    browser.open(page);
    browser.wait_for("$('sign-in').open");
    assert_accessible(browser, "sign-in");
    browser.type_into("#token", "not the token");
    browser.press(ENTER);
    browser.wait_for("$('token-status').textContent.includes('not the token')");
    browser.script("document.getElementById('token').value = '';", json!([]));
    browser.type_into("#token", token);
    browser.press(ENTER);
    browser.wait_for("!$('sign-in').open && document.querySelector('#example-list a')");
    browser.click("#example-list a");
    browser.wait_for("$('grid').querySelector('img')?.naturalWidth");
    browser.click("#sign-out");
    browser.wait_for("$('sign-in').open");
}

/// What the browser complained of that the test did not provoke.
fn assert_quiet(browser: &Browser) {
    let log = browser.log();
    let entries = log.as_array().unwrap().iter();
    // Answers such as 401 and 415, which are asked for here, are logged as well.
    let of_scripts =
        entries.filter(|entry| entry["source"] != "network" && entry["level"] == "SEVERE");
    assert_eq!(of_scripts.collect::<Vec<_>>(), Vec::<&Value>::new());
}

#[test]
fn the_page_searches_plays_asks_and_takes_videos_with_a_mouse_and_with_a_keyboard() {
    let Some(browser) = Browser::start() else {
        println!("SKIPPED: the page was not looked at, for there is no chromium with chromedriver");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let index = library::index(folder.path());
    let open = ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        upload_dir: Some(folder.path().join("uploads")),
        ..ServerConfig::default()
    };
    let guarded = ServerConfig {
        token: Some(Token::new(TOKEN).unwrap()),
        upload_dir: None,
        ..open.clone()
    };

    library::served(&index, &open, |page| {
        look_around(&browser, page);
        upload(&browser, page, &library::video("fragmented.mp4"));
        use_the_keyboard(&browser, page);
    });
    library::served(&index, &guarded, |page| sign_in(&browser, page, TOKEN));

    assert_quiet(&browser);
}
