// The workbench as a whole: what its parts share, and what happens between them.

import { Answers } from "./answers.js";
import { Api } from "./api.js";
import { Chance } from "./chance.js";
import { Drafts } from "./drafts.js";
import { Effects } from "./effects.js";
import { Emitter } from "./emitter.js";
import { Finishing } from "./finishing.js";
import { Hover } from "./hover.js";
import { Keys } from "./keys.js";
import { Lease } from "./lease.js";
import { LeftOver } from "./leftover.js";
import { Library, forgetWanted } from "./library.js";
import { listenToServer } from "./news.js";
import { MaskBook, isProposal, openFlags } from "./maskbook.js";
import * as objects from "./object.js";
import { Outbox } from "./outbox.js";
import { Painting } from "./painting.js";
import { Preferences } from "./preferences.js";
import { Probe } from "./probe.js";
import { Showing } from "./showing.js";
import { Stage } from "./stage.js";
import { TabQueues } from "./tabs.js";
import { Timer } from "./timer.js";
import { uuid } from "./uuid.js";
import { Working } from "./working.js";

/** @typedef {"opening" | "reading" | "ready" | "failed" | "empty"} Phase */

/** What outlives a remount of the component, by whose it is and in which round: the queue of unsent things above all. */
const shared = new Map();

function sharedParts(base, room) {
  if (!shared.has(room)) {
    const api = new Api(base);
    const outbox = new Outbox(api, new TabQueues(room));
    shared.set(room, { api, outbox, prefs: new Preferences(api), client: uuid(), started: outbox.start(), lastImage: null });
  }
  return shared.get(room);
}

export class Bench {
  /**
   * @param {{api: string, image_id: number | null, mask_id: number | null, skip: string | null, round_id: number | null}} data
   * @param {{byHand: (asked: object) => void}} hooks
   */
  constructor(data, hooks) {
    // People who share a browser keep what is theirs; what one has left unsent waits until they sign in again.
    const room = data.room ?? "masksmith";
    this.shared = sharedParts(data.api, room);
    const { api, outbox, prefs, client, started } = this.shared;
    api.person = data.person ?? null;
    Object.assign(this, { api, outbox, prefs, client, hooks });
    this.emitter = new Emitter();
    this.keys = new Keys(prefs.get("keys"));
    this.stage = new Stage();
    this.timer = new Timer();
    this.answers = new Answers(api, client);
    this.hover = new Hover(api, { client: `${client}-h`, onPreview: () => {} });
    this.drafts = new Drafts(api, localStorage, room);
    this.drafts.client = client;
    this.masks = new MaskBook(() => this.masksChanged());
    this.painting = new Painting(this);
    this.showing = new Showing(this);
    this.working = new Working(this);
    this.chance = new Chance(this);
    this.finishing = new Finishing(this, new Effects(this));
    this.library = new Library(this);
    this.leftOver = new LeftOver(this);
    this.lease = new Lease(this);
    this.lease.guard(this.working, "change", "undo", "redo");
    this.lease.guard(this.painting, "begin", "clean");
    this.lease.guard(this.finishing, "accept", "skip", "takeBack", "remove", "edit", "labelMask", "fix", "keep");
    this.probe = new Probe(this);
    this.project = null;
    /** the round whose seat this is; null in the library @type {number | null} */
    this.seat = data.round_id;
    this.imageId = null;
    this.image = null;
    /** @type {Phase} */
    this.phase = "opening";
    this.phaseNote = "";
    /** @type {"point" | "brush" | "eraser"} */
    this.tool = "point";
    this.hoveredPoint = -1;
    this.message = { text: "", kind: "info" };
    this.online = true;
    this.allow = 0;
    /** What is to be taken up once its image is open: a mask to edit, or a skipped object. */
    this.wanted = data;
    this.listen(started);
  }

  listen(started) {
    this.outbox.onChange = () => this.emitter.changed("status");
    this.drafts.onHolder = (imageId, name) => this.lease.lost(imageId, name);
    this.drafts.onApart = (imageId, said) => this.workApart(imageId, said);
    listenToServer(this);
    this.stage.onView = () => {
      this.emitter.changed("view");
      this.crosshair?.viewChanged();
    };
    this.outboxStarted = started;
  }

  /** Load project and list, and open the first image. @param {number | null} wanted */
  async start(wanted) {
    await this.outboxStarted;
    this.applyLook();
    await this.until(async () => {
      this.setProject(await this.api.get("/project"));
    });
    await this.until(() => this.library.start(wanted ?? this.shared.lastImage));
    if (this.stopped) return;
    const { trouble } = this.project.model;
    if (trouble) this.say(trouble, "warning");
  }

  /** Try until it works: the server may still be starting. */
  async until(attempt) {
    for (let wait = 500; !this.stopped; wait = Math.min(5_000, wait * 2)) {
      try {
        return await attempt();
      } catch (error) {
        if (this.stopped) return undefined;
        this.setPhase("failed", error.message);
        if (error.passing === false) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    return undefined;
  }

  setProject(project) {
    this.project = project;
    this.prefs.load(project.person?.preferences);
    this.keys.load(this.prefs.get("keys"));
    this.applyLook();
    this.emitter.changed("project", "keys", "tool");
  }

  async refreshProject() {
    try {
      this.project = await this.api.get("/project", { timeout: 8_000 });
      this.emitter.changed("project");
    } catch {
      // The header keeps the last figures; the badge says that the server is away.
    }
  }

  // --- the image on the stage ---

  /** Keep what is in work, and take everything of the image off the stage. */
  leaveImage() {
    this.commitLabel();
    if (this.painting.stroke) this.painting.end();
    this.hover.stop();
    if (this.imageId !== null) {
      this.library.patch(this.imageId, { has_work: this.isBusy });
      if (this.isBusy) this.keepDraft();
      this.drafts.flush();
    }
    this.imageId = null;
    this.leftOver.hide();
    // Nothing of the old image may be accepted, skipped or deleted while the next one is on its way.
    this.masks.open([], [], []);
    this.working.close();
  }

  /** Take over what the server knew of the image at `askedAt` or later, and the object in work. */
  showImage(view, list, work, skips, askedAt) {
    const pending = this.outbox.since(view.id, askedAt);
    this.answers.openImage(view.id);
    this.masks.open(list, skips, pending);
    const finished = new Set([...this.masks.list, ...this.masks.skips].map((one) => one.object_key));
    const draft = this.drafts.newest(view.id, work, finished);
    this.hoveredPoint = -1;
    this.crosshair.hide();
    this.working.openImage(view.id, view.width, view.height, draft);
    if (draft) this.say("The object in work is back.");
    this.emitter.changed("image", "masks", "object", "candidates");
    this.takeUp(view.id);
  }

  /** Show what others have changed on the image meanwhile; the object in work stays as it is. */
  refreshMasks(list, skips, pending) {
    const { selected } = this.masks;
    this.masks.open(list, skips, pending);
    if (this.masks.find(selected)) this.masks.select(selected);
  }

  /** Another tab has this object in work, too: from here on it is one of this tab's own. */
  workApart(imageId, said) {
    if (imageId !== this.imageId || !this.isBusy) return;
    this.commitLabel();
    this.working.object = Object.freeze({ ...this.working.object, key: uuid() });
    this.keepDraft();
    this.say(said, "warning");
  }

  /** Take up what the page's address asks for, once, if it is of this image. */
  takeUp(imageId) {
    const { image_id: wantedImage, mask_id: maskId, skip } = this.wanted;
    if (wantedImage !== imageId) return;
    this.wanted = {};
    if (maskId || skip) forgetWanted();
    if (skip) this.finishing.takeBack(skip);
    if (!maskId) return;
    const mask = this.masks.list.find((one) => one.mask_id === maskId);
    if (mask) this.finishing.edit(mask.key);
    else this.say("The mask that was to be fixed is here no more: it was corrected or deleted.", "warning");
  }

  /** @param {Phase} phase */
  setPhase(phase, note = "") {
    this.phase = phase;
    this.phaseNote = note;
    this.emitter.changed("image", "status");
  }

  /** Whether an image is on the stage. */
  get isOpen() {
    return this.phase === "ready" || this.phase === "reading";
  }

  /** Whether an object is in work. */
  get isBusy() {
    return !objects.isEmpty(this.working.object);
  }

  /**
   * Leave the workbench for the outline mode, which gets the room the workbench had.
   * @param {{object_key: string, times: any, at: number[]} | {}} assigned  an object that chance has chosen for it
   */
  askByHand(assigned = {}) {
    if (!this.isOpen) return;
    const { width, height } = this.root.getBoundingClientRect();
    this.hooks.byHand({ image_id: this.imageId, width: Math.round(width), height: Math.round(height), ...assigned });
  }

  // --- drafts and time ---

  draftAnswer() {
    const { object } = this.working;
    const answer = objects.promptKey(object) && !this.chance.stops(object) ? this.answers.of(object) : null;
    if (!answer) return null;
    const { candidates, model, refined } = answer;
    return { candidates, model, refined };
  }

  keepDraft() {
    const { object } = this.working;
    if (!this.isBusy) return this.dropDraft();
    const times = this.timer.rounded();
    const draft = { object, answer: this.draftAnswer(), times, allow: this.allow, saved_at: Date.now() };
    this.drafts.keep(this.imageId, draft);
    const here = this.library.current;
    if (here && here.state === "new") this.library.patch(here.id, { state: "in_work" });
    return undefined;
  }

  dropDraft() {
    if (this.imageId !== null) this.drafts.keep(this.imageId, null);
  }

  /**
   * Set the stopwatch to another object's.
   * @param {any} times @param {boolean} running
   * @param {number} allow  milliseconds of them that the limit forgives; Infinity: all, it was taken up again on purpose
   */
  restoreTimer(times, running, allow) {
    this.timer.restore(times);
    this.allow = Math.min(allow, this.timer.used);
    if (running) this.timer.start();
    this.emitter.changed("timer");
  }

  // --- what others tell ---

  masksChanged() {
    if (!this.working) return;
    const proposals = this.masks.list.filter(isProposal).length;
    const masks = this.masks.list.length - proposals;
    this.library.patch(this.imageId, { masks, proposals, skips: this.masks.skips.length });
    this.emitter.changed("masks");
    this.showAccepted();
  }

  showAccepted() {
    const edited = this.working.object.base?.key;
    const shown = this.masks.list.filter((mask) => mask.key !== edited);
    this.stage.showAccepted(shown, this.prefs.get("palette"), this.masks.selectedMask);
    const flagged = this.isBusy ? null : this.masks.flagged;
    const mendable = flagged ? openFlags(flagged).filter((flag) => flag.fix) : [];
    const boxes = mendable.map((flag) => flag.detail?.box).filter((box) => box?.length === 4);
    this.stage.main.showFlags([...boxes, ...this.leftOver.boxes]);
  }

  showPrompts() {
    const { points, box } = this.working.object;
    if (this.hoveredPoint >= points.length) this.hoveredPoint = -1;
    this.stage.main.showPrompts(points, box, this.hoveredPoint);
    this.showAccepted();
  }

  /** Note which prompt point the pointer is on. @param {number} index  -1 for none */
  hoverPoint(index) {
    if (index === this.hoveredPoint) return;
    this.hoveredPoint = index;
    this.showPrompts();
  }

  /** Say one sentence in the status bar, and to screen readers. @param {"info" | "warning" | "error"} kind */
  say(text, kind = "info") {
    this.message = { text, kind };
    this.emitter.changed("message");
  }

  // --- look ---

  /** @param {"point" | "brush" | "eraser"} tool */
  setTool(tool) {
    this.tool = tool;
    if (tool !== "point") {
      this.hover.stop();
      this.hoverPoint(-1);
    }
    this.stage.root.dataset.tool = tool;
    this.emitter.changed("tool");
  }

  /** @param {any} changes  of the preferences */
  prefer(changes) {
    this.prefs.set(changes);
    this.applyLook();
    this.emitter.changed("tool", "settings", "keys");
  }

  applyLook() {
    const get = (name) => this.prefs.get(name);
    this.stage.setLook({ opacity: get("opacity"), brightness: get("brightness"), contrast: get("contrast") });
    this.stage.setMode(get("overlay"));
    if (this.stage.beside !== get("beside")) this.stage.setBeside(get("beside"));
    this.showAccepted();
  }

  stop() {
    this.stopped = true;
    this.shared.lastImage = this.imageId;
    this.leaveImage();
    this.lease.leave();
    this.lease.close();
    this.drafts.stop();
    this.library.stop();
    this.hover.stop();
    this.stage.close();
    this.emitter.clear();
  }
}
