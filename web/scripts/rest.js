// What live pages ask of /api/v2: with the token of their connection, or with a key of their own.

import { fetchInTime } from "./asking.js";

export class Refused extends Error {
  constructor(answer, status) {
    super(answer.error);
    this.code = answer.code;
    this.passes = status >= 500; // the server is in trouble: the same may be asked again
  }
}

let offset = 0; // the server's clock minus this device's, ms, as of the last answer

/** The server's time now, ms: a device's own clock may be wrong by hours. */
export function serverNow() {
  return Date.now() + offset;
}

/** Asks, and returns the answer's data. Throws `Refused` for a no, and another error where nothing came back. */
export async function ask(method, path, { token, body } = {}) {
  const headers = {};
  if (token) headers.Authorization = token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetchInTime(`/api/v2${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin", // the cookie that names the device goes along; who asks is the token's to say
  });
  offset = (Date.parse(answer.headers.get("Date")) || Date.now()) - Date.now();
  if (answer.status === 204) return null;
  const read = await answer.json();
  if (!answer.ok) throw new Refused(read, answer.status);
  return read.data;
}

/** The SVG that a server's answer brings, as an element of any size. */
export function drawn(svg) {
  const read = new DOMParser().parseFromString(svg, "text/html").querySelector("svg");
  if (!read.hasAttribute("viewBox")) {
    read.setAttribute("viewBox", `0 0 ${read.getAttribute("width")} ${read.getAttribute("height")}`);
  }
  read.removeAttribute("width");
  read.removeAttribute("height");
  return document.importNode(read, true);
}

/** Where this device is: {latitude, longitude, accuracy}. Throws `Error("no place")` with the reason as its `code`. */
export function placeOf() {
  return new Promise((found, failed) => {
    const refuse = (code) => failed(Object.assign(new Error("no place"), { code }));
    if (!isSecureContext || !navigator.geolocation) {
      refuse("insecure");
      return;
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude, accuracy } }) => found({ latitude, longitude, accuracy }),
      ({ code }) => refuse(code === 1 ? "denied" : "unknown"),
      { enableHighAccuracy: true, timeout: 20000, maximumAge: 10000 },
    );
  });
}
