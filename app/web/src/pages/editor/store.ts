// The mark set that is edited and the ways back. Every edit is a revision on the server and the set before stays, so undoing is
// showing that one again, and nothing that was done can be lost.

import { batch, computed, signal } from "@preact/signals";
import { watchJob } from "../../api/events";
import { get, order, patch, picture, post } from "../../api/http";
import { Problem, wasAborted } from "../../api/problem";
import type { Box, Mark, MarkSet, Point, Rle } from "../../api/types";
import { Focus } from "../../picture/focus";
import type { Shown } from "../../picture/stage";
import { go, href } from "../../router";
import { clearNotices, report, tell } from "../../ui/notices";

/** A region as a person draws it: exactly one of these. */
export type Prompt = { bbox_xyxy_px: Box } | { point_xy_px: Point } | { stroke_px: Point[] };
type Region = Prompt | { rle: Rle };

export type How = "sam" | "drawn";

export class Editor {
  readonly focus = new Focus();
  readonly markSet = signal<MarkSet | null>(null);
  readonly marks = signal<readonly Mark[]>([]);
  readonly shown = signal<Shown | null>(null);
  readonly chosen = signal<ReadonlySet<string>>(new Set());
  /** What is under way, in words; null when one may go on. */
  readonly busy = signal<string | null>("Opening the picture");
  /** Why the mark set could not be opened. */
  readonly problem = signal<Problem | null>(null);
  /** Prompts become regions by SAM as long as the server has weights for it. */
  readonly how = signal<How>("sam");
  readonly canUndo = computed(() => this.place.value > 0);
  readonly canRedo = computed(() => this.place.value < this.history.value.length - 1);
  private readonly history = signal<MarkSet[]>([]);
  private readonly place = signal(-1);
  private readonly stop = new AbortController();
  private url: string | null = null;

  async open(id: string): Promise<void> {
    if (this.markSet.value?.id === id) return;
    await this.working("Opening the picture", async () => {
      this.problem.value = null;
      try {
        await this.show(await this.fetch(id));
      } catch (error) {
        if (!wasAborted(error)) this.problem.value = Problem.of(error);
        return;
      }
      this.history.value = [this.markSet.value!];
      this.place.value = 0;
    });
  }

  close(): void {
    this.stop.abort();
    if (this.url) URL.revokeObjectURL(this.url);
  }

  private async working(words: string, steps: () => Promise<void>): Promise<boolean> {
    clearNotices();
    this.busy.value = words;
    try {
      await steps();
      return true;
    } catch (error) {
      if (!wasAborted(error)) report(error);
      return false;
    } finally {
      this.busy.value = null;
    }
  }

  private fetch(id: string): Promise<MarkSet> {
    return get<MarkSet>(`/v1/marksets/${id}?include=masks`, this.stop.signal);
  }

  /** Fetch the marked picture of a set, then turn to it in one go. */
  private async show(next: MarkSet): Promise<void> {
    const url = await picture(next.overlay_url, this.stop.signal);
    this.stop.signal.throwIfAborted();
    const [before, old] = [this.marks.value, this.url];
    const ids = new Set(next.marks.map(({ id }) => id));
    const known = new Set(before.map(({ id }) => id));
    const fresh = before.length ? next.marks.filter(({ id }) => !known.has(id)).map(({ id }) => id) : [];
    this.url = url;
    batch(() => {
      this.focus.clear();
      this.markSet.value = next;
      this.marks.value = next.marks;
      this.shown.value = { url, size: next.image };
      this.chosen.value = new Set(fresh.length ? fresh : [...this.chosen.value].filter((id) => ids.has(id)));
    });
    if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
    go(href("editor", next.id), { replace: true });
  }

  /** Make a revision and show it; what was undone before is forgotten. */
  private async edit(words: string, make: (set: MarkSet) => Promise<MarkSet>): Promise<boolean> {
    const set = this.markSet.value;
    if (!set || this.busy.value) return false;
    return this.working(words, async () => {
      const made = await make(set);
      const next = await this.fetch(made.id);
      await this.show(next);
      this.history.value = [...this.history.value.slice(0, this.place.value + 1), next];
      this.place.value = this.history.value.length - 1;
    });
  }

  private revise(words: string, change: Record<string, unknown>): Promise<boolean> {
    return this.edit(words, async ({ id }) => (await post<MarkSet>(`/v1/marksets/${id}/revisions`, change)).body);
  }

  private async turn(by: number): Promise<void> {
    const set = this.history.value[this.place.value + by];
    if (!set || this.busy.value) return;
    await this.working(by < 0 ? "Undoing" : "Doing again", async () => {
      await this.show(set);
      this.place.value += by;
    });
  }

  undo(): Promise<void> {
    return this.turn(-1);
  }

  redo(): Promise<void> {
    return this.turn(1);
  }

  delete(): Promise<boolean> {
    return this.revise("Deleting", { op: "delete", marks: [...this.chosen.value] });
  }

  merge(): Promise<boolean> {
    return this.revise("Merging", { op: "merge", marks: [...this.chosen.value] });
  }

  /** Cut the chosen mark along a line, or into its separate parts. */
  split(line: Point[] | null): Promise<boolean> {
    const [mark] = this.chosen.value;
    return this.revise("Splitting", { op: "split", mark, ...(line ? { line_px: line } : {}) });
  }

  change(mark: Mark, changes: { text?: string; role?: string; bbox_xyxy_px?: Box }): Promise<boolean> {
    return this.edit("Saving", ({ id }) => patch<MarkSet>(`/v1/marksets/${id}/marks/${encodeURIComponent(mark.id)}`, changes));
  }

  /** Make a mark of what was drawn; with `replaces` in place of a mark, which keeps its name. */
  add(prompt: Prompt, replaces: string[] = []): Promise<boolean> {
    return this.edit(this.how.value === "sam" ? "Finding the region" : "Adding", async (set) => {
      const region = this.how.value === "sam" ? await this.bySam(set, prompt) : prompt;
      return (await post<MarkSet>(`/v1/marksets/${set.id}/revisions`, { op: "add", region, replaces })).body;
    });
  }

  /** Ask SAM for the region of a prompt; where the server has no weights, regions are as drawn from then on. */
  private async bySam(set: MarkSet, prompt: Prompt): Promise<Region> {
    try {
      const body = { image: { type: "id", id: set.image.id }, segmenter: "sam", regions: [prompt] };
      const { job, made } = await order<MarkSet>("/v1/marksets", body, this.stop.signal);
      let id = made?.id;
      if (job) {
        const ended = await watchJob(job, { onEvent: () => undefined }, this.stop.signal);
        if (ended.status !== "succeeded") throw Problem.ofJob(ended);
        id = String(ended.result?.mark_set_id);
      }
      const [mark] = (await this.fetch(id!)).marks;
      if (mark?.rle) return { rle: mark.rle };
      throw new Problem({ title: "Nothing was found there", detail: "Try another point, or draw a box round it." });
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "model.weights_missing") throw error;
      this.how.value = "drawn";
      tell("Regions are as drawn", "This server has no weights for SAM (MARKWISE_SAM_WEIGHTS).");
      return prompt;
    }
  }

  choose(id: string, several: boolean): void {
    const next = new Set(several ? this.chosen.value : []);
    if (!(several && this.chosen.value.has(id))) next.add(id);
    else next.delete(id);
    this.chosen.value = next;
  }
}
