// The way in: credentials, or why there is none.

import * as api from "./api.js";
import { fromTemplate, tell } from "./dom.js";

/** Fires `signed-in` (the stores) once the server accepts, and `retry`. */
class SignIn extends HTMLElement {
  connectedCallback() {
    this.append(fromTemplate("sign-in-template"));
    this.form = this.querySelector("form");
    this.notice = this.querySelector(".notice");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try();
    });
    this.notice.querySelector("button").addEventListener("click", () => tell(this, "retry"));
  }

  /** Asks for credentials. @param {string} [message] why those before were not enough */
  ask(message) {
    this.hidden = false;
    this.form.hidden = false;
    this.notice.hidden = true;
    this.#fail(message);
    const { user, password } = this.form.elements;
    (user.value ? password : user).focus();
  }

  /** Says why the explorer does not answer. @param {string} message */
  explain(message) {
    this.hidden = false;
    this.form.hidden = true;
    this.notice.hidden = false;
    this.notice.querySelector("p").textContent = message;
  }

  async #try() {
    const { user, password } = this.form.elements;
    const button = this.form.querySelector("button");
    button.disabled = true;
    this.#fail("");
    api.signIn(user.value, password.value);
    try {
      const stores = await api.stores();
      password.value = "";
      this.hidden = true;
      tell(this, "signed-in", stores);
    } catch (failure) {
      api.signOut();
      if (failure.status === 403) this.explain(failure.message);
      else {
        this.#fail(failure.message);
        password.focus();
        password.select();
      }
    }
    button.disabled = false;
  }

  #fail(message) {
    const box = this.querySelector(".error");
    box.hidden = !message;
    box.textContent = message ?? "";
  }
}

customElements.define("sign-in", SignIn);
