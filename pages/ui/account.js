// Who is signed in: the form that signs in, the one that changes a password, and the menu with the way out.
// The cookie is set by the server's own route, where no script can read it; the page then begins anew.

/**
 * @param {{data: {mode: "sign_in" | "change" | "menu", name: string, role: string, note: string, password?: boolean,
 *   providers?: [key: string, title: string][]}, parentElement: HTMLElement, setTriggerValue: Function}} place
 */
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ms-account");
  const drawn = JSON.stringify(data);
  if (root.dataset.drawn === drawn) return;
  root.dataset.drawn = drawn;
  root.className = `ms-account ${data.mode}`;
  root.replaceChildren({ sign_in: signIn, change: firstPassword, menu }[data.mode](data, setTriggerValue));
  root.querySelector("input")?.focus();
}

function signIn({ note, providers }, setTriggerValue) {
  const shown = form({
    title: "Masksmith",
    note,
    fields: [field("Name", "text", "username"), field("Password", "password", "current-password")],
    action: "Sign in",
    send: ([name, password]) => ask("POST", "/api/session", { name, password }),
  });
  if (providers.length) shown.append(el("p", { class: "or" }, "or"));
  for (const [key, title] of providers) {
    const there = el("button", { type: "button", class: "other" }, `Sign in with ${title}`);
    // The page answers by sending the browser to the provider.
    there.onclick = () => setTriggerValue("provider", key);
    shown.append(there);
  }
  return shown;
}

function firstPassword({ name }) {
  const shown = changeForm(`Hello, ${name}`, "Your password was made for you. Choose one of your own, of 12 characters or more.");
  const other = el("button", { type: "button", class: "plain" }, "Sign out");
  other.onclick = signOut;
  shown.append(other);
  return shown;
}

function changeForm(title, note) {
  return form({
    title,
    note,
    fields: [
      field("Present password", "password", "current-password"),
      field("New password", "password", "new-password"),
      field("New password again", "password", "new-password"),
    ],
    action: "Change password",
    send: ([old, chosen, again]) => {
      if (chosen !== again) throw new Error("The new password must be typed the same twice.");
      return ask("PUT", "/api/session/password", { old, new: chosen });
    },
  });
}

function menu({ name, role, password }) {
  watch(name, role);
  const dialog = el("dialog", { "aria-label": "Change password" });
  const change = el("button", { type: "button" }, "Change password");
  const leave = el("button", { type: "button" }, "Sign out");
  const list = el("div", { class: "list" }, el("p", {}, role), ...(password ? [change] : []), leave);
  const open = el("details", {}, el("summary", { title: "Your account" }, name), list);
  leave.onclick = signOut;
  change.onclick = () => {
    open.open = false;
    const cancel = el("button", { type: "button", class: "plain" }, "Cancel");
    cancel.onclick = () => dialog.close();
    const shown = changeForm("Change password", "12 characters or more. You will be signed out everywhere else.");
    shown.append(cancel);
    dialog.replaceChildren(shown);
    dialog.showModal();
  };
  // A press anywhere else closes the menu, as menus do.
  open.ontoggle = () => {
    const away = (event) => {
      if (event.composedPath().includes(open)) return;
      open.open = false;
    };
    if (open.open) addEventListener("pointerdown", (open.away = away));
    else removeEventListener("pointerdown", open.away);
  };
  return el("div", {}, open, dialog);
}

let asked = 0;
let watched = null;

/** An open page whose person was signed out, or given another role, says so as soon as it is used. */
function watch(name, role) {
  watched ?? ["click", "focus"].forEach((kind) => addEventListener(kind, check, { capture: true, passive: true }));
  watched = { name, role: role.toLowerCase() };
}

async function check() {
  if (!watched || Date.now() - asked < 2_000) return;
  asked = Date.now();
  const answer = await fetch("/api/session", { cache: "no-store" }).catch(() => null);
  const now = answer?.ok ? await answer.json() : null;
  const other = now && (now.must_change || now.person.name !== watched.name || now.role !== watched.role);
  if (answer?.status === 401 || other) location.reload();
}

/** @param {{title: string, note: string, fields: HTMLElement[], action: string, send: (values: string[]) => Promise<void>}} what */
function form({ title, note, fields, action, send }) {
  const button = el("button", { type: "submit", class: "primary" }, action);
  const trouble = el("p", { class: "trouble", role: "alert" });
  const shown = el("form", { "aria-label": action }, el("h1", {}, title), el("p", {}, note), ...fields, trouble, button);
  shown.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    trouble.textContent = "";
    try {
      await send(fields.map((one) => one.querySelector("input").value));
      location.reload();
    } catch (error) {
      trouble.textContent = error.message;
      button.disabled = false;
    }
  };
  // Keys belong to the form while it is written in, not to the workbench.
  for (const kind of ["keydown", "keyup", "keypress"]) shown.addEventListener(kind, (event) => event.stopPropagation());
  return shown;
}

function field(label, type, autocomplete) {
  return el("label", {}, label, el("input", { type, autocomplete, required: "", name: autocomplete, maxlength: "256" }));
}

async function signOut() {
  await ask("DELETE", "/api/session");
  location.reload();
}

/** @throws {Error} with one sentence */
async function ask(method, path, body) {
  const json = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, { method, cache: "no-store", ...json }).catch(() => {
    throw new Error("The server cannot be reached.");
  });
  if (answer.ok) return;
  const said = (await answer.json().catch(() => ({}))).detail;
  throw new Error(said ? `${said[0].toUpperCase()}${said.slice(1)}.` : `The server answered ${answer.status}.`);
}

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
