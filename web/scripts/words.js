// Words and times of a live page, in the reader's language: the page brings them along as JSON.

/** What the page's element `id` holds. */
export function readData(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

/** `text` with {0}, {1} … replaced. */
export function counted(text, ...values) {
  return text.replace(/\{(\d)\}/g, (_, place) => values[place]);
}

const { hours, zone } = document.documentElement.dataset;

const times = new Intl.DateTimeFormat(document.documentElement.lang, {
  hour: hours === "h23" ? "2-digit" : "numeric",
  hourCycle: hours, // as the server writes times
  minute: "2-digit",
  timeZone: zone,
});

/** The time of day as the school's clock shows it. */
export function timeOf(moment) {
  return times.format(new Date(moment));
}
