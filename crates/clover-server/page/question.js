// A question about the moment in the player.

import { $, clock, element, percent } from "./element.js";
import { keyOf, span, spanOf } from "./moment.js";
import { post, thumbnail } from "./service.js";



const BY = {
  "answer-list": "from the list of answers that the model was trained on",
  "multiple-choice": "by the head that was trained to choose",
  similarity: "by how similar each choice is to the clip; the model was not trained to answer",
};

export function clearAnswers() {
  $("ask-status").textContent = "";
  $("answers").replaceChildren();
  $("attention").hidden = true;
}

/** Asks what stands in the form, and shows the answers if the moment is still the one that is looked at. */
export async function ask(moment, isOpen) {
  const choices = $("choices").value.split("\n").map((line) => line.trim()).filter(Boolean);
  const report = (text) => ($("ask-status").textContent = text);
  clearAnswers();
  report("Looking …");
  try {
    const asked = { ...spanOf(keyOf(moment)), question: $("question").value.trim(), choices, top: 5, attention: true };
    const { found } = await post("ask", asked, { report });
    if (!isOpen()) return;
    showAnswers(found[0].answers);
    if (found[0].attention) showAttention(moment, found[0].attention);
  } catch (error) {
    report(error.message);
  }
}

function showAnswers({ ranked, sure, answered_by: by, known, cut }) {
  const [of, share] = by === "similarity" ? [` of these ${known}`, "share"] : ["", "probability"];
  const best = `“${ranked[0].answer}”`;
  const long = cut ? " The text was longer than the model reads; its end was left out." : "";
  const verdict = sure ? best : `Unsure. The best guess is ${best}`;
  $("ask-status").textContent = `${verdict}, of ${known} answers ${BY[by] ?? ""}.${long}`;
  $("answers").replaceChildren(...ranked.map(({ answer, probability, similarity }) =>
    element("li", {}, element("span", {}, answer),
      element("meter", { min: 0, max: 1, value: probability, ariaLabel: `${share} of ${answer}` }),
      element("span", { title: similarity == null ? "" : `similarity ${similarity.toFixed(3)}` },
        percent(probability) + of))));
}

/** The attention laid over the frames that the model saw, and the share of each time step. */
function showAttention(moment, { image, steps, video_share: share }) {
  const [from, to] = span(moment);
  const most = Math.max(...steps);
  $("attention").hidden = false;
  $("overlay").src = image;
  $("overlay").alt = `The frames, and below each where the answer looks; ${percent(share)} of the attention is on the video, the rest on the question`;
  $("strip").replaceChildren(...steps.map((share, at) => {
    const ms = from + ((at + 0.5) * (to - from)) / steps.length;
    const button = element("button", { type: "button", ariaLabel: `Go to ${clock(ms)}, ${percent(share)} of the attention` },
      element("img", { src: thumbnail(moment.video.id, ms), alt: "" }),
      element("meter", { min: 0, max: most, value: share, ariaHidden: "true" }), percent(share));
    button.onclick = () => {
      const player = $("screen").querySelector("video");
      if (player) player.currentTime = ms / 1000;
      else $("screen").querySelector("img").src = thumbnail(moment.video.id, ms);
    };
    return element("li", {}, button);
  }));
}
