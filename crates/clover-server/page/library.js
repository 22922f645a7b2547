// The files of the library, with their faults.

import { address, parameters } from "./address.js";
import { $, clock, element } from "./element.js";
import { videos } from "./moment.js";
import { request } from "./service.js";
import { settings } from "./status.js";

const PAGE = 100; // files on a page


const STATES = { indexed: "indexed", broken: "not readable", gone: "no longer there" };

export async function showLibrary(asked) {
  const [page, state] = [Math.max(1, Number(asked.get("page")) || 1), asked.get("state") || ""];
  document.title = "Library · Clover";
  $("state").value = state;
  try {
    const query = new URLSearchParams({ offset: PAGE * (page - 1), limit: PAGE });
    if (state) query.set("state", state);
    const { total, videos: found } = await request(`videos?${query}`);
    const pages = Math.max(1, Math.ceil(total / PAGE));
    $("library-summary").textContent = state ? `${total} ${total === 1 ? "file" : "files"} ${STATES[state]}.` : settings.summary;
    $("files").replaceChildren(...found.map(fileRow));
    $("page-number").textContent = `Page ${page} of ${pages}`;
    for (const [id, to] of [["previous", page - 1], ["next", page + 1]]) {
      $(id).disabled = to < 1 || to > pages;
      $(id).onclick = () => (location.hash = address({ view: "library", state, page: to > 1 ? to : "" }));
    }
  } catch (error) {
    $("library-summary").textContent = error.message;
  }
}

function fileRow(video) {
  videos.set(video.id, video);
  const path = video.folder ? `${video.folder}/${video.name}` : video.name;
  const [view, state, page] = ["view", "state", "page"].map((key) => parameters().get(key));
  const file = video.state === "indexed" ? element("a", { href: address({ view, state, page, v: video.id }) }, path) : path;
  return element("tr", {}, element("td", {}, file), element("td", {}, STATES[video.state] ?? video.state),
    element("td", {}, video.seconds ? clock(1000 * video.seconds) : ""),
    element("td", { className: "fault" }, video.fault ?? ""));
}

$("state").onchange = () => (location.hash = address({ view: "library", state: $("state").value }));
