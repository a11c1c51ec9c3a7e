// What the server's answers mean for the bench: it is away or back, something is saved, a check has flagged a mask.

/** @param {import("./bench.js").Bench} bench */
export function listenToServer(bench) {
  bench.api.onReach = (online) => reached(bench, online);
  bench.outbox.onSent = (item, answer) => sent(bench, item, answer);
  bench.outbox.onHeld = (sentence) => bench.say(`Not saved yet, sent again soon: ${sentence}`, "error");
  bench.outbox.onRefused = (item) => refused(bench, item);
}

/** Where others were first, what they did is shown; only a mask of one's own is worth asking what is to become of it. */
function refused(bench, item) {
  if (item.kind !== "conflict") return bench.say(`Not saved: ${item.refused}`, "error");
  if (item.op !== "accept") bench.outbox.discard(item.id);
  bench.working.withdraw(item);
  const own = item.op === "accept" ? " Yours is kept here: see “not saved” above." : "";
  bench.say(`${item.refused[0].toUpperCase()}${item.refused.slice(1)}.${own}`, "warning");
  return item.imageId === bench.imageId ? bench.library.reload() : undefined;
}

function reached(bench, online) {
  if (online === bench.online) return;
  bench.online = online;
  if (online) {
    bench.outbox.retryNow();
    bench.showing.retry();
    bench.drafts.flush();
    bench.say("The server is back.");
  }
  bench.emitter.changed("status");
}

function sent(bench, item, answer) {
  const here = item.imageId === bench.imageId;
  if (item.op === "accept" && item.info?.mask) {
    const news = { mask_id: answer?.mask_id ?? null, flags: answer?.flags ?? [], saved: true };
    Object.assign(item.info.mask, news);
    if (here && item.info.beside) bench.masks.add(item.info.mask, null); // refused first, it was shown no more
    if (here) bench.masks.change(item.info.mask.key, news);
    if (news.flags.length) tellFlags(bench, item, news.flags);
  }
  if (item.op === "restore" && here) bench.masks.change(item.info.mask.key, { saved: true });
  if (item.op !== "flag" && item.op !== "label") bench.refreshProject();
}

function tellFlags(bench, item, flags) {
  const { images, place } = bench.library;
  const name = images[place.get(item.imageId)]?.name ?? `image ${item.imageId}`;
  const here = item.imageId === bench.imageId;
  const said = here ? bench.masks.words(flags[0]) : `On ${name}: ${flags[0].message}`;
  bench.say(said, flags[0].severity === "info" ? "info" : "warning");
}
