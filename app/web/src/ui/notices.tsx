// Errors and short messages at the top of the page: what happened, what to do, and the request id for the log.

import { signal } from "@preact/signals";
import { Problem, wasAborted } from "../api/problem";
import { Icon } from "./icon";

interface Notice {
  key: number;
  kind: "problem" | "done";
  title: string;
  lines: string[];
  requestId: string | null;
}

const SHOWN = 3;
const DONE_MS = 5000;
const notices = signal<Notice[]>([]);
let count = 0;

function show(notice: Omit<Notice, "key">): number {
  count += 1;
  notices.value = [...notices.value, { ...notice, key: count }].slice(-SHOWN);
  return count;
}

const close = (key: number): void => {
  notices.value = notices.value.filter((notice) => notice.key !== key);
};

/** Show a problem until it is closed; aborted work is no problem. */
export function report(error: unknown): void {
  if (wasAborted(error)) return;
  if (!(error instanceof Problem)) {
    console.error(error);
    show({ kind: "problem", title: "Something went wrong in this page", lines: ["Reload it; nothing on the server was changed by this."], requestId: null });
    return;
  }
  const lines = [error.detail, ...error.errors.map(({ pointer, message }) => `${pointer}: ${message}`)];
  if (error.retryAfterS) lines.push(`Try again in ${error.retryAfterS} s.`);
  show({ kind: "problem", title: error.message, lines: lines.filter((line): line is string => Boolean(line)), requestId: error.requestId });
}

/** Say that something was done; goes away by itself. */
export function tell(title: string, ...lines: string[]): void {
  const key = show({ kind: "done", title, lines, requestId: null });
  setTimeout(() => close(key), DONE_MS);
}

/** Forget what is shown, when the person starts something new. */
export function clearNotices(): void {
  notices.value = [];
}

/** Run `work`; what goes wrong is told. True if it went well. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

function NoticeBox({ notice }: { notice: Notice }) {
  return (
    <div class={`notice ${notice.kind}`}>
      <div class="notice-text">
        <strong>{notice.title}</strong>
        {notice.lines.map((line) => <p key={line}>{line}</p>)}
        {notice.requestId && <p class="soft small">Request <code>{notice.requestId}</code></p>}
      </div>
      <button type="button" class="icon" aria-label="Close this message" onClick={() => close(notice.key)}><Icon name="close" size={16} /></button>
    </div>
  );
}

export function Notices() {
  const of = (kind: Notice["kind"]) => notices.value.filter((notice) => notice.kind === kind);
  return (
    <div class="notices">
      <div role="alert" aria-live="assertive">{of("problem").map((notice) => <NoticeBox key={notice.key} notice={notice} />)}</div>
      <div role="status">{of("done").map((notice) => <NoticeBox key={notice.key} notice={notice} />)}</div>
    </div>
  );
}
