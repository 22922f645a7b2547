// Search: texts and examples to a grid of moments.

import { address, parameters } from "./address.js";
import { $, clock, element, percent } from "./element.js";
import { keyOf, span, spanOf, stillOnly, videos } from "./moment.js";
import { post } from "./service.js";
import { settings } from "./status.js";

const FIRST = 24; // moments that are asked for at once
const MOST = 200; // moments that the service gives at most

let running = null; // what ends a search that nobody waits for any more

/** Shows what the address asks for; the examples where it asks for nothing. */
export async function search(asked, top = FIRST) {
  running?.abort();
  running = new AbortController();
  const options = { signal: running.signal, report: (text) => ($("status").textContent = text) };
  const [text, like] = [asked.get("q") || "", asked.get("like")];
  $("text").value = text;
  $("without").value = asked.get("not") || "";
  $("folder").value = asked.get("in") || "";
  $("no-match").hidden = $("more").hidden = true;
  const nothing = !text && !like;
  $("examples").hidden = !nothing || settings.examples.length === 0;
  if (nothing || top === FIRST) $("grid").replaceChildren();
  document.title = text ? `${text} · Clover` : "Clover";
  if (nothing) {
    $("results-heading").textContent = "What is in your videos?";
    $("status").textContent = settings.summary;
    return;
  }
  $("results-heading").textContent = like ? "More like this" : `“${text}”`;
  $("status").textContent = "Looking …";
  const common = { not: termsOf(asked.get("not")), folder: asked.get("in") || undefined, top };
  try {
    const found = like
      ? await post("similar", { ...spanOf(like), ...common }, options)
      : await post("search", { text, ...common }, options);
    showFound(found, top, asked);
  } catch (error) {
    if (error.name !== "AbortError") $("status").textContent = error.message;
  }
}

/** "people, rain" as two texts. */
const termsOf = (text) => (text || "").split(",").map((term) => term.trim()).filter(Boolean);

function showFound({ moments, matches, cut }, top, asked) {
  const count = moments.length === 1 ? "1 moment" : `${moments.length} moments`;
  const long = cut ? " The text was longer than the model reads; its end was left out." : "";
  $("status").textContent = !moments.length ? "No video is in here."
    : matches === false ? `Nothing here matches.${long}` : `${count}, best first.${long}`;
  $("no-match").hidden = matches !== false || !moments.length;
  $("cannot-tell").hidden = matches != null || moments[0]?.place == null;
  $("grid").replaceChildren(...moments.map(card));
  $("more").hidden = moments.length < top || top === MOST;
  $("more").onclick = async () => {
    await search(asked, Math.min(top + FIRST, MOST));
    $("grid").children[moments.length]?.querySelector(".open").focus();
  };
}

/** A moment in the grid: a button that opens it, with thumbnails that move while it is pointed at. */
function card(moment) {
  const { video, score, place, thumbnails, copies } = moment;
  videos.set(video.id, video);
  const [from, to] = span(moment);
  const image = element("img", { src: thumbnails[0], alt: "", loading: "lazy" });
  const whole = moment.to_ms == null ? "all of it, " : "";
  const time = to > from ? `${whole}${clock(from)} – ${clock(to)}` : "all of it";
  const open = element("button", { type: "button", className: "open" }, image,
    element("span", { className: "what" }, video.name),
    element("span", { className: "facts faint" }, element("span", {}, time),
      element("span", {}, place == null ? "" : `better than ${percent(place)} of unrelated texts`)));
  const copied = copies?.length ? `; the same content: ${copies.join(", ")}` : "";
  open.title = `${video.folder}/${video.name}, cosine ${score.toFixed(3)}${copied}`;
  open.onclick = () => {
    const asked = parameters();
    asked.set("v", keyOf(moment));
    location.hash = asked;
  };
  moveWhilePointedAt(open, image, thumbnails);
  return element("li", { className: "card" }, open);
}

function moveWhilePointedAt(where, image, thumbnails) {
  let moving = null;
  const stop = () => {
    clearInterval(moving);
    moving = null;
    image.src = thumbnails[0];
  };
  const start = () => {
    if (moving || stillOnly.matches || thumbnails.length < 2) return;
    const loaded = thumbnails.map((src) => Object.assign(new Image(), { src }));
    let at = 0;
    moving = setInterval(() => {
      if (!where.isConnected) return stop();
      const next = loaded[++at % loaded.length];
      // One that has not come yet is not waited for.
      if (next.complete && next.naturalWidth) image.src = next.src;
    }, 350);
  };
  where.addEventListener("pointerenter", start);
  where.addEventListener("focus", start);
  where.addEventListener("pointerleave", stop);
  where.addEventListener("blur", stop);
}

/** Arrows go from moment to moment, Tab as everywhere. */
$("grid").addEventListener("keydown", (event) => {
  const buttons = [...$("grid").querySelectorAll(".open")];
  const at = buttons.indexOf(document.activeElement);
  const tops = buttons.map((button) => button.getBoundingClientRect().top);
  const columns = tops.filter((top) => top === tops[0]).length;
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -at, End: buttons.length - 1 - at };
  if (at < 0 || !(event.key in steps)) return;
  event.preventDefault();
  buttons[at + steps[event.key]]?.focus();
});

$("search-form").onsubmit = (event) => {
  event.preventDefault();
  const q = $("text").value.trim();
  const like = q ? "" : parameters().get("like");
  const asked = address({ q, like, not: $("without").value.trim(), in: $("folder").value });
  // The same again is asked again: the library may have grown.
  if (location.hash === asked) search(parameters());
  else location.hash = asked;
};
