// Shows what the address asks for.

import { parameters } from "./address.js";
import { $ } from "./element.js";
import { showLibrary } from "./library.js";
import { closePlayer, openPlayer } from "./player.js";
import { search } from "./search.js";
import { readStatus, settings, watchQueue } from "./status.js";
import "./uploads.js";

let shown = null; // the search or the page of the library that is on the screen

function route() {
  const isFirst = shown === null;
  const asked = parameters();
  const open = asked.get("v");
  asked.delete("v");
  const library = asked.get("view") === "library";
  $("search-view").hidden = library;
  $("library-view").hidden = !library;
  for (const [id, current] of [["to-search", !library], ["to-library", library]]) {
    if (current) $(id).setAttribute("aria-current", "page");
    else $(id).removeAttribute("aria-current");
  }
  if (shown !== asked.toString()) {
    shown = asked.toString();
    if (library) showLibrary(asked);
    else search(asked);
  }
  if (open) openPlayer(open, isFirst);
  else closePlayer();
}

addEventListener("hashchange", route);
await readStatus().catch((error) => (settings.summary = error.message));
route();
watchQueue();
