// A moment in the player: from where it starts, or as a preview where a browser cannot play the file.

import { address, parameters } from "./address.js";
import { $, clock, element } from "./element.js";
import { span, spanOf, stillOnly, videos } from "./moment.js";
import { ask, clearAnswers } from "./question.js";
import { API, part, request, thumbnail } from "./service.js";

let playing = null; // the key of the moment that is open
let goesBack = false; // whether what was shown before it is one step back

export async function openPlayer(key, isFirst) {
  if (playing === key) return;
  playing = key;
  goesBack = !isFirst;
  const { video: id, ...times } = spanOf(key);
  let video = videos.get(id);
  if (!video) {
    try {
      video = await request(`videos/${part(id)}`);
    } catch (error) {
      video = { id, name: error.message, kind: "other" };
    }
    if (playing !== key) return;
  }
  const moment = { video, ...times };
  const [from, to] = span(moment);
  $("player-heading").textContent = to > from ? `${video.name}, ${clock(from)} – ${clock(to)}` : video.name;
  $("player-note").textContent = "";
  clearAnswers();
  $("like").href = address({ like: key, in: parameters().get("in") });
  if (video.kind === "video") play(moment);
  else if (video.kind === "image" && moment.to_ms == null) showImage(moment, video.stream);
  else if (video.kind === "image") showPreview(moment, "A preview of this part, without sound.");
  else showPreview(moment, "A browser cannot play this format; this is a preview without sound.");
  $("ask-form").onsubmit = (event) => {
    event.preventDefault();
    ask(moment, () => playing === key);
  };
  if (!$("player").open) $("player").showModal();
}

/** Plays the file from where the moment starts. */
function play(moment) {
  const { video } = moment;
  const [from] = span(moment);
  const player = element("video", { controls: true, preload: "auto", playsInline: true, ariaLabel: video.name });
  const start = () => {
    player.currentTime = from / 1000;
    // Without leave to play with sound, it stands at the moment.
    player.play().catch(() => {});
  };
  player.addEventListener("loadedmetadata", start, { once: true });
  player.addEventListener("error", () => {
    if (player.isConnected) showPreview(moment, "This browser cannot play the file; this is a preview without sound.");
  });
  player.src = video.stream;
  $("screen").replaceChildren(player);
  $("again").hidden = false;
  $("again").onclick = start;
}

/** Frames that the service decoded, as an image that moves. */
function showPreview(moment, note) {
  const [from, to] = span(moment);
  showImage(moment, `${API}videos/${part(moment.video.id)}/preview?from=${Math.round(from)}&to=${Math.round(to)}`);
  $("player-note").textContent = note;
}

/** An image; one that may move stands still where motion is not wanted, until it is asked for. */
function showImage(moment, source, mayMove = !stillOnly.matches) {
  const [from, to] = span(moment);
  const image = element("img", { alt: moment.video.name });
  image.onerror = () => ($("player-note").textContent = "This cannot be shown: the file is gone or cannot be read.");
  image.src = mayMove ? source : thumbnail(moment.video.id, (from + to) / 2);
  $("screen").replaceChildren(image);
  $("again").hidden = to <= from;
  $("again").onclick = () => showImage(moment, source, true);
}

export function closePlayer() {
  playing = null;
  // Ends the download, too.
  $("screen").querySelector("video")?.removeAttribute("src");
  $("screen").replaceChildren();
  if ($("player").open) $("player").close();
}

$("close").onclick = () => $("player").close();
$("player").addEventListener("close", () => {
  const asked = parameters();
  if (!playing || !asked.has("v")) return;
  asked.delete("v");
  if (goesBack) history.back();
  else location.replace(`#${asked}`);
});
