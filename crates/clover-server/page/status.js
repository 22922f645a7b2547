// What the service says of its library and its model, and what waits.

import { address } from "./address.js";
import { $, element, megabytes } from "./element.js";
import { pause, request, signingIn } from "./service.js";

export const settings = { examples: [], uploads: null, summary: "" };

/** Whether a question needs choices, and what else its form should say. */
const QUESTIONS = {
  list: [false, "what is the dog doing?"],
  blank: [false, "a dog that [MASK]"],
  choices: [true, "what is the dog doing?"],
  none: [true, "a dog that is"],
};

export async function readStatus() {
  const { index, examples, folders, uploads, answers } = await request("status");
  const count = index.videos === 1 ? "1 video" : `${index.videos} videos`;
  const summary = `${count} in ${index.name}${index.broken ? `, ${index.broken} not readable` : ""}.`;
  Object.assign(settings, { examples, uploads, summary });
  const chosen = $("folder").value;
  $("folder").replaceChildren(element("option", { value: "" }, "all"),
    ...folders.map(({ id, name, videos: count }) => element("option", { value: id }, `${name} (${count})`)));
  $("folder").value = chosen;
  $("example-list").replaceChildren(...examples.map((text) =>
    element("li", {}, element("a", { href: address({ q: text }) }, text))));
  const [required, example] = QUESTIONS[answers] ?? QUESTIONS.none;
  $("choices").required = required;
  $("choices-label").textContent = `Answers to choose from, one a line${required ? "" : " (optional)"}`;
  $("question").placeholder = example;
  if (uploads) {
    $("upload").hidden = false;
    $("upload-limit").textContent = `At most ${megabytes(uploads.max_bytes)} each: ${uploads.kinds.join(", ")}.`;
    $("file").accept = uploads.kinds.map((kind) => `.${kind}`).join(",");
  }
}

/** Says what waits, so that a slow answer has a reason. */
export async function watchQueue() {
  for (;;) {
    if (!document.hidden && !signingIn) {
      const { queue } = await request("status", { retries: 0 }).catch(() => ({}));
      $("queue").textContent = !queue ? "The service does not answer."
        : queue.waiting ? `${queue.waiting} of at most ${queue.capacity} requests wait.` : "No request waits.";
    }
    await pause(5);
  }
}
