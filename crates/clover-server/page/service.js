// The service, asked as any program may ask it: `/docs` describes it.

import { $ } from "./element.js";

export const API = "/api/v1/";
const RETRIES = 3; // of a request that the queue had no place for

export const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

/** Asks the service; says so and waits where its queue is full, and asks for the token where it must. */
export async function request(path, { report = () => {}, retries = RETRIES, ...options } = {}) {
  let answer;
  try {
    answer = await fetch(API + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The service does not answer. Does it still run?");
  }
  if (answer.status === 401) {
    await signIn();
    return request(path, { report, retries, ...options });
  }
  if (answer.status === 429 && retries > 0) {
    const seconds = Math.min(Number(answer.headers.get("Retry-After")) || 1, 30);
    report(`Many are asking just now; again in ${seconds} s …`);
    await pause(seconds);
    return request(path, { report, retries: retries - 1, ...options });
  }
  if (!answer.ok) throw new Error(await problemOf(answer));
  return answer.status === 204 ? null : answer.json();
}

export const post = (path, body, options = {}) =>
  request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    ...options,
  });

/** What an answer of `application/problem+json` says is wrong. */
async function problemOf(answer) {
  try {
    const problem = await answer.json();
    return problem.detail || problem.title;
  } catch {
    return `The service answered ${answer.status}.`;
  }
}

export const part = (text) => encodeURIComponent(text);
export const thumbnail = (id, ms) => `${API}thumbnails/${part(id)}@${Math.max(0, Math.round(ms))}`;

export let signingIn = null;

/** Resolves once the service has taken a token and given a cookie, which images and videos need as well. */
function signIn() {
  signingIn ??= new Promise((done) => {
    const dialog = $("sign-in");
    const refuse = (event) => event.preventDefault(); // nothing can be seen without it
    dialog.addEventListener("cancel", refuse);
    $("token-form").onsubmit = async (event) => {
      event.preventDefault();
      const headers = { Authorization: `Bearer ${$("token").value.trim()}` };
      const answer = await fetch(`${API}session`, { method: "POST", headers }).catch(() => null);
      if (!answer?.ok) {
        $("token-status").textContent = answer ? "That is not the token." : "The service does not answer.";
        $("token").focus();
        return;
      }
      $("token").value = $("token-status").textContent = "";
      dialog.removeEventListener("cancel", refuse);
      dialog.close();
      $("sign-out").hidden = false;
      signingIn = null;
      done();
    };
    dialog.showModal();
  });
  return signingIn;
}

$("sign-out").onclick = async () => {
  await request("session", { method: "DELETE" });
  location.reload();
};
