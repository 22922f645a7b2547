// Files that are dropped or chosen, sent, and followed until they can be searched.

import { address } from "./address.js";
import { $, element, megabytes } from "./element.js";
import { API, part } from "./service.js";
import { readStatus, settings } from "./status.js";



$("choose").onclick = () => $("file").click();
$("file").onchange = () => {
  uploadAll([...$("file").files]);
  $("file").value = "";
};

const bringsFiles = (event) => settings.uploads && event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  $("drop-here").hidden = false;
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("drop-here").hidden = true;
});
addEventListener("drop", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  $("drop-here").hidden = true;
  uploadAll([...event.dataTransfer.files]);
});

async function uploadAll(files) {
  $("upload").scrollIntoView({ block: "nearest" });
  // One after the other: the service decodes one at a time anyway.
  for (const file of files) await upload(file);
}

async function upload(file) {
  const [bar, state] = [element("progress", { max: 1, value: 0, ariaLabel: `Upload of ${file.name}` }), element("span")];
  const line = element("li", {}, element("span", {}, file.name), bar, state);
  $("uploads").append(line);
  const say = (text) => ($("upload-status").textContent = `${file.name}: ${(state.textContent = text)}`);
  try {
    const most = settings.uploads.max_bytes;
    if (file.size > most) throw new Error(`larger than the ${megabytes(most)} that are taken`);
    say("sending …");
    const { job } = await send(file, (share) => (bar.value = share));
    const { video } = await follow(job.id, ({ state, progress, detail }) => {
      bar.value = progress;
      say(detail ? `${STEPS[state] ?? state}: ${detail}` : STEPS[state] ?? state);
    });
    say("can be searched now.");
    await readStatus();
    const search = element("button", { type: "button" }, "Search in its folder");
    search.onclick = () => {
      location.hash = address({ in: video.folder_id });
      $("text").focus();
    };
    line.append(element("a", { href: address({ v: video.id }) }, "Show it"), search);
  } catch (error) {
    state.className = "fault";
    say(error.message);
  }
  bar.remove();
}

const STEPS = { waiting: "waiting for its turn …", indexing: "being indexed …" };

/** Sends a file; `fetch` does not tell how far it is. */
function send(file, report) {
  return new Promise((done, fail) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", `${API}uploads?name=${part(file.name)}`);
    sending.responseType = "json";
    sending.upload.onprogress = (event) => report(event.loaded / event.total);
    sending.onerror = () => fail(new Error("the service broke the upload off"));
    sending.onload = () => {
      const answer = sending.response;
      if (sending.status < 300) done(answer);
      else fail(new Error(answer?.detail || answer?.title || `the service answered ${sending.status}`));
    };
    sending.send(file);
  });
}

/** Follows a job to its end. */
function follow(job, report) {
  return new Promise((done, fail) => {
    const events = new EventSource(`${API}jobs/${part(job)}/events`);
    events.onerror = () => {
      // A line that broke is taken up again by the browser itself; an answer other than 200 ends it.
      if (events.readyState === EventSource.CLOSED) fail(new Error("the service no longer knows of it"));
    };
    events.addEventListener("job", (event) => {
      const now = JSON.parse(event.data);
      if (now.state === "done" || now.state === "failed") events.close();
      if (now.state === "done") done(now);
      else if (now.state === "failed") fail(new Error(now.detail ?? "it failed"));
      else report(now);
    });
  });
}
