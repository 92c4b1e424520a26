// What the Ask page works on: a picture, its marks, and the questions about it. Lives as long as the tab, so that leaving the page
// stops nothing.

import { batch, signal } from "@preact/signals";
import { watchJob } from "../../api/events";
import { get, list, order, picture, post, upload } from "../../api/http";
import { Problem, wasAborted } from "../../api/problem";
import type { Answer, ImageOut, Job, Mark, MarkSet, Task } from "../../api/types";
import { Focus } from "../../picture/focus";
import type { Shown } from "../../picture/stage";
import { go, href, route } from "../../router";
import { clearNotices, report } from "../../ui/notices";
import { type Step, stepAfter } from "../../ui/progress";

const HISTORY = 20;

export interface Settings {
  segmenter: string;
  style: string;
  granularity: number | null;
}

export interface Question {
  task: Task;
  query: string;
  choices: string[];
  targetId: string | null;
}

/** A question on its way. */
export interface Waiting {
  key: number;
  question: Question;
  step: Step;
  job: Job | null;
}

/** The marks that an answer puts into the light. */
export function namedBy(answer: Answer): string[] {
  const ids = [
    ...answer.mentions.map(({ mark }) => mark), ...answer.selected.map(({ mark }) => mark), ...answer.phrases.flatMap(({ marks }) => marks),
    ...answer.correspondences.map(({ mark }) => mark), ...(answer.action ? [answer.action.mark] : []),
  ];
  return ids.filter((id) => !answer.unresolved.includes(id));
}

class AskStore {
  readonly focus = new Focus();
  readonly settings = signal<Settings>({ segmenter: "auto", style: "markwise", granularity: null });
  readonly markSet = signal<MarkSet | null>(null);
  readonly marks = signal<readonly Mark[]>([]);
  readonly shown = signal<Shown | null>(null);
  readonly view = signal<"marked" | "clean">("marked");
  readonly step = signal<Step | null>(null);
  readonly answers = signal<readonly Answer[]>([]);
  readonly waiting = signal<readonly Waiting[]>([]);
  readonly open = signal<string | null>(null);
  /** Answer id -> the other picture of a question about two. */
  readonly targets = new Map<string, string>();
  fileName = "picture.png";
  private image: MarkSet["image"] | ImageOut | null = null;
  private urls: { marked: string; clean: string } | null = null;
  private stop = new AbortController();
  private job: Job | null = null;
  private count = 0;

  /** Stop what runs: the job, or the sending. */
  readonly cancel = (): void => {
    if (this.job) void post(`/v1/jobs/${this.job.id}/cancel`).catch(report);
    else this.stop.abort();
  };

  /** Run one piece of work: the one before is given up, and what goes wrong is said. */
  private async work(words: string, steps: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.stop.abort();
    const stop = new AbortController();
    this.stop = stop;
    this.job = null;
    clearNotices();
    this.step.value = { words, percent: null };
    try {
      await steps(stop.signal);
    } catch (error) {
      report(error);
      if (this.stop === stop) this.restore();
    } finally {
      if (this.stop === stop) this.step.value = null;
    }
  }

  /** Mark a file of the person's. */
  async openFile(file: File): Promise<void> {
    await this.work("Sending the picture", async (signal) => {
      this.fileName = file.name || "picture.png";
      this.focus.clear();
      const preview = URL.createObjectURL(file);
      batch(() => {
        this.marks.value = [];
        this.shown.value = { url: preview, size: null };
      });
      const image = await upload(file, [], (share) => {
        this.step.value = { words: "Sending the picture", percent: share < 1 ? 100 * share : null };
      }, signal);
      this.image = image;
      await this.mark(image.id, signal);
      URL.revokeObjectURL(preview);
    });
  }

  /** Mark a picture that is on the server already. */
  async openImage(id: string): Promise<void> {
    await this.work("Opening the picture", async (signal) => {
      this.image = await get<ImageOut>(`/v1/images/${id}`, signal);
      await this.mark(id, signal);
    });
  }

  /** Mark the same picture with other settings. */
  async markAgain(changes: Partial<Settings>): Promise<void> {
    this.settings.value = { ...this.settings.value, ...changes };
    const { image } = this;
    if (image) await this.work("Marking again", (signal) => this.mark(image.id, signal));
  }

  private async mark(imageId: string, signal: AbortSignal): Promise<void> {
    this.step.value = { words: "Waiting for a worker", percent: null };
    const body = { image: { type: "id", id: imageId }, ...this.settings.value };
    const { job, made } = await order<MarkSet>("/v1/marksets", body, signal);
    let id = made?.id;
    if (job) {
      this.job = job;
      const onEvent = (event: Parameters<typeof stepAfter>[1]) => {
        if (this.step.value && !signal.aborted) this.step.value = stepAfter(this.step.value, event);
      };
      const ended = await watchJob(job, { onEvent, patience: 60 }, signal);
      this.job = null;
      if (ended.status !== "succeeded") throw Problem.ofJob(ended);
      id = String(ended.result?.mark_set_id);
    }
    signal.throwIfAborted();
    this.step.value = { words: "Opening the marked picture", percent: 100 };
    await this.load(id!, signal);
    go(href("ask", id!));
  }

  /** Show a mark set that exists, from a link or the list. */
  async openSet(id: string): Promise<void> {
    if (this.markSet.value?.id === id) return;
    await this.work("Opening the picture", async (signal) => {
      this.fileName = "picture.png";
      await this.load(id, signal);
      const { style, segmenter } = this.markSet.value!;
      this.settings.value = { ...this.settings.value, granularity: segmenter.granularity, ...(typeof style === "string" ? { style } : {}) };
    });
  }

  private async load(id: string, signal: AbortSignal): Promise<void> {
    const markSet = await get<MarkSet>(`/v1/marksets/${id}?include=masks`, signal);
    const [marked, clean] = await Promise.all([
      picture(markSet.overlay_url, signal),
      picture(`/v1/images/${markSet.image.id}/content`, signal),
    ]);
    for (const url of Object.values(this.urls ?? {})) URL.revokeObjectURL(url);
    this.urls = { marked, clean };
    this.image = markSet.image;
    batch(() => {
      this.focus.clear();
      this.markSet.value = markSet;
      this.marks.value = markSet.marks;
      this.shown.value = { url: this.urls![this.view.value], size: markSet.image };
      this.answers.value = [];
      this.open.value = null;
    });
    void this.history(markSet.id);
  }

  private async history(id: string): Promise<void> {
    try {
      const page = await list<Answer>("/v1/answers", { mark_set_id: id, limit: HISTORY }, this.stop.signal);
      if (this.markSet.value?.id !== id) return;
      const known = new Set(this.answers.value.map((answer) => answer.id));
      this.answers.value = [...this.answers.value, ...page.data.filter((answer) => !known.has(answer.id))];
    } catch (error) {
      report(error);
    }
  }

  /** After work that failed: what was there before, or the empty page. */
  private restore(): void {
    const { value: markSet } = this.markSet;
    if (!markSet || !this.urls) {
      this.close();
      return;
    }
    this.image = markSet.image;
    batch(() => {
      this.shown.value = { url: this.urls![this.view.value], size: markSet.image };
      this.marks.value = markSet.marks;
    });
    go(href("ask", markSet.id), { replace: true });
  }

  /** Back to the empty page. */
  close(): void {
    this.stop.abort();
    this.image = null;
    batch(() => {
      this.focus.clear();
      this.markSet.value = null;
      this.marks.value = [];
      this.shown.value = null;
      this.answers.value = [];
      this.step.value = null;
    });
    if (route.value.page === "ask" && route.value.id) go(href("ask"), { replace: true });
  }

  show(view: "marked" | "clean"): void {
    this.view.value = view;
    if (this.markSet.value && this.urls) this.shown.value = { url: this.urls[view], size: this.markSet.value.image };
  }

  /** The body of `POST /v1/ground` for a question about the picture that is shown. */
  body({ task, query, choices, targetId }: Question): Record<string, unknown> {
    return {
      mark_set_id: this.markSet.value?.id ?? null, task, ...(query ? { query } : {}),
      ...(choices.length && (task === "classify" || task === "phrases") ? { choices } : {}), ...(task === "correspond" ? { target_mark_set_id: targetId } : {}),
    };
  }

  /** Ask; true if an answer came. */
  async ask(question: Question): Promise<boolean> {
    const setId = this.markSet.value?.id;
    if (!setId) return false;
    clearNotices();
    this.count += 1;
    const key = this.count;
    this.waiting.value = [{ key, question, step: { words: "Asking", percent: null }, job: null }, ...this.waiting.value];
    const change = (changes: (before: Waiting) => Partial<Waiting>) => {
      this.waiting.value = this.waiting.value.map((one) => (one.key === key ? { ...one, ...changes(one) } : one));
    };
    try {
      const ordered = await order<Answer>("/v1/ground", this.body(question));
      let answer = ordered.made;
      if (ordered.job) {
        change(() => ({ job: ordered.job }));
        const job = await watchJob(ordered.job, { onEvent: (event) => change(({ step }) => ({ step: stepAfter(step, event) })), patience: 60 });
        if (job.status !== "succeeded") throw Problem.ofJob(job);
        answer = await get<Answer>(`/v1/answers/${String(job.result?.answer_id)}`);
      }
      if (answer && question.targetId) this.targets.set(answer.id, question.targetId);
      // The person may have gone on to another picture; the answer waits there.
      if (answer && this.markSet.value?.id === setId) {
        this.answers.value = [answer, ...this.answers.value.filter(({ id }) => id !== answer.id)];
        this.light(answer);
      }
      return true;
    } catch (error) {
      if (!wasAborted(error)) report(error);
      return false;
    } finally {
      this.waiting.value = this.waiting.value.filter((one) => one.key !== key);
    }
  }

  /** Put an answer into the light, or none. */
  light(answer: Answer | null): void {
    this.open.value = answer?.id ?? null;
    this.focus.name(answer ? namedBy(answer) : [], answer?.action ?? null);
  }
}

export const ask = new AskStore();
