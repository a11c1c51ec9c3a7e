// What the server's answers mean for the bench: it is away or back, something is saved, a check has flagged a mask.

/** @param {import("./bench.js").Bench} bench */
export function listenToServer(bench) {
  bench.api.onReach = (online) => reached(bench, online);
  bench.outbox.onSent = (item, answer) => sent(bench, item, answer);
  bench.outbox.onHeld = (sentence) => bench.say(`Not saved yet, sent again soon: ${sentence}`, "error");
  bench.outbox.onRefused = (item) => bench.say(`Not saved: ${item.refused}`, "error");
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
