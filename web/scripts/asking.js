// How live pages ask the server: each request has an end.

const LIMIT = 15000; // ms; a stalled network takes a request, and never answers

/** Nobody is signed in here any more, or somebody has signed in since: the page's value for CSRF is an old one then. */
export class SignedOut extends Error {}

/** As `fetch`, with an end. Safari 15 has no AbortSignal.timeout. */
export function fetchInTime(address, options) {
  const end = new AbortController();
  setTimeout(() => end.abort(), LIMIT);
  return fetch(address, { cache: "no-store", ...options, signal: end.signal });
}

/** A form's post, with the value for CSRF that the page's forms have. */
export function post(address, options) {
  const value = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  return fetchInTime(address, { method: "POST", headers: { "X-CSRFToken": value }, ...options });
}

/** {token, expiresAt, serverTime}. Throws `SignedOut`, and another error where no answer came. */
export async function pageToken() {
  const answer = await post("/app/token");
  if (answer.status === 401 || answer.status === 403) throw new SignedOut();
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return answer.json();
}
