// The page that a card's QR opens. What stands behind the # has gone to no server: it is posted, and leaves the address.

class Card extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    addEventListener("hashchange", () => this._take()); // another card, scanned into the same tab
    this._take();
  }

  _take() {
    const secret = location.hash.slice(1);
    if (!secret) return;
    history.replaceState(null, "", location.pathname);
    this.form.elements.code.value = secret;
    if (!("asks" in this.dataset)) this.form.submit();
  }
}

customElements.define("attendance-card", Card);
