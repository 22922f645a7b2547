// Moments: a video, or a span of it.

/** Videos that were seen so far, by their id. */
export const videos = new Map();

/** Where motion is not wanted. */
export const stillOnly = matchMedia("(prefers-reduced-motion: reduce)");

/** As the address has it. */
export const keyOf = ({ video, from_ms: from, to_ms: to }) => (to == null ? video.id : `${video.id}@${from}-${to}`);

/** What the address has, as requests have it. */
export function spanOf(key) {
  const [, video, from, to] = /^(.*?)(?:@(\d+)-(\d+))?$/.exec(key);
  return to ? { video, from_ms: Number(from), to_ms: Number(to) } : { video };
}

/** From where to where a moment is, in milliseconds; the end is unknown where a file does not say. */
export function span({ video, from_ms: from, to_ms: to }) {
  const [first, last] = video.part ?? [0, 1000 * (video.seconds || 0)];
  return to == null ? [first, last] : [from, to];
}
