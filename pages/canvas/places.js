// Ways between the library and the seats of rounds: each is a page of its own.

const SENT = "masksmith.sent";

/** Load the workbench of a round, or of the library. @param {string | number | null} round @param {number | null} image */
export function goTo(round, image = null) {
  const url = new URL(location.href);
  const search = new URLSearchParams();
  if (round !== null) search.set("round", String(round));
  if (image !== null) search.set("image", String(image));
  url.search = search.toString();
  location.assign(url);
}

/** Go to the seat in which the next image is; once nothing is left there, the way leads back. */
export function sendTo(round, image) {
  sessionStorage.setItem(SENT, String(round));
  goTo(round, image);
}

/** Whether the queue has led to a seat. @param {number | null} seat */
export function wasSentTo(seat) {
  return seat !== null && sessionStorage.getItem(SENT) === String(seat);
}

/** Go back to the library from the seat to which the queue has led. */
export function comeBack() {
  sessionStorage.removeItem(SENT);
  goTo(null);
}
