// The page's entry: makes the parts, connects them, and keeps the address in step (#set=...&tab=jobs).

import { get, hasKey, onKeyNeeded, readiness, setKey } from "./js/api.js";
import { AskBox } from "./js/ask.js";
import { byId, setText } from "./js/dom.js";
import { Focus } from "./js/focus.js";
import { Gestures } from "./js/gestures.js";
import { listen } from "./js/intake.js";
import { JobList } from "./js/jobs.js";
import { MarkList } from "./js/marks.js";
import { report } from "./js/notices.js";
import { showRecent } from "./js/recent.js";
import { Review } from "./js/review.js";
import { Viewer } from "./js/viewer.js";
import { Workspace } from "./js/workspace.js";

const TABS = ["picture", "review", "jobs"];
const HEALTH_EVERY_MS = 15_000;

const focus = new Focus();
const viewer = new Viewer({
  stage: byId("stage"), world: byId("world"), image: byId("picture"), canvas: byId("light"), focus,
});
new Gestures(viewer);
const marks = new MarkList(focus);
const askBox = new AskBox(focus);
const workspace = new Workspace({ viewer, focus, onShow: shown });
const jobs = new JobList(openJob);
const review = new Review((id) => {
  showTab("picture");
  workspace.openSet(id);
});
let tab = "picture";

function address() {
  return new URLSearchParams(location.hash.slice(1));
}

function writeAddress(push = false) {
  const parts = new URLSearchParams();
  if (workspace.setId) parts.set("set", workspace.setId);
  if (tab !== "picture") parts.set("tab", tab);
  const hash = parts.size ? `#${parts}` : location.pathname;
  if (`#${parts}` !== (location.hash || "#")) history[push ? "pushState" : "replaceState"](null, "", hash);
}

/** The workspace shows another mark set, or nothing. */
function shown(markSet) {
  marks.show(markSet);
  askBox.open(markSet?.id ?? null);
  const stage = byId("stage");
  stage.setAttribute("aria-label", markSet ? `Marked picture with ${markSet.marks.length} marks` : "No picture yet");
  byId("picture").alt = markSet ? `Picture with ${markSet.marks.length} marks` : "";
  writeAddress(true);
  if (!markSet) showRecent((id) => workspace.openSet(id));
}

function showTab(name, { keyboard = false } = {}) {
  tab = name;
  for (const other of TABS) {
    const button = byId(`tab-${other}`);
    button.setAttribute("aria-selected", String(other === name));
    button.tabIndex = other === name ? 0 : -1;
    byId(`page-${other}`).hidden = other !== name;
    if (keyboard && other === name) button.focus();
  }
  jobs.follow(name === "jobs");
  review.follow(name === "review");
  writeAddress();
}

async function openJob(job) {
  try {
    const { mark_set_id: made, answer_id: answerId } = job.result;
    const id = made || (await get(`/v1/answers/${answerId}`)).mark_set_id;
    showTab("picture");
    if (id) await workspace.openSet(id);
  } catch (error) {
    report(error);
  }
}

/** Follow the address: at the start, and when the person goes back or pastes a link. */
function readAddress() {
  const parts = address();
  const set = parts.get("set");
  const wanted = TABS.includes(parts.get("tab")) ? parts.get("tab") : "picture";
  if (set && /^[0-9a-f-]{36}$/i.test(set)) workspace.openSet(set).then(writeAddress);
  else workspace.close();
  tab = wanted;
  showTab(wanted);
}

async function tellHealth() {
  const found = await readiness();
  const down = Object.entries(found?.checks || {}).filter(([, state]) => state !== "ok");
  const state = !found ? "down" : down.length ? "partly" : "ready";
  byId("health").dataset.state = state;
  byId("health").title = down.map(([name, sentence]) => `${name}: ${sentence}`).join("\n");
  const names = down.map(([name]) => name).join(", ");
  setText(byId("health-text"), { down: "No server", partly: `Waiting for ${names}`, ready: "Ready" }[state]);
  setTimeout(tellHealth, state === "ready" ? HEALTH_EVERY_MS : 3000);
}

let keyWanted = null;
onKeyNeeded(() => {
  keyWanted ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    setText(byId("key-title"), hasKey() ? "The key was not accepted" : "This server wants a key");
    dialog.addEventListener("close", () => {
      const key = byId("key").value.trim();
      byId("key").value = "";
      if (key) setKey(key);
      keyWanted = null;
      resolve(key !== "");
    }, { once: true });
    dialog.showModal();
  });
  return keyWanted;
});

for (const name of TABS) {
  byId(`tab-${name}`).addEventListener("click", () => showTab(name));
  byId(`tab-${name}`).addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const by = event.key === "ArrowRight" ? 1 : TABS.length - 1;
    showTab(TABS[(TABS.indexOf(name) + by) % TABS.length], { keyboard: true });
  });
}
byId("zoom-in").addEventListener("click", () => viewer.zoom(1.4));
byId("zoom-out").addEventListener("click", () => viewer.zoom(1 / 1.4));
byId("zoom-fit").addEventListener("click", () => viewer.fit());
byId("settings").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && focus.pinned !== null) focus.pin(focus.pinned);
  if (event.key === "/" && !event.target.closest("input, textarea, select, dialog")) {
    event.preventDefault();
    showTab("picture");
    byId("query").focus();
  }
});
window.addEventListener("popstate", readAddress);
listen((file) => {
  showTab("picture");
  workspace.openFile(file);
});
workspace.tellGranularity();
readAddress();
tellHealth();
