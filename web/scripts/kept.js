// What a tab keeps when its page is loaded again, or another one comes. A browser may keep nothing: then nothing is there.

/** What was kept by this name; null for nothing. */
export function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}

/** Keeps a value of JSON's; null is nothing. */
export function keep(name, value) {
  try {
    if (value === null) sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // It is full, or it is forbidden.
  }
}
